"""The reader: the whole text verdict, terms and private data (`filters.scanner`) and the content model together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Self

import msgspec

from filters import reasons
from filters.classes import Harm
from filters.hits import MODEL, Hit, Scan, Severity
from filters.model.features import LONGEST
from filters.model.scoring import Model, chance
from filters.scanner import Scanner
from filters.thresholds import Threshold, Thresholds


class Reader:
    """Reads texts. Its model has scratch of its own: of the readers that share one, one thread may read at a time."""

    def __init__(self, scanner: Scanner, model: Model) -> None:
        self.scanner = scanner
        self.model = model

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """With the shipped terms and model."""
        return cls(Scanner.shipped(), Model.shipped())

    def with_scanner(self, scanner: Scanner) -> Reader:
        """The same model beside other terms. It costs nothing: the model stays where it is, warm."""
        return Reader(scanner, self.model)

    def warm_up(self) -> None:
        """Touch all that a reading may touch, so that the first text costs what the thousandth does."""
        self.scanner.warm_up()
        eager = Thresholds(Threshold(-99.0, -99.0), -99.0)
        for text in _WARMING:
            self.explained(text, self.scan(text, eager).hits)

    def scan(self, text: str, thresholds: Thresholds | None = None) -> Scan:
        """Everything that is found in a text; without ``thresholds``, by the shipped ones.

        The score is the chance that the model is right, or else the terms (it knows their score already: a quarter of
        it counts). The model's hits come last: at most one of abuse, over the clause that it rates highest, and at most
        one cry for help, over the whole text. One call of compiled code each, over the same UTF-8.
        """
        thresholds = thresholds or Thresholds.shipped()
        utf8 = text.encode("utf-8", "surrogatepass")
        scan = self.scanner.scan_utf8(text, utf8)
        judgement = self.model.judge_utf8(utf8, scan.score)
        together = 1.0 - (1.0 - chance(judgement.hostile)) * (1.0 - scan.score / 4)
        hits = scan.hits
        if judgement.hostile >= thresholds.least and (hit := self._abuse(text, judgement.hostile, thresholds)):
            hits += (hit,)
        if judgement.distress >= thresholds.distress and all(hit.harm is not Harm.DISTRESS for hit in scan.hits):
            likely = round(chance(judgement.distress), 4)
            hits += (Hit(Harm.DISTRESS, 0, len(text), Severity.MILD, MODEL, text[:_QUOTED], likely),)
        return Scan(hits, round(together, 6))

    def scan_terms(self, text: str) -> Scan:
        """The terms as they are written: what `filters.stitching` asks of a line."""
        return self.scanner.scan_terms(text)

    def may_hold_terms(self, text: str) -> bool:
        """Might `scan_terms` find something?"""
        return self.scanner.may_hold_terms(text)

    def explained(self, text: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
        """The hits of a text, with the strongest n-grams as the reason of those of the model.

        It asks the model some hundred times for each: not for the path of a message.
        """
        return tuple(self._explained(text, hits))

    def _explained(self, text: str, hits: tuple[Hit, ...]) -> Iterator[Hit]:
        for hit in hits:
            if hit.view != MODEL:
                yield hit
                continue
            rate = self._distress if hit.harm is Harm.DISTRESS else self._hostile
            grams = reasons.strongest(text[hit.start : hit.end], rate)
            why = ", ".join(f"{gram.text} {gram.weight:+.1f}" for gram in grams)
            yield msgspec.structs.replace(hit, why=f"{hit.chance:.2f}: {why}" if why else f"{hit.chance:.2f}")

    def _hostile(self, text: str) -> float:
        return self.model.judge(text).hostile

    def _distress(self, text: str) -> float:
        return self.model.judge(text).distress

    def _abuse(self, text: str, logit: float, thresholds: Thresholds) -> Hit | None:
        """The likeliest class of those that the logit is enough for."""
        for harm, _ in self.model.classes(text):
            threshold = thresholds.of(harm)
            if logit >= threshold.flag:
                start, end = self.model.strongest(text[:LONGEST])
                severity = Severity.SERIOUS if logit >= threshold.refuse else Severity.MILD
                return Hit(harm, start, end, severity, MODEL, text[start:end][:_QUOTED], round(chance(logit), 4))
        return None


_QUOTED = 40
"""Code points of the clause that a hit tells as its reason."""

_WARMING = (
    "滚出去，你这个废物",
    "你m死了 tā mā de",
    "nobody wants you here, idiot 🤡",
    "我真的撑不下去了",
    "",
    "\ud800",
)
"""Texts of all that the model reads apart: ideographs, letters, signs, nothing, and what is no text."""
