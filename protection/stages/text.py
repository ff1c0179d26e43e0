"""What do the words themselves lead to (requirements P4, S1, S5)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.classes import Harm
from filters.hits import Scan, Severity
from protection.events import Event
from protection.policy import Policy
from protection.snapshot import Snapshot
from protection.verdicts import Disposition, Signal


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Turn each hit into what the policy's ladder says of its class and severity.

    A cry for help is never punished: where the text speaks of the sender's own distress, only severe hits of other
    classes still count. A deliberate choice to post after a nudge (requirement D1) lowers a nudge to a mere signal.
    """
    crying_for_help = any(hit.harm is Harm.DISTRESS for hit in scan.hits)
    for hit in scan.hits:
        if crying_for_help and hit.harm is not Harm.DISTRESS and hit.severity < Severity.SEVERE:
            continue
        disposition = policy.disposition_of(hit.harm, hit.severity)
        if disposition is Disposition.NUDGE and event.insisted:
            disposition = Disposition.ALLOW
        yield Signal("text", hit.harm.value, disposition)
