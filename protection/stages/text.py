"""What do the words themselves lead to (requirements P4, S1, S5)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.classes import Harm
from filters.hits import MODEL, Hit, Scan, Severity
from protection.events import Event
from protection.policy import Policy
from protection.snapshot import Snapshot
from protection.verdicts import Disposition, Signal


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Turn each hit into what the policy's ladder says of its class and severity.

    A cry for help is never punished for its own words: what the content model takes for abuse does not count in it, nor
    do mild hits beside it, nor terms that overlap it. An insult beside it does, or a cry would be a free pass. A
    deliberate choice to post after a nudge (requirement D1) lowers a nudge to a mere signal.
    """
    cries = [hit for hit in scan.hits if hit.harm is Harm.DISTRESS]
    for hit in scan.hits:
        if hit.harm is not Harm.DISTRESS and any(_belongs_to(hit, cry, scan) for cry in cries):
            continue
        disposition = policy.disposition_of(hit.harm, hit.severity)
        if disposition is Disposition.NUDGE and event.insisted:
            disposition = Disposition.ALLOW
        yield Signal("text", hit.harm.value, disposition)


def _belongs_to(hit: Hit, cry: Hit, scan: Scan) -> bool:
    if hit.view == MODEL or hit.severity is Severity.MILD:
        return True
    if cry.view != MODEL:
        return hit.start < cry.end and cry.start < hit.end
    # The model's cry is a guess about the whole text. Words of dying stand in cries (a voice says "kill yourself") and
    # in calls to die: they are the cry's if that is likelier than not, and the model, which knows of the term, sees no
    # abuse.
    abusive = any(other.view == MODEL and other.harm is not Harm.DISTRESS for other in scan.hits)
    return hit.harm is Harm.SELF_HARM and cry.likely and not abusive
