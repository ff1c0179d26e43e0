"""What a protected person is not shown of a broadcast, though everybody else is (requirements P5, P7)."""

from __future__ import annotations

from filters.hits import Scan
from protection.concern import people
from protection.events import Event
from protection.modes import Room
from protection.policy import Policy
from protection.protections import Protection
from protection.snapshot import Concerned, Role, Snapshot
from protection.stages import blocklist, person
from protection.verdicts import Disposition, Verdict

STAGES = {"person": person.check, "blocklist": blocklist.check}
"""The stages that speak for one person; what the text leads to by itself is the same for all and judged once."""

FOUND_AGAIN = frozenset({"text", *STAGES})
"""The stages whose signals a broadcast raises again. What another one hides, a limit for instance, gets lost."""

WITHHELD_FROM = Disposition.MASK
"""What would not be delivered unchanged is not shown to a protected person."""


def role_of(viewer: str, broadcast: Event, room: Room | None) -> Role:
    """How a broadcast concerns somebody who sees it."""
    return people(broadcast, room).get(viewer, Role.VIEWER)


def closed(viewer: str, protection: Protection | None, broadcast: Event, role: Role, now: float) -> bool:
    """Whether their protection closes them to this broadcast if it comes from a stranger."""
    return (
        protection is not None
        and protection.active(now)
        and role is not Role.VIEWER
        and protection.closes(broadcast, viewer, aimed=role is not Role.MENTION)
    )


def why_withheld(broadcast: Event, viewer: Concerned, scan: Scan, policy: Policy, now: float) -> str:
    """The reason for which one person's own rules withhold a broadcast from them; "" if none does."""
    snapshot = Snapshot(now=now, concerned=(viewer,))
    for check in STAGES.values():
        for signal in check(broadcast, snapshot, scan, policy):
            if signal.disposition >= WITHHELD_FROM:
                return signal.reason
    return ""


def can_withhold(hidden: Verdict) -> bool:
    """Whether the downlink will find everything again for which a message is hidden on its way up."""
    return all(signal.stage in FOUND_AGAIN for signal in hidden.signals if signal.disposition is Disposition.HIDE)
