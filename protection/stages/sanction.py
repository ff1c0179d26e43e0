"""Is the sender under a measure (requirement D2)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.hits import Scan
from protection.events import Event
from protection.policy import Policy
from protection.sanctions import MEASURE_RULES
from protection.snapshot import Snapshot
from protection.verdicts import Signal


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Refuse what a measure against the sender keeps away, until the measure ends."""
    for sanction in snapshot.sanctions:
        if sanction.refuses(event.kind, snapshot.now):
            rule = MEASURE_RULES[sanction.measure]
            yield Signal("sanction", rule.reason, rule.disposition, sanction.until - snapshot.now)
