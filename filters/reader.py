"""The reader: the whole text verdict, terms and private data (`filters.scanner`) and the content model together."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Self

import msgspec

from filters.classes import Harm
from filters.hits import Hit, Scan, Severity
from filters.model.scoring import Model, chance
from filters.scanner import Scanner

VIEW = "model"
"""The view of hits that the model found."""


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which logits on a text is flagged (a mild hit), and refused (a serious one)."""

    flag: float
    refuse: float


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The two operating points, and those of single classes where they differ."""

    usual: Threshold
    distress: float
    """From which logit on a text is a cry for help."""
    classes: dict[Harm, Threshold] = {}

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """Those in the package, chosen by `filters.model.choose`."""
        content = (resources.files("filters.model") / "thresholds.toml").read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(content), cls)

    def of(self, harm: Harm) -> Threshold:
        """Of one class."""
        return self.classes.get(harm, self.usual)

    @property
    def least(self) -> float:
        """The lowest logit at which something may be flagged."""
        return min(self.usual.flag, *(one.flag for one in self.classes.values()), 99.0)


class Reader:
    """Reads texts. Owns the model's scratch: one for each thread."""

    def __init__(self, scanner: Scanner, model: Model, thresholds: Thresholds) -> None:
        self._scanner = scanner
        self._model = model
        self._thresholds = thresholds

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """With the shipped terms, model and thresholds."""
        return cls(Scanner.shipped(), Model.shipped(), Thresholds.shipped())

    def warm_up(self) -> None:
        """Touch all that a reading may touch."""
        self._scanner.warm_up()
        self._model.judge("")
        self._model.classes("")

    def scan(self, text: str) -> Scan:
        """Everything that is found in a text. Its score is the chance that the terms or the model are right.

        The model's hits come last: at most one of abuse, over the clause that it rates highest, and at most one cry for
        help, over the whole text.
        """
        scan = self._scanner.scan(text)
        judgement = self._model.judge(text, scan.score)
        together = 1.0 - (1.0 - chance(judgement.hostile)) * (1.0 - scan.score / 2)
        hits = scan.hits
        if judgement.hostile >= self._thresholds.least and (hit := self._abuse(text, judgement.hostile)):
            hits += (hit,)
        if judgement.distress >= self._thresholds.distress and all(hit.harm is not Harm.DISTRESS for hit in scan.hits):
            hits += (Hit(Harm.DISTRESS, 0, len(text), Severity.MILD, VIEW, text[:_QUOTED]),)
        return Scan(hits, round(together, 6))

    def _abuse(self, text: str, logit: float) -> Hit | None:
        """The likeliest class of those that the logit is enough for."""
        for harm, _ in self._model.classes(text):
            threshold = self._thresholds.of(harm)
            if logit >= threshold.flag:
                start, end = self._model.strongest(text)
                severity = Severity.SERIOUS if logit >= threshold.refuse else Severity.MILD
                return Hit(harm, start, end, severity, VIEW, text[start:end][:_QUOTED])
        return None


_QUOTED = 40
"""Code points of the clause that a hit tells as its reason."""
