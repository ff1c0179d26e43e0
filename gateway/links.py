"""One-click links (requirements P1, P2): a signed link with which a person engages their protection, once.

Whoever holds the link may press it: it proves that the platform or a moderator had it made for this person. It says
all that it does, expires, and its name is remembered by the store once it was used.
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from hashlib import sha256

import msgspec
from itsdangerous import BadData, URLSafeSerializer

SALT = "shieldwire.one-click"
"""Keeps these signatures apart from any others made with the same key."""


class LinkFault(StrEnum):
    """Why a link cannot be used."""

    INVALID = "invalid"
    EXPIRED = "expired"
    USED = "used"


class LinkError(Exception):
    """A link that cannot be used; the fault is of whoever brings it."""

    def __init__(self, fault: LinkFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Link(msgspec.Struct, frozen=True):
    """What a link does: engage a preset for a person, for a time, until it expires (unix seconds)."""

    person: str
    preset: str
    duration_s: int
    expires: float
    name: str = msgspec.field(default_factory=lambda: secrets.token_urlsafe(12))


class Links:
    """Signs links and reads them back, with a key that all workers share."""

    def __init__(self, key: bytes) -> None:
        self._serializer = URLSafeSerializer(
            key, SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256}
        )

    def sign(self, link: Link) -> str:
        """The link as a token for a URL."""
        return str(self._serializer.dumps(msgspec.to_builtins(link)))

    def read(self, token: str, now: float) -> Link:
        """The link that a token is; raises `LinkError` for one that is not ours, was changed, or has expired."""
        try:
            link = msgspec.convert(self._serializer.loads(token), Link)
        except (BadData, msgspec.ValidationError, ValueError, RecursionError) as error:
            raise LinkError(LinkFault.INVALID) from error
        if now >= link.expires:
            raise LinkError(LinkFault.EXPIRED)
        return link
