"""The scanner: a compiled lexicon that finds its terms in texts."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from filters import automaton, kernel
from filters.classes import Harm
from filters.folding import Folding
from filters.hits import CLEAN, Hit, Scan, Severity
from filters.lexicon import Lexicon, LexiconError, Term
from filters.reading import Pattern, start_of

HOSTILITY = {Severity.MILD: 0.3, Severity.SERIOUS: 0.7, Severity.SEVERE: 0.9}
"""What one hit adds to the score: the chance that its text is hostile, until a model says it better."""

_NO_ROOM = np.empty((0, 2), dtype=np.int32)

Match = tuple[int, int, Term | None]
"""A verified match: start, end (code points, half-open), and its term; None for a harmless phrase."""


class Scanner:
    """Finds a lexicon's terms in texts. Immutable: one scanner serves all threads of a process.

    A match wholly inside a longer match is not reported: the longer one is the better reading, be it a harmless phrase
    (路口交通) or a more exact term (我不想活了).
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._folding = Folding.shipped()
        entries: dict[str, tuple[Pattern, Term | None]] = {}
        for term in lexicon.terms:
            pattern = Pattern.of(term.text, self._folding)
            entries[pattern.letters] = pattern, term
            for phrase in term.allow:
                harmless = Pattern.of(phrase, self._folding)
                entries[harmless.letters] = harmless, None
        self._patterns = tuple(entries.values())
        self._words = automaton.build(list(entries), self._folding)
        self._search = kernel.compiled()

    @classmethod
    def compile(cls, lexicon: Lexicon) -> Scanner:
        """The scanner of a lexicon. Raises ``LexiconError`` where one of its entries would undo another."""
        scanner = cls(lexicon)
        for term in lexicon.terms:
            scanner._check(term)
        return scanner

    @classmethod
    @cache
    def shipped(cls) -> Scanner:
        """The scanner of the shipped lexicon, compiled at the first call of a process."""
        return cls.compile(Lexicon.shipped())

    def warm_up(self) -> None:
        """Touch all that a scan may touch, so that the first text costs what the thousandth does.

        The search is compiled when the first scanner of a process is made, not here.
        """
        for _, term in self._patterns:
            if term is not None:
                self.scan(term.text)

    def scan(self, text: str) -> Scan:
        """Find the terms in a text: any ``str``, lone surrogates too. Time is linear in its length."""
        utf8 = _utf8(text)
        count = self._search(self._words, utf8, _NO_ROOM)
        if not count:
            return CLEAN
        hits = tuple(
            Hit(term.harm, start, end, term.severity, "raw", term.text)
            for start, end, term in longest(self._matches(text, utf8, count))
            if term is not None
        )
        return Scan(hits, score(hits)) if hits else CLEAN

    def _matches(self, text: str, utf8: bytes, count: int) -> list[Match]:
        """The candidates that the rules of ``filters.reading`` accept."""
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

    def _terms_in(self, text: str) -> list[Term]:
        """All terms in a text, also those inside longer matches."""
        utf8 = _utf8(text)
        matches = self._matches(text, utf8, self._search(self._words, utf8, _NO_ROOM))
        return [term for _, _, term in matches if term is not None]

    def _check(self, term: Term) -> None:
        """Raise ``LexiconError`` if the term hides a graver one, or a phrase of it has nothing to allow."""
        for inner in self._terms_in(term.text):
            if inner.severity > term.severity and term.harm is not Harm.DISTRESS:
                reason = f'"{term.text}" hides the graver "{inner.text}" of {inner.file}:{inner.line}'
                raise LexiconError(term.file, term.line, reason)
        for phrase in term.allow:
            if term not in self._terms_in(phrase):
                reason = f'"{term.text}" never fires in "{phrase}": there is nothing to allow'
                raise LexiconError(term.file, term.line, reason)


def longest(matches: list[Match]) -> list[Match]:
    """The matches that lie in no longer one, ordered by place."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda match: (match[0], -match[1])):
        if not kept or match[1] > kept[-1][1]:
            kept.append(match)
    return kept


def score(hits: tuple[Hit, ...]) -> float:
    """How hostile a text with these hits is, 0 to 1: the chance that at least one of them is meant. Distress is not."""
    none_meant = math.prod(1.0 - HOSTILITY[hit.severity] for hit in hits if hit.harm is not Harm.DISTRESS)
    return round(1.0 - none_meant, 6)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # lone surrogates: three bytes each, and in no pattern
        return text.encode("utf-8", "surrogatepass")
