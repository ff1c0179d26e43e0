"""What became of replayed messages: pure counting. No text enters here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec


class Fate(StrEnum):
    """What became of one message, as its sender and an observer saw it."""

    PASSED = "passed"
    """The observer got the sender's own words."""
    MASKED = "masked"
    """The observer got other words than were sent."""
    NUDGED = "nudged"
    """It came back with a reminder, and was not insisted on."""
    REFUSED = "refused"
    LOST = "lost"
    """Nobody said anything about it in time, or the connection broke. Always a fault."""


class Outcome(msgspec.Struct, frozen=True):
    """One message's label, its fate, how long the fate took (seconds), and the reason of a refusal or nudge."""

    label: str
    fate: Fate
    took: float
    reason: str = ""


class Line(msgspec.Struct, frozen=True):
    """The counts of one label."""

    label: str
    rows: int
    fates: dict[Fate, int]


class ReplaySummary(msgspec.Struct, frozen=True):
    """A replay in figures. Latencies are in milliseconds from sending a message to knowing its fate.

    ``lines`` has one line per label, in order of label, and one over all ("all") at the end.
    """

    rows: int
    seconds: float
    per_second: float
    p50_ms: float
    p99_ms: float
    lines: tuple[Line, ...]
    reasons: dict[str, int]

    @property
    def lost(self) -> int:
        """Messages without a fate."""
        return self.lines[-1].fates[Fate.LOST]

    def table(self) -> str:
        """The summary for people."""
        width = max(5, *(len(line.label) for line in self.lines))
        heading = f"{'label':<{width}}{'rows':>9}" + "".join(f"{fate.value:>9}" for fate in Fate)
        body = [
            f"{line.label:<{width}}{line.rows:>9,}" + "".join(f"{line.fates[fate]:>9,}" for fate in Fate)
            for line in self.lines
        ]
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.reasons.items()) or "none"
        return "\n".join(
            [
                heading,
                *body,
                f"refused or nudged for: {reasons}",
                f"{self.rows:,} messages in {self.seconds:.1f} s, {self.per_second:,.0f} a second;"
                f" fate known after {self.p50_ms:.1f} ms (p50), {self.p99_ms:.1f} ms (p99)",
            ]
        )


def summarise(outcomes: Sequence[Outcome], seconds: float) -> ReplaySummary:
    """Count outcomes that took ``seconds`` altogether."""
    by_label: dict[str, Counter[Fate]] = {}
    for outcome in outcomes:
        by_label.setdefault(outcome.label, Counter())[outcome.fate] += 1
    lines = [_line(label, by_label[label]) for label in sorted(by_label)]
    lines.append(_line("all", sum(by_label.values(), Counter())))
    known = sorted(outcome.took * 1000 for outcome in outcomes if outcome.fate is not Fate.LOST)
    return ReplaySummary(
        rows=len(outcomes),
        seconds=seconds,
        per_second=len(outcomes) / seconds if seconds else 0.0,
        p50_ms=percentile(known, 0.50),
        p99_ms=percentile(known, 0.99),
        lines=tuple(lines),
        reasons=dict(Counter(_reasons(outcomes)).most_common()),
    )


def _line(label: str, counts: Counter[Fate]) -> Line:
    return Line(label, counts.total(), {fate: counts[fate] for fate in Fate})


def _reasons(outcomes: Iterable[Outcome]) -> Iterable[str]:
    return (outcome.reason for outcome in outcomes if outcome.fate in (Fate.REFUSED, Fate.NUDGED))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of ascending values; 0 of none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
