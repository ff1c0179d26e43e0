"""What a codec makes of one message: the only form in which the rest of the gateway knows it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What sort of message it is. A mention is no kind: it is a field of an `Event`."""

    CHAT = "chat"
    COMMENT = "comment"
    BARRAGE = "barrage"
    DM = "dm"
    FORWARD = "forward"


class Event(msgspec.Struct, frozen=True):
    """One message, as the platform will understand it.

    ``target`` is the person it is aimed at; ``owner`` of the room is looked up when state is loaded. ``insisted`` is
    true when the sender has sent the same words again with the token of a nudge (requirement D1).
    """

    kind: Kind
    sender: str
    text: str
    id: str = ""
    target: str = ""
    room: str = ""
    mentions: tuple[str, ...] = ()
    insisted: bool = False
