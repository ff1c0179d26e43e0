"""Identity: where the account id comes from, and proofs that do not hold."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from gateway.identity import Identity, IdentityError
from gateway.settings import IdentitySettings

SECRET = "k" * 40
JWT = IdentitySettings("jwt", "token", SECRET)


def token(secret: str = SECRET, **claims: Any) -> str:
    return jwt.encode({"sub": "alice", "exp": int(time.time()) + 3600, **claims}, secret, "HS256")


@pytest.mark.parametrize(
    ("settings", "headers", "query", "account"),
    [
        (IdentitySettings("header", "X-User"), {"x-user": "alice"}, {}, "alice"),
        (IdentitySettings("query", "user"), {}, {"user": "alice"}, "alice"),
        (IdentitySettings("query", "user"), {}, {}, ""),
        (IdentitySettings("field"), {"x-user": "alice"}, {"user": "alice"}, ""),
        (JWT, {"authorization": f"Bearer {token()}"}, {}, "alice"),
        (JWT, {"authorization": f"bearer  {token()}"}, {}, "alice"),
        (JWT, {}, {"token": token()}, "alice"),
        (JWT, {"cookie": f"a=b; token={token()}"}, {}, "alice"),
        (JWT, {}, {"token": token(token="the claim wins")}, "the claim wins"),
        (JWT, {}, {}, ""),
    ],
)
def test_the_account_comes_from_where_the_settings_say(
    settings: IdentitySettings, headers: dict[str, str], query: dict[str, str], account: str
) -> None:
    assert Identity(settings).account(headers, query, []) == account


def test_a_header_is_read_as_the_utf8_that_it_is() -> None:
    identity = Identity(IdentitySettings("header", "X-User"))
    assert identity.account({"x-user": "安娜".encode().decode("latin-1")}, {}, []) == "安娜"
    with pytest.raises(IdentityError):
        identity.account({"x-user": "\xff"}, {}, [])


@pytest.mark.parametrize("account", ["x" * 129, " alice", "al\x07ice", "cafe\u0301"])
def test_an_account_that_nobody_could_mute_may_not_speak(account: str) -> None:
    with pytest.raises(IdentityError, match="plain id"):
        Identity(IdentitySettings("query", "user")).account({}, {"user": account}, [])


def test_a_browser_may_pass_its_token_as_a_subprotocol() -> None:
    assert Identity(JWT).account({}, {}, ["chat.v2", token()]) == "alice"


@pytest.mark.parametrize(
    "bad",
    [
        token("x" * 40),
        token(exp=int(time.time()) - 5),
        token(sub=""),
        token(sub=None),
        jwt.encode({"sub": "alice", "exp": int(time.time()) + 3600}, "", "none"),
        jwt.encode({"sub": "alice"}, SECRET, "HS256"),
        "not.a.token",
    ],
)
def test_a_proof_that_does_not_hold_is_refused_and_never_ignored(bad: str) -> None:
    with pytest.raises(IdentityError):
        Identity(JWT).account({}, {"token": bad}, [])


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": f"Bearer {token()}"}, {"token": token(sub="bob")}),
        ({"cookie": f"token={token()}; token={token(sub='bob')}"}, {}),
        ({"cookie": f"token={token()}"}, {"token": token(sub="bob")}),
    ],
)
def test_two_different_tokens_are_refused_because_the_platform_might_take_the_other(
    headers: dict[str, str], query: dict[str, str]
) -> None:
    with pytest.raises(IdentityError, match="more than one token"):
        Identity(JWT).account(headers, query, [])


@pytest.mark.parametrize(
    ("settings", "reads"),
    [
        (JWT, {"authorization", "cookie", "token"}),
        (IdentitySettings("header", "X-User"), {"x-user"}),
        (IdentitySettings("query", "user"), {"user"}),
        (IdentitySettings("field"), set()),
    ],
)
def test_what_tells_identity_is_known_so_that_it_can_be_refused_when_doubled(
    settings: IdentitySettings, reads: set[str]
) -> None:
    assert Identity(settings).reads == reads
