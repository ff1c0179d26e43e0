"""What state says about one event: everything `decide` may know besides the event and its text."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from protection.actions import Action
from protection.blocklist import Blocked
from protection.circle import STRANGER, Tie
from protection.dm_rules import Account, DmRules
from protection.modes import Room
from protection.protections import Protection
from protection.risk import Level
from protection.sanctions import Sanction
from ratelimit.gcra import Allowance


class Role(StrEnum):
    """How a person is concerned by an event."""

    TARGET = "target"
    OWNER = "owner"
    MENTION = "mention"
    VIEWER = "viewer"
    """Not concerned by it: only sees it broadcast."""


class Concerned(msgspec.Struct, frozen=True):
    """A person whom an event concerns: their protection (if any), how the sender is in their circle, their own rules.

    The sender is never listed as concerned by their own event. ``ties`` are known only where something depends on them
    (an active protection, a circle-only room, a DM); elsewhere there are none and nobody looks. ``dm_rules`` are told
    of the target of a DM.
    """

    person: str
    role: Role
    protection: Protection | None = None
    ties: Tie = STRANGER
    blocked: Blocked | None = None
    """Their blocklist; None for none."""
    dm_rules: DmRules | None = None

    @property
    def trusted(self) -> bool:
        """Whether the sender is in their circle."""
        return bool(self.ties)


class Scope(StrEnum):
    """What a charge was taken for; the value is the reason a refused sender is given."""

    FLOOD = "flood"
    """One sender's public messages in one room."""
    SENDER_FLOOD = "sender-flood"
    """One sender's public messages in all rooms together."""
    STRANGERS_REACHED = "strangers-reached"
    """Strangers whom one sender has written to."""
    SLOW = "room-slow"
    """One sender's messages in a room in slow mode."""
    STRANGER_PAIR = "stranger-dm"
    """DMs of one stranger to one person."""
    STRANGERS = "strangers-dm"
    """DMs of all strangers together to one person."""
    DM_FLOOD = "dm-flood"
    """One sender's DMs to anybody."""
    AWAITING_REPLY = "dm-awaiting-reply"
    """One message of a stranger until the person has written to them."""


class Charge(msgspec.Struct, frozen=True):
    """A charge that was taken, or refused, for this event."""

    scope: Scope
    allowance: Allowance
    action: Action = Action.REFUSE
    """What becomes of the event if it was refused."""


class Snapshot(msgspec.Struct, frozen=True):
    """The state that one decision sees; taken with at most one round trip.

    ``now`` is the store's clock (unix seconds). ``fresh`` is False when the replica is older than its staleness
    deadline or the store could not be asked: what is protected then stays protected.
    """

    now: float
    sanctions: tuple[Sanction, ...] = ()
    sender: Account = Account()
    """What is known of the sender's account, where something depends on it."""
    room: Room | None = None
    concerned: tuple[Concerned, ...] = ()
    charges: tuple[Charge, ...] = ()
    fresh: bool = True
    risk: Level = Level.CALM
    """The higher one of the target's and the room's."""
