"""Who is speaking: the account id of a connection, from a token, a header or the query."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

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
        match self._settings.source:
            case "header":
                return headers.get(self._settings.name.lower(), "")
            case "query":
                return query.get(self._settings.name, "")
            case "field":
                return ""
            case "jwt":
                token = self._token(headers, query, subprotocols)
                return self._subject(token) if token else ""

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

    def _token(self, headers: Mapping[str, str], query: Mapping[str, str], subprotocols: list[str]) -> str:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and credentials:
            return credentials.strip()
        name = self._settings.name
        if name and query.get(name):
            return query[name]
        cookie = _cookie(headers.get("cookie", ""), name) if name else ""
        # A browser cannot set headers on a WebSocket; many platforms pass the token as a subprotocol instead.
        return cookie or next((offer for offer in subprotocols if offer.count(".") == 2), "")


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
