"""One-key protection (requirement P1; notice 2.1): five switches that close a person to strangers, until a time.

All that happens to a protection by itself is a function of the time: when its person is reminded, when it ends, and
what is in force then. So every worker knows it at once, without being told, and while the store is away too.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

import msgspec

from protection.events import Event, Kind
from protection.notices import Notice, Topic

DAY_S = 86_400.0
DEFAULT_DURATION_S = 7 * DAY_S
MAX_DURATION_S = 366 * DAY_S
REMINDER_S = DAY_S / 2
"""How long before the end the person is reminded; a protection that is no longer than that needs no reminder."""


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


class Protection(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's protection: which switches are closed to strangers, and until when (unix seconds).

    With a ``preset`` it lies over the settings that the person had made switch by switch (``former``), which come back
    when it ends. Switches closed one by one are such settings: they lie over nothing.
    """

    kinds: frozenset[Switch]
    until: float
    preset: str = ""
    remind_at: float = 0.0
    """When the person is to be told that it will end (unix seconds); 0: not, or they have been told."""
    former: Protection | None = None

    @classmethod
    def lasting(cls, kinds: frozenset[Switch], now: float, duration_s: float, preset: str = "") -> Self:
        """A protection from ``now`` on, with its reminder."""
        until = now + duration_s
        return cls(kinds, until, preset, until - REMINDER_S if duration_s > REMINDER_S else 0.0)

    def active(self, now: float) -> bool:
        """Whether it is in force at ``now``."""
        return bool(self.kinds) and now < self.until

    def at(self, now: float) -> Protection:
        """What counts at ``now``: this one until it ends, then the former settings."""
        return self if self.former is None or self.active(now) else self.former

    def over(self, before: Protection | None, now: float) -> Protection:
        """This protection, engaged at ``now`` where ``before`` was kept: with the settings that come back at its end.

        A preset engaged over another does not come back: only what the person had set themselves does.
        """
        settings = None
        if self.preset and before is not None:
            settings = before.former if before.preset else before
        return msgspec.structs.replace(self, former=settings if settings and settings.active(now) else None)

    def ended(self, now: float) -> Protection | None:
        """What is left when it ends at ``now``, by itself or by its person's wish: the former settings, if any."""
        return self.former if self.former is not None and self.former.active(now) else None

    @property
    def due(self) -> float:
        """When something happens to it next (unix seconds); see `lapse`."""
        return self.remind_at or self.until

    def lapse(self, now: float) -> tuple[Protection | None, Notice] | None:
        """What has become due at ``now``: the protection to keep instead (None: none) and what its person is told."""
        if now >= self.until:
            return self.ended(now), Notice(Topic.PROTECTION_ENDED, now, until=self.until)
        if self.remind_at and now >= self.remind_at:
            reminded = msgspec.structs.replace(self, remind_at=0.0)
            return reminded, Notice(Topic.PROTECTION_ENDING, now, until=self.until)
        return None

    def closes(self, event: Event, person: str, aimed: bool) -> bool:
        """Whether a stranger's ``event`` is refused for this ``person``; ``aimed``: it does not merely mention them."""
        if aimed and _SWITCH_OF_KIND[event.kind] in self.kinds:
            return True
        return Switch.MENTION in self.kinds and person in event.mentions
