"""JSON Web Tokens: the one place where a signature is checked, for message identity and for the control API alike.

Algorithms are pinned by the key, never taken from the token (RFC 8725, 3.1): the secret verifies HS256 and nothing
else; a key of the JWKS file verifies the one algorithm of its type, and only for tokens that name its ``kid``.
"""

from __future__ import annotations

import warnings
from enum import StrEnum
from pathlib import Path
from typing import Any

import jwt
from jwt.algorithms import HMACAlgorithm
from jwt.warnings import InsecureKeyLengthWarning

from gateway.settings import SettingsError

SECRET_ALGORITHM = "HS256"  # noqa: S105 - the name of an algorithm, not a secret
PUBLIC_KEY_ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
_HMAC = HMACAlgorithm(HMACAlgorithm.SHA256)


class TokenFault(StrEnum):
    """What is wrong with a token."""

    MISSING = "missing"
    EXPIRED = "expired"
    INVALID = "invalid"


class TokenError(Exception):
    """A token that is missing, expired or not to be trusted; the fault is the client's."""

    def __init__(self, fault: TokenFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class TokenVerifier:
    """Verifies tokens against a shared secret (HS256), a file of public keys (RS256, ES256, EdDSA), or both.

    The file is a JWK Set (RFC 7517) and is read once. An ``audience`` is demanded only where one is given; ``exp``
    always. Raises `SettingsError` where there is nothing to verify with, or what there is cannot be used.
    """

    def __init__(self, secret: str = "", jwks_file: str = "", audience: str = "") -> None:
        if not (secret or jwks_file):
            raise SettingsError("tokens need a secret or a jwks file to be verified with")
        self._secret = secret
        self._audience = audience
        self._keys = _public_keys(Path(jwks_file)) if jwks_file else {}
        self.weakness = _weakness(secret) if secret else ""
        """Why the secret is weaker than HS256 wants (RFC 7518, 3.2): worth a warning at start; "" when it is not."""

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token that holds; raises `TokenError`."""
        if not token:
            raise TokenError(TokenFault.MISSING, "a token is needed")
        try:
            # The weakness was told once, at start; PyJWT would repeat it with every token.
            with warnings.catch_warnings(action="ignore", category=InsecureKeyLengthWarning):
                return self._decode(token)
        except jwt.ExpiredSignatureError as error:
            raise TokenError(TokenFault.EXPIRED, "the token has expired") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenError(TokenFault.INVALID, "the token is not valid") from error

    def _decode(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        key: jwt.PyJWK | str
        if self._secret and header.get("alg") == SECRET_ALGORITHM:
            key, algorithm = self._secret, SECRET_ALGORITHM
        else:
            named = self._keys.get(header.get("kid", ""))
            if named is None:
                raise jwt.InvalidKeyError("no key of ours verifies this token")
            key, algorithm = named, named.algorithm_name
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._audience or None,
            # "iat" says when, and is no condition: a clock that runs ahead must not lock people out.
            options={"require": ["exp"], "verify_aud": bool(self._audience), "verify_iat": False},
        )


def _weakness(secret: str) -> str:
    try:
        return _HMAC.check_key_length(_HMAC.prepare_key(secret)) or ""
    except jwt.InvalidKeyError as error:
        raise SettingsError(f"the token secret cannot be used: {error}") from error


def _public_keys(file: Path) -> dict[str, jwt.PyJWK]:
    """The keys of a JWK Set that may sign tokens here, by their ``kid``; raises `SettingsError`.

    Keys for other algorithms or for encryption are none of ours: issuers publish them in the same file.
    """
    try:
        published = jwt.PyJWKSet.from_json(file.read_text(encoding="utf-8")).keys
    except OSError as error:
        raise SettingsError(f"jwks {file}: {error.strerror}") from error
    except (jwt.PyJWTError, ValueError, AttributeError) as error:
        raise SettingsError(f"jwks {file}: not a usable JWK Set: {error}") from error
    ours = [key for key in published if key.algorithm_name in PUBLIC_KEY_ALGORITHMS and key.public_key_use != "enc"]
    if not ours:
        raise SettingsError(f"jwks {file}: no key for any of {', '.join(sorted(PUBLIC_KEY_ALGORITHMS))}")
    by_id: dict[str, jwt.PyJWK] = {}
    for key in ours:
        if not key.key_id or key.key_id in by_id:
            raise SettingsError(f"jwks {file}: every key needs a kid of its own")
        weakness = key.Algorithm.check_key_length(key.key)
        if weakness:
            raise SettingsError(f"jwks {file}: key {key.key_id!r}: {weakness}")
        by_id[key.key_id] = key
    return by_id
