"""Who is speaking: the account id of a connection, from a token, a header or the query."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from gateway.codecs import is_plain_id
from gateway.settings import IdentitySettings
from gateway.tokens import TokenError, TokenVerifier

logger = logging.getLogger("shieldwire.identity")


class IdentityError(Exception):
    """The connection presents a proof of identity that does not hold; the fault is the client's."""


class Identity:
    """Reads the account id of a request or handshake, as ``[identity]`` says."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        self._verifier: TokenVerifier | None = None
        if settings.source == "jwt":
            self._verifier = TokenVerifier(settings.secret, settings.jwks, settings.audience)
            if self._verifier.weakness:
                logger.warning("weak-secret", extra={"fields": {"table": "identity", "why": self._verifier.weakness}})

    @property
    def is_header(self) -> bool:
        """Whether a plain header names the account: proof only if somebody trusted has set it."""
        return self._settings.source == "header"

    @property
    def reads(self) -> set[str]:
        """The query parameters and headers (in lower case) that tell who speaks."""
        name = self._settings.name
        match self._settings.source:
            case "jwt":
                return {"authorization", "cookie", name} - {""}
            case "header":
                return {name.lower()}
            case "query":
                return {name}
            case "field":
                return set()

    @property
    def payload_sender_counts(self) -> bool:
        """Whether messages may name their own sender."""
        return self._settings.source == "field"

    def account(self, headers: Mapping[str, str], query: Mapping[str, str], subprotocols: list[str]) -> str:
        """The account id; "" for a connection that presents none. Raises `IdentityError` for a proof that fails."""
        account = self._claimed(headers, query, subprotocols)
        if account and not is_plain_id(account):
            raise IdentityError("the account id is not a plain id")
        return account

    def _claimed(self, headers: Mapping[str, str], query: Mapping[str, str], subprotocols: list[str]) -> str:
        match self._settings.source:
            case "header":
                return _utf8(headers.get(self._settings.name.lower(), ""))
            case "query":
                return query.get(self._settings.name, "")
            case "field":
                return ""
            case "jwt":
                tokens = set(self._tokens(headers, query, subprotocols))
                if len(tokens) > 1:
                    raise IdentityError("the request presents more than one token")
                return self._subject(tokens.pop()) if tokens else ""

    def _subject(self, token: str) -> str:
        assert self._verifier is not None
        try:
            claims = self._verifier.verify(token)
        except TokenError as error:
            raise IdentityError(str(error)) from error
        subject = claims.get(self._settings.name, claims.get("sub"))
        if not isinstance(subject, str) or not subject:
            raise IdentityError("the token names no account")
        return subject

    def _tokens(self, headers: Mapping[str, str], query: Mapping[str, str], subprotocols: list[str]) -> Iterator[str]:
        """Every token that the request presents: the platform might take another one than the gateway."""
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and credentials.strip():
            yield credentials.strip()
        name = self._settings.name
        if name and query.get(name):
            yield query[name]
        if name:
            yield from _cookies(headers.get("cookie", ""), name)
        # A browser cannot set headers on a WebSocket; many platforms pass the token as a subprotocol instead.
        yield from (offer for offer in subprotocols if offer.count(".") == 2)


def _utf8(value: str) -> str:
    """A header value as its bytes mean it: they are not Latin-1 by accident only."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise IdentityError("the header is not UTF-8") from error


def _cookies(header: str, name: str) -> Iterator[str]:
    """The values of every cookie of this name (RFC 6265, section 5.4, allows several)."""
    for pair in header.split(";"):
        key, _, value = pair.partition("=")
        if key.strip() == name and value.strip():
            yield value.strip().strip('"')
