"""Does a verdict depend on which group a sentence speaks of? Each sentence of `filters.swaps`, with every name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
import numpy as np

from filters import swaps
from filters.swaps import Frame
from gateway.evaluate.judging import judge
from protection.verdicts import Disposition


class Said(msgspec.Struct, frozen=True):
    """One sentence about one group (or about the plain word): how hostile, and what comes of it."""

    text: str
    word: str
    score: float
    disposition: Disposition


class Compared(msgspec.Struct, frozen=True):
    """One sentence with the plain word, and with every name."""

    frame: Frame
    plain: Said
    named: tuple[Said, ...]

    @property
    def spread(self) -> float:
        """How far apart the names are."""
        return max(one.score for one in self.named) - min(one.score for one in self.named)

    def crossing(self, least: Disposition) -> list[Said]:
        """The names by which a sentence gets where it would not get with the plain word."""
        if self.plain.disposition >= least:
            return []
        return [one for one in self.named if one.disposition >= least]


class GroupReport(msgspec.Struct):
    """The sentences of one language that tell people apart by one thing."""

    language: str
    group: str
    sentences: int
    """Sentences times names."""
    spread_mean: float
    spread_max: float
    """Of the score between the names in the same sentence: over the sentences."""
    raised: float
    """By how much a name raises the score above that of the plain word, on average."""
    crossing_flag: int
    crossing_refuse: int
    """How many are flagged, or refused, that would not be with the plain word."""
    flagged: dict[str, int]
    """How many are flagged, with a name or not, by their tone."""
    words: dict[str, float]
    """By how much each name's score differs from the mean of the names in the same sentence, on average."""


class Crossing(msgspec.Struct):
    """A sentence that a name alone has flagged or refused."""

    group: str
    tone: str
    text: str
    disposition: str
    score: float
    plain: float
    """The score with the plain word."""


class Report(msgspec.Struct):
    """What `eval --swaps --json` prints."""

    sentences: int
    groups: list[GroupReport]
    crossings: list[Crossing]
    flagged_anyway: list[str]
    """Sentences that are flagged with the plain word already: false alarms, whoever they speak of."""


def compare() -> list[Compared]:
    """Judge every sentence with every name."""
    frames = list(swaps.frames())
    texts = [frame.with_word(word) for frame in frames for word in (frame.plain, *frame.words)]
    verdicts = iter(judge(texts).verdicts)
    found = []
    for frame in frames:
        said = [
            Said(frame.with_word(word), word, verdict.score, verdict.disposition)
            for word, verdict in zip((frame.plain, *frame.words), verdicts, strict=False)
        ]
        found.append(Compared(frame, said[0], tuple(said[1:])))
    return found


def evaluate() -> Report:
    """Judge every sentence, and compare within each."""
    compared = compare()
    by_group = [list(some) for _, some in groupby(compared, lambda one: (one.frame.language, one.frame.group))]
    groups = [_of_group(some) for some in by_group]
    return Report(
        sentences=sum(one.sentences for one in groups),
        groups=groups,
        crossings=[found for one in compared for found in _crossings(one)],
        flagged_anyway=[one.plain.text for one in compared if one.plain.disposition >= Disposition.NUDGE],
    )


def _of_group(some: Sequence[Compared]) -> GroupReport:
    frame = some[0].frame
    scores = np.array([[said.score for said in one.named] for one in some])
    plain = np.array([one.plain.score for one in some])
    spreads = [one.spread for one in some]
    shifts = (scores - scores.mean(axis=1, keepdims=True)).mean(axis=0)
    flagged: Counter[str] = Counter({one.frame.tone: 0 for one in some})
    for one in some:
        flagged[one.frame.tone] += sum(said.disposition >= Disposition.NUDGE for said in one.named)
    return GroupReport(
        language=frame.language,
        group=frame.group,
        sentences=scores.size,
        spread_mean=round(float(np.mean(spreads)), 4),
        spread_max=round(max(spreads), 4),
        raised=round(float((scores - plain[:, None]).mean()), 4),
        crossing_flag=sum(len(one.crossing(Disposition.NUDGE)) for one in some),
        crossing_refuse=sum(len(one.crossing(Disposition.MASK)) for one in some),
        flagged=dict(flagged),
        words={word: round(float(shift), 4) for word, shift in zip(frame.words, shifts, strict=True)},
    )


def _crossings(one: Compared) -> Iterator[Crossing]:
    group = f"{one.frame.language} {one.frame.group}"
    for said in one.crossing(Disposition.NUDGE):
        yield Crossing(
            group,
            one.frame.tone,
            said.text,
            said.disposition.name.lower(),
            round(said.score, 4),
            round(one.plain.score, 4),
        )


def table(report: Report) -> str:
    """The report, to be read."""
    lines = [f"{report.sentences:,} sentences; scores from 0 to 1", ""]
    lines.append(f"{'group':16}{'spread: mean':>13}{'max':>7}{'raised':>8}{'flagged by it':>15}{'refused':>9}  words")
    for one in report.groups:
        extremes = sorted(one.words, key=lambda word: one.words[word])
        words = ", ".join(f"{word} {one.words[word]:+.2f}" for word in (extremes[0], extremes[-1]))
        lines.append(
            f"{one.language + ' ' + one.group:16}{one.spread_mean:>13.3f}{one.spread_max:>7.3f}{one.raised:>+8.3f}"
            f"{one.crossing_flag:>15}{one.crossing_refuse:>9}  {words}"
        )
    if report.crossings:
        lines += ["", "flagged or refused for the name alone:"]
        lines += [
            f"  {one.disposition} {one.score:.2f} (plain: {one.plain:.2f}) {one.group}, {one.tone}: {one.text}"
            for one in report.crossings
        ]
    if report.flagged_anyway:
        lines += ["", "flagged with the plain word already:", *(f"  {text}" for text in report.flagged_anyway)]
    return "\n".join(lines)
