"""Room modes (requirement S3): all that a mode means, in one table."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class RoomMode(StrEnum):
    """How a room is run at the moment."""

    OPEN = "open"
    SLOW = "slow"
    CIRCLE_ONLY = "circle-only"
    READ_ONLY = "read-only"
    SHUT = "shut"


class Audience(StrEnum):
    """Who may speak in a room."""

    ANYONE = "anyone"
    CIRCLE = "circle"
    OWNER = "owner"
    NOBODY = "nobody"


class ModeRule(msgspec.Struct, frozen=True):
    """What a mode means: who may speak, the reason given to the others, and whether the room's sockets are closed."""

    speakers: Audience
    reason: str = ""
    closes_sockets: bool = False


MODE_RULES: dict[RoomMode, ModeRule] = {
    RoomMode.OPEN: ModeRule(Audience.ANYONE),
    RoomMode.SLOW: ModeRule(Audience.ANYONE),
    RoomMode.CIRCLE_ONLY: ModeRule(Audience.CIRCLE, "room-circle-only"),
    RoomMode.READ_ONLY: ModeRule(Audience.OWNER, "room-read-only"),
    RoomMode.SHUT: ModeRule(Audience.NOBODY, "room-shut", closes_sockets=True),
}

DEFAULT_SLOW_S = 10


class Room(msgspec.Struct, frozen=True):
    """A room: its owner ("" if unknown), its mode, and until when the mode holds (unix seconds; 0 for no end).

    ``slow_s`` is the least number of seconds between two messages of one sender while the mode is slow.
    """

    owner: str = ""
    mode: RoomMode = RoomMode.OPEN
    until: float = 0.0
    slow_s: int = DEFAULT_SLOW_S

    def mode_at(self, now: float) -> RoomMode:
        """The mode in force at ``now``: one that has ended is open again."""
        return self.mode if not self.until or now < self.until else RoomMode.OPEN
