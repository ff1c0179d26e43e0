"""Is the sender under a measure (requirement D2)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.hits import Scan
from protection.events import Event
from protection.policy import Policy
from protection.sanctions import Measure
from protection.snapshot import Snapshot
from protection.verdicts import Disposition, Signal


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Refuse everything from a muted account until the mute ends."""
    for sanction in snapshot.sanctions:
        if sanction.measure is Measure.MUTE and sanction.active(snapshot.now):
            yield Signal("sanction", "muted", Disposition.REJECT, sanction.until - snapshot.now)
