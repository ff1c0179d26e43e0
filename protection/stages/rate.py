"""Were the charges for this event allowed (requirements P3, S3)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.hits import Scan
from protection.events import Event
from protection.policy import Policy
from protection.snapshot import Snapshot
from protection.verdicts import Signal
from ratelimit.rate import MICROSECONDS


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Refuse an event for which a charge was refused, and say when to come back."""
    for charge in snapshot.charges:
        if not charge.allowance.allowed:
            retry_after = charge.allowance.retry_after_us / MICROSECONDS
            yield Signal("rate", charge.scope.value, charge.action.disposition, retry_after)
