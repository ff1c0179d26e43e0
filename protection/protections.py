"""One-key protection (requirement P1; notice 2.1): five switches that close a person to strangers, until a time."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from protection.events import Event, Kind

DAY_S = 86_400.0
DEFAULT_DURATION_S = 7 * DAY_S
MAX_DURATION_S = 366 * DAY_S


class Switch(StrEnum):
    """What one-key protection can close; each can also be closed alone."""

    DM = "dm"
    COMMENT = "comment"
    FORWARD = "forward"
    MENTION = "mention"
    BARRAGE = "barrage"


ONE_KEY = frozenset(Switch)
"""The preset ``one-key``: everything."""

PRESETS: dict[str, frozenset[Switch]] = {"one-key": ONE_KEY}

_SWITCH_OF_KIND = {
    Kind.DM: Switch.DM,
    Kind.COMMENT: Switch.COMMENT,
    Kind.FORWARD: Switch.FORWARD,
    Kind.BARRAGE: Switch.BARRAGE,
    Kind.CHAT: Switch.BARRAGE,
}


class Protection(msgspec.Struct, frozen=True):
    """A person's protection: which switches are closed to strangers, and until when (unix seconds)."""

    kinds: frozenset[Switch]
    until: float
    preset: str = ""

    def active(self, now: float) -> bool:
        """Whether it is in force at ``now``."""
        return bool(self.kinds) and now < self.until

    def closes(self, event: Event, person: str, aimed: bool) -> bool:
        """Whether a stranger's ``event`` is refused for this ``person``; ``aimed``: it does not merely mention them."""
        if aimed and _SWITCH_OF_KIND[event.kind] in self.kinds:
            return True
        return Switch.MENTION in self.kinds and person in event.mentions
