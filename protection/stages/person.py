"""Has a person whom this concerns closed themselves to strangers (requirements P1, P6)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.hits import Scan
from protection.events import Event
from protection.policy import Policy
from protection.snapshot import Role, Snapshot
from protection.verdicts import Disposition, Signal


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Refuse a stranger's event that concerns a protected person through a closed switch."""
    for concerned in snapshot.concerned:
        protection = concerned.protection
        if protection is None or concerned.trusted or not protection.active(snapshot.now):
            continue
        if protection.closes(event, concerned.person, aimed=concerned.role is not Role.MENTION):
            yield Signal("person", "protected", Disposition.REJECT)
