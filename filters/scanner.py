"""The scanner: a compiled lexicon that finds its terms in texts, and private data beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice

import msgspec
import numpy as np

from filters import automaton, kernel, private, survey
from filters.artifact import Arrays, Artifact, Records
from filters.classes import Harm
from filters.folding import Folding
from filters.guards import standing
from filters.hits import CLEAN, Hit, Scan, Severity
from filters.lexicon import Lexicon, LexiconError, Term
from filters.overlap import Match, conflicts, longest
from filters.reading import Pattern, start_of

HOSTILITY = {Severity.MILD: 0.3, Severity.SERIOUS: 0.7, Severity.SEVERE: 0.9}
"""What one hit adds to the score: the chance that its text is hostile, until a model says it better."""

_WARMING = 4096
"""With how many entries a scanner is warmed up."""

_NO_ROOM = np.empty((0, 2), dtype=np.int32)

Entry = tuple[Pattern, Term | None]
"""What the automaton finds under one number: a term, or (None) a harmless phrase."""


class Scanner:
    """Finds a lexicon's terms in texts. Immutable: one scanner serves all threads of a process.

    A match wholly inside a longer match is not reported: the longer one is the better reading, be it a harmless phrase
    (路口交通) or a more exact term (我不想活了).
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._folding = Folding.shipped()
        entries: dict[str, Entry] = {}
        for term in lexicon.terms:
            pattern = Pattern.of(term.text, self._folding)
            entries[pattern.letters] = pattern, term
            for phrase in term.allow:
                harmless = Pattern.of(phrase, self._folding)
                entries[harmless.letters] = harmless, None
        self._patterns: Sequence[Entry] = tuple(entries.values())
        self._words = automaton.build(list(entries), self._folding)
        self._prepare()

    def _prepare(self) -> None:
        """What does not come from a lexicon."""
        self._search = kernel.compiled()
        self._survey = survey.compiled()
        self.survey_data = survey.data_of(self._words)
        """What `filters.survey` reads: for a kernel that looks at many texts in one call."""

    @classmethod
    def compile(cls, lexicon: Lexicon) -> Scanner:
        """The scanner of a lexicon. Raises ``LexiconError`` where one of its entries would undo another."""
        scanner = cls(lexicon)
        for conflict in scanner.conflicts(lexicon):
            raise conflict
        return scanner

    def conflicts(self, lexicon: Lexicon) -> Iterator[LexiconError]:
        """Every entry of this scanner's lexicon that would undo another: `filters.overlap` says which do."""
        return conflicts(lexicon, self._matches)

    def to_artifact(self) -> Arrays:
        """All that compiling made, for `filters.artifact.write`."""
        return {"raw.words": self._words, **Records.of(Entry, self._patterns).arrays("raw.patterns")}

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Scanner:
        """The scanner whose arrays these are; they stay where they are, in the map. Raises ``ArtifactError``."""
        scanner = cls.__new__(cls)
        scanner._folding = Folding.shipped()
        scanner._patterns = Records.read(Entry, "raw.patterns", artifact)
        scanner._words = artifact.array("raw.words")
        scanner._prepare()
        return scanner

    @classmethod
    @cache
    def shipped(cls) -> Scanner:
        """The scanner of the shipped lexicon, compiled at the first call of a process."""
        return cls.compile(Lexicon.shipped())

    def warm_up(self) -> None:
        """Touch all that a scan may touch, so that the first text costs what the thousandth does.

        Of a long list the first terms do: what a mapped file holds was read when it was checked.
        """
        private.find("1")
        for _, term in islice(self._patterns, _WARMING):
            if term is not None:
                self.scan(term.text)

    def scan(self, text: str) -> Scan:
        """Everything that is found in a text: terms, and private data.

        Any ``str``, lone surrogates too. Time is linear in its length.
        """
        if not self._survey(*self.survey_data, _utf8(text), survey.NOTHING):
            return CLEAN
        terms = self.scan_terms(text)
        found = private.find(text)
        if not found:
            return terms
        hits = tuple(sorted([*terms.hits, *found], key=lambda hit: (hit.start, -hit.end)))
        return Scan(hits, score(hits))

    def scan_terms(self, text: str) -> Scan:
        """The terms alone."""
        hits = tuple(self._hits(text))
        return Scan(hits, score(hits)) if hits else CLEAN

    def _hits(self, text: str) -> Iterator[Hit]:
        """The terms that stand in their context, by place."""
        for start, end, term in longest(self._matches(text)):
            if term is not None:
                hit = Hit(term.harm, start, end, term.severity, "raw", term.text)
                severity = standing(text, hit, term.guards)
                if severity is not None:
                    yield hit if severity is hit.severity else msgspec.structs.replace(hit, severity=severity)

    def _matches(self, text: str) -> list[Match]:
        """The candidates that the rules of ``filters.reading`` accept, also those inside longer ones."""
        utf8 = _utf8(text)
        count = self._search(self._words, utf8, _NO_ROOM)
        if not count:
            return []
        found = np.empty((count, 2), dtype=np.int32)
        self._search(self._words, utf8, found)
        folded = self._folding.fold(text)
        matches = []
        for number, end in found.tolist():
            pattern, term = self._patterns[number]
            start = start_of(pattern, folded, end)
            if start is not None:
                matches.append((start, end, term))
        return matches


def score(hits: Sequence[Hit]) -> float:
    """How hostile a text with these hits is, 0 to 1: the chance that at least one of them is meant. Distress is not."""
    none_meant = math.prod(1.0 - HOSTILITY[hit.severity] for hit in hits if hit.harm is not Harm.DISTRESS)
    return round(1.0 - none_meant, 6)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # lone surrogates: three bytes each, and in no pattern
        return text.encode("utf-8", "surrogatepass")
