"""Tokens: which hold, which do not, and which keys are refused at start."""

from __future__ import annotations

import base64
import json
import time
import warnings
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.settings import SettingsError
from gateway.tokens import TokenError, TokenFault, TokenVerifier

SECRET = "a secret long enough for HS384 too: more than forty-eight bytes"
RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "streamer", "exp": int(time.time()) + 3600, **more}


def signed(payload: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(payload, secret, algorithm)


def public_jwks() -> list[dict[str, Any]]:
    return [
        {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rsa"},
        {**ECAlgorithm(ECAlgorithm.SHA256).to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec"},
        {**OKPAlgorithm.to_jwk(ED_KEY.public_key(), as_dict=True), "kid": "ed"},
    ]


def write_jwks(folder: Path, keys: list[dict[str, Any]]) -> str:
    file = folder / "jwks.json"
    file.write_text(json.dumps({"keys": keys}), encoding="utf-8")
    return str(file)


def fault_of(verifier: TokenVerifier, token: str) -> TokenFault:
    with pytest.raises(TokenError) as refused:
        verifier.verify(token)
    return refused.value.fault


def test_a_token_signed_with_the_secret_gives_its_claims() -> None:
    given = claims(role="user")
    assert TokenVerifier(SECRET).verify(signed(given)) == given


def test_no_token_is_missing_and_a_late_one_is_expired() -> None:
    verifier = TokenVerifier(SECRET)
    assert fault_of(verifier, "") is TokenFault.MISSING
    assert fault_of(verifier, signed(claims(exp=int(time.time()) - 1))) is TokenFault.EXPIRED


UNTRUSTED = {
    "no token at all": "x",
    "three words": "a.b.c",
    "not ASCII": "é.é.é",
    "another secret": signed(claims(), "another secret, as long as the right one, of sixty-odd bytes in all"),
    "cut short": signed(claims())[:-3],
    "another hash": signed(claims(), algorithm="HS384"),
    "unsigned": jwt.encode(claims(), "", "none"),
    "no exp": signed({"sub": "streamer"}),
    "exp is no number": signed(claims(exp="tomorrow")),
    "not yet": signed(claims(nbf=int(time.time()) + 600)),
    "a key we do not have": jwt.encode(claims(), RSA_KEY, "RS256", headers={"kid": "rsa"}),
    "a header nested without end": base64.urlsafe_b64encode(b"[" * 50_000).decode() + ".e30.AAAA",
}


@pytest.mark.parametrize("token", UNTRUSTED.values(), ids=UNTRUSTED)
def test_a_token_that_is_not_to_be_trusted_is_invalid(token: str) -> None:
    assert fault_of(TokenVerifier(SECRET), token) is TokenFault.INVALID


def test_a_token_from_a_clock_that_runs_ahead_is_good() -> None:
    assert TokenVerifier(SECRET).verify(signed(claims(iat=int(time.time()) + 60)))["sub"] == "streamer"


def test_an_audience_is_demanded_only_where_one_is_configured() -> None:
    for_us, for_others, for_nobody = (signed(claims(**aud)) for aud in ({"aud": "us"}, {"aud": "them"}, {}))
    open_to_all, ours = TokenVerifier(SECRET), TokenVerifier(SECRET, audience="us")
    assert ours.verify(for_us)["aud"] == "us"
    assert fault_of(ours, for_others) is TokenFault.INVALID
    assert fault_of(ours, for_nobody) is TokenFault.INVALID
    assert [open_to_all.verify(token)["sub"] for token in (for_us, for_others, for_nobody)] == ["streamer"] * 3


def test_each_public_key_verifies_its_own_algorithm_by_its_kid(tmp_path: Path) -> None:
    verifier = TokenVerifier(jwks_file=write_jwks(tmp_path, public_jwks()))
    for key, algorithm, kid in ((RSA_KEY, "RS256", "rsa"), (EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed")):
        assert verifier.verify(jwt.encode(claims(), key, algorithm, headers={"kid": kid}))["sub"] == "streamer"
    assert fault_of(verifier, jwt.encode(claims(), RSA_KEY, "RS256")) is TokenFault.INVALID
    assert fault_of(verifier, jwt.encode(claims(), RSA_KEY, "RS256", headers={"kid": "ec"})) is TokenFault.INVALID
    assert fault_of(verifier, jwt.encode(claims(), RSA_KEY, "RS512", headers={"kid": "rsa"})) is TokenFault.INVALID
    assert fault_of(verifier, jwt.encode(claims(), RSA_KEY, "PS256", headers={"kid": "rsa"})) is TokenFault.INVALID


def test_a_public_key_is_never_taken_for_a_secret(tmp_path: Path) -> None:
    keys = public_jwks()
    modulus = keys[0]["n"]
    for verifier in (
        TokenVerifier(jwks_file=write_jwks(tmp_path, keys)),
        TokenVerifier(SECRET, write_jwks(tmp_path, keys)),
    ):
        assert fault_of(verifier, jwt.encode(claims(), modulus, "HS256", headers={"kid": "rsa"})) is TokenFault.INVALID


def test_a_short_secret_is_told_of_once_and_not_with_every_token() -> None:
    assert TokenVerifier(SECRET).weakness == ""
    verifier = TokenVerifier("short")
    assert "5 bytes" in verifier.weakness
    with warnings.catch_warnings(action="ignore"):
        token = signed(claims(), "short")
    assert verifier.verify(token)["sub"] == "streamer"  # a warning would be an error here


def weak_rsa() -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=1_024).public_key()
    return {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": "weak"}


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ([], "not a usable JWK Set"),
        ([{"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}], "no key for any of"),
        ([{**public_jwks()[0], "use": "enc"}], "no key for any of"),
        ([{k: v for k, v in public_jwks()[2].items() if k != "kid"}], "a kid of its own"),
        ([public_jwks()[2], public_jwks()[2]], "a kid of its own"),
        ([weak_rsa()], "1024"),
    ],
    ids=["none", "a shared secret", "for encryption", "nameless", "one name for two", "weak"],
)
def test_keys_that_cannot_be_used_stop_the_start(keys: list[dict[str, Any]], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=complaint):
        TokenVerifier(jwks_file=write_jwks(tmp_path, keys))


def test_keys_of_other_algorithms_stand_beside_ours(tmp_path: Path) -> None:
    others = [
        {**public_jwks()[0], "kid": "other", "alg": "PS256"},
        {**public_jwks()[0], "kid": "sealing", "use": "enc"},
    ]
    verifier = TokenVerifier(jwks_file=write_jwks(tmp_path, [*others, public_jwks()[2]]))
    assert verifier.verify(jwt.encode(claims(), ED_KEY, "EdDSA", headers={"kid": "ed"}))["sub"] == "streamer"


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "No such file"), ("{", "not a usable"), ("[]", "not a usable")]
)
def test_a_file_that_is_no_key_set_stops_the_start(content: str | None, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=complaint):
        TokenVerifier(jwks_file=str(file))


def test_nothing_to_verify_with_and_a_key_for_a_secret_stop_the_start() -> None:
    with pytest.raises(SettingsError, match="a secret or a jwks file"):
        TokenVerifier()
    with pytest.raises(SettingsError, match="cannot be used"):
        TokenVerifier(json.dumps({"kty": "oct", "k": "c2VjcmV0"}))
