"""Do the rules of the person to whom a direct message goes let it through (requirements P3, P10)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.hits import Scan
from protection.events import Event, Kind
from protection.policy import Policy
from protection.snapshot import Role, Snapshot
from protection.verdicts import Signal


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Keep away what the target does not take from this sender, or not now. Numbers belong to the rate stage."""
    if event.kind is not Kind.DM:
        return
    for concerned in snapshot.concerned:
        rules = concerned.dm_rules
        if rules is not None and concerned.role is Role.TARGET:
            reason, wait_s = rules.refusal(concerned.ties, snapshot.sender, snapshot.now)
            if reason:
                yield Signal("dm", reason, rules.action.disposition, wait_s)
