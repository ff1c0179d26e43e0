"""The one decision that both lanes, the control API and the command line share."""

from __future__ import annotations

from filters.classes import Harm
from filters.hits import Hit, Scan
from protection.events import Event
from protection.policy import Policy
from protection.snapshot import Snapshot
from protection.stages import blocklist, dm, person, rate, room, sanction, text
from protection.verdicts import Disposition, Signal, Verdict

STAGES = (sanction.check, room.check, person.check, dm.check, text.check, rate.check, blocklist.check)
"""In this order; of equally severe signals the first one gives the reason.

A person's own lists come last: who is refused for another reason, a rate among them, is not told of them as well,
so that nobody can try out words faster than they may speak.
"""

MASK_CHARACTER = "*"


def decide(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Verdict:
    """Judge one event: run every stage, keep every signal, let the most severe one win."""
    signals = tuple(signal for check in STAGES for signal in check(event, snapshot, scan, policy))
    support = any(hit.harm is Harm.DISTRESS for hit in scan.hits)
    winner = max(signals, key=_severity, default=None)  # max() keeps the first of equals
    if winner is None or winner.disposition is Disposition.ALLOW:
        return Verdict(score=scan.score, signals=signals, hits=scan.hits, support=support)
    # A hidden message is forwarded, and what it would be masked for must not reach the others.
    delivered = winner.disposition <= Disposition.HIDE
    to_mask = delivered and any(signal.disposition is Disposition.MASK for signal in signals)
    masked = mask(event.text, scan.hits, policy) if to_mask else ""
    return Verdict(
        disposition=winner.disposition,
        reason=winner.reason,
        retry_after=winner.retry_after,
        score=scan.score,
        signals=signals,
        hits=scan.hits,
        text=masked,
        support=support,
    )


def _severity(signal: Signal) -> Disposition:
    return signal.disposition


def mask(text: str, hits: tuple[Hit, ...], policy: Policy) -> str:
    """Replace, character by character, the spans of those hits that the policy wants masked."""
    characters = list(text)
    for hit in hits:
        if policy.disposition_of(hit.harm, hit.severity) is Disposition.MASK:
            characters[hit.start : hit.end] = MASK_CHARACTER * (hit.end - hit.start)
    return "".join(characters)
