"""Who takes part in the demo: the seats on its pages, its room, and the tokens that say who somebody is.

Any visitor may take any seat, the moderator's too: the demo has no passwords and listens on the loopback interface.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import jwt
import msgspec

ROOM = "studio"
"""The one live room."""

OWNER = "streamer"
"""The account that owns `ROOM`."""

REGULARS = ("fan-aoi", "fan-bo", "fan-chen", "fan-dee")
"""Members of the audience whom the streamer has in her circle."""

TOKEN_LIFE_S = 12 * 3600
ALGORITHM = "HS256"

TokenFor = Callable[[str], str]
"""Gives the token of an account in the role of a plain user."""


class Seat(msgspec.Struct, frozen=True):
    """A place on the pages: the account it speaks as, and its role at the control API."""

    account: str
    role: str = "user"


SEATS = {
    seat.account: seat
    for seat in (Seat("viewer"), Seat(OWNER), Seat("friend"), Seat("stranger"), Seat("moderator", "moderator"))
}
FRIENDS = ("friend", *REGULARS)
"""The streamer's circle."""


class Claims(msgspec.Struct, frozen=True):
    """What a valid token says."""

    account: str
    role: str


class TokenError(ValueError):
    """A token that is missing, forged or out of date; the fault is the caller's."""


def issue(secret: str, account: str, role: str = "user", life_s: float = TOKEN_LIFE_S) -> str:
    """A JSON Web Token (RFC 7519) that the gateway's two secrets and the platform accept."""
    return jwt.encode({"sub": account, "role": role, "exp": int(time.time() + life_s)}, secret, ALGORITHM)


def read(secret: str, token: str) -> Claims:
    """Check a token and say whose it is; raises `TokenError`."""
    try:
        claims = jwt.decode(token, secret, algorithms=[ALGORITHM], options={"require": ["sub", "exp"]})
    except jwt.InvalidTokenError as error:
        raise TokenError(str(error)) from error
    return Claims(account=claims["sub"], role=str(claims.get("role", "user")))
