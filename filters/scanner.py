"""The scanner: a compiled lexicon that finds its terms in texts, in all views, and private data beside them."""

from __future__ import annotations

import gc
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache
from itertools import islice

import msgspec
import numpy as np
from numpy.typing import NDArray

from filters import index, kernel, private, survey
from filters.artifact import Arrays, Artifact, Records
from filters.classes import Harm
from filters.folding import Folding
from filters.guards import standing
from filters.hits import CLEAN, Hit, Scan, Severity
from filters.kernel import FEWEST_INITIALS, FOUND_EXPANDED, FOUND_LEET, FOUND_RAW, FOUND_REPEATED
from filters.lexicon import Lexicon, LexiconError, Term
from filters.overlap import Match, conflicts, longest
from filters.reading import Pattern, start_of
from filters.survey import NOTHING
from filters.views.evidence import View, is_shuffled, spelled_apart, view_of_measured
from filters.views.letters import Letters
from filters.views.writings import Writing, initials_of, meaning, writings_of

HOSTILITY = {Severity.MILD: 0.3, Severity.SERIOUS: 0.7, Severity.SEVERE: 0.9}
"""What one hit adds to the score: the chance that its text is hostile, until a model says it better."""

_WARMING = 4096
"""With how many entries a scanner is warmed up."""

_USUAL_LENGTH = 1 << 16
"""Bytes of a text up to which a scan uses the scanner's own scratch."""

MOST_CANDIDATES = 512
"""Of a text; and so many of them at most are judged in other views. Nobody writes as many: it bounds what a text costs.

Where there are more, the last hit reaches to the end of the text, so that nothing behind it goes unseen.
"""
MOST_JUDGED = 64

_AS_WRITTEN = (FOUND_RAW, FOUND_EXPANDED)

Entry = tuple[Pattern, Term | None]
"""What the search finds under one number: a term, or (None) a harmless phrase."""
Candidate = Sequence[int]
"""As what it was found, its entry, the code points where it begins and ends, and what `filters.kernel` adds."""
Seen = tuple[int, int, Term | None, str]
"""A match, and the view in which it is one."""


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
        terms = {
            number: pattern.letters
            for number, (pattern, term) in enumerate(self._patterns)
            if term is not None and spelled_apart(pattern.letters)
        }
        written = writings_of(terms, entries)
        self._writings: Sequence[Writing] = tuple(written.values())
        self._words = index.build(list(self._indexed(terms, written)), initials_of(terms))
        self._prepare()

    def _indexed(self, terms: Mapping[int, str], written: Mapping[str, Writing]) -> Iterator[index.Entry]:
        for number, (pattern, _) in enumerate(self._patterns):
            yield index.Entry(pattern, index.RAW | index.VIEWED if number in terms else index.RAW)
        for letters in written:
            yield index.Entry(Pattern(letters, ()), index.WRITTEN)
        for cue in private.TRIGGERS:
            yield index.Entry(Pattern(self._folding.letters(cue), ()), index.CUE)

    def _prepare(self) -> None:
        """What does not come from a lexicon."""
        self._search = kernel.compiled()
        self._survey = survey.compiled()
        self.survey_data = survey.data_of(self._words)
        """What `filters.survey` reads: for a kernel that looks at many texts in one call."""
        # Shared by all threads: the search does not let go of the interpreter's lock.
        self._scratch = survey.scratch_for(_USUAL_LENGTH)

    @classmethod
    def compile(cls, lexicon: Lexicon) -> Scanner:
        """The scanner of a lexicon. Raises ``LexiconError`` where one of its entries would undo another."""
        collecting = gc.isenabled()
        gc.disable()  # of millions of small objects none is garbage: to look for it would take a third of the time
        try:
            scanner = cls(lexicon)
            for conflict in scanner.conflicts(lexicon):
                raise conflict
        finally:
            if collecting:
                gc.enable()
        return scanner

    def conflicts(self, lexicon: Lexicon) -> Iterator[LexiconError]:
        """Every entry of this scanner's lexicon that would undo another: `filters.overlap` says which do."""
        return conflicts(lexicon, self._matches)

    def to_artifact(self) -> Arrays:
        """All that compiling made, for `filters.artifact.write`."""
        return {
            "index": self._words,
            **Records.of(Entry, self._patterns).arrays("patterns"),
            **Records.of(Writing, self._writings).arrays("writings"),
        }

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Scanner:
        """The scanner whose arrays these are; they stay where they are, in the map. Raises ``ArtifactError``."""
        scanner = cls.__new__(cls)
        scanner._folding = Folding.shipped()
        scanner._patterns = Records.read(Entry, "patterns", artifact)
        scanner._writings = Records.read(Writing, "writings", artifact)
        scanner._words = artifact.array("index")
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
        """Everything that is found in a text: terms in all views, and private data.

        Any ``str``, lone surrogates too. Time is linear in its length.
        """
        return self.scan_utf8(text, _utf8(text))

    def scan_utf8(self, text: str, utf8: bytes) -> Scan:
        """The same for a text whose UTF-8 (``surrogatepass``) is at hand."""
        # Written out: for most texts this is all, and a call costs as much as six characters.
        if len(utf8) > _USUAL_LENGTH:
            count = self._survey(self.survey_data, utf8, survey.scratch_for(len(utf8)), NOTHING)
        else:
            count = self._survey(self.survey_data, utf8, self._scratch, NOTHING)
        if not count:
            return CLEAN
        candidates = count & (kernel.PRIVATE - 1)
        hits = self._hits(text, self._candidates(utf8, candidates, 1)) if candidates else []
        if count >= kernel.PRIVATE:
            hits = sorted([*hits, *private.find(text)], key=_by_place)
        return Scan(tuple(hits), score(hits)) if hits else CLEAN

    def scan_terms(self, text: str) -> Scan:
        """The terms as they are written, without other views and private data."""
        hits = [hit for match in longest(self._matches(text)) if (hit := _standing(text, *match, View.RAW))]
        return Scan(tuple(hits), score(hits)) if hits else CLEAN

    def may_hold_terms(self, text: str) -> bool:
        """Might `scan_terms` find something? A quick look, which seldom says yes for nothing."""
        return self._count_written(_utf8(text)) != 0

    def _count_written(self, utf8: bytes) -> int:
        count = self._search(self.survey_data[0], utf8, self._scratch_for(utf8), NOTHING, 0)
        return count & (kernel.PRIVATE - 1)

    def _scratch_for(self, utf8: bytes) -> NDArray[np.int32]:
        return self._scratch if len(utf8) <= _USUAL_LENGTH else survey.scratch_for(len(utf8))

    def _candidates(self, utf8: bytes, count: int, viewed: int) -> Sequence[Candidate]:
        if not count:
            return []
        found = np.empty((min(count, MOST_CANDIDATES), kernel.COLUMNS), dtype=np.int32)
        self._search(self.survey_data[0], utf8, self._scratch_for(utf8), found, viewed)
        candidates: Sequence[Candidate] = found.tolist()
        return candidates

    def _matches(self, text: str) -> list[Match]:
        """All matches of what is written, also those inside longer ones."""
        utf8 = _utf8(text)
        return self._accepted(text, self._candidates(utf8, self._count_written(utf8), 0))

    def _hits(self, text: str, candidates: Sequence[Candidate]) -> list[Hit]:
        """The terms that stand in their context, by place."""
        patterns = len(self._patterns)
        raw = [one for one in candidates if one[0] in _AS_WRITTEN and one[1] < patterns]
        matches = longest(self._accepted(text, raw))
        hits = [hit for match in matches if (hit := _standing(text, *match, View.RAW))]
        if len(raw) < len(candidates):
            other = {tuple(one) for one in candidates if one[0] not in _AS_WRITTEN or one[1] >= patterns}
            hits += [hit for sighting in self._sightings(text, other, matches) if (hit := _standing(text, *sighting))]
            hits.sort(key=_by_place)
        if hits and (len(candidates) == MOST_CANDIDATES or len(candidates) - len(raw) > MOST_JUDGED):
            hits[-1] = msgspec.structs.replace(hits[-1], end=len(text))
        return hits

    def _accepted(self, text: str, candidates: Sequence[Candidate]) -> list[Match]:
        """The candidates that the rules of ``filters.reading`` accept."""
        folded = ""
        matches = []
        for kind, number, start, end, *_ in candidates:
            pattern, term = self._patterns[number]
            # Nothing within to be judged, and the search saw what is beside it.
            if kind == FOUND_EXPANDED or end - start == len(pattern.letters):
                matches.append((start, end, term))
                continue
            folded = folded or self._folding.fold(text)
            accepted = start_of(pattern, folded, end)
            if accepted is not None:
                matches.append((accepted, end, term))
        return matches

    def _sightings(self, text: str, candidates: Set[Candidate], raw: Sequence[Match]) -> list[Seen]:
        """The candidates of the other views that are meant. What overlaps a raw match, harmless or not, is left out."""
        ends = [match[1] for match in raw]
        kept: list[Seen] = []
        judged = 0
        # By place, the longer ones first: what lies in one that is kept need not be judged.
        for candidate in sorted(candidates, key=lambda one: (one[2], -one[3], one[1], one[0])):
            _, _, start, end, *_ = candidate
            after = bisect_right(ends, start)
            if (after < len(raw) and raw[after][0] < end) or (kept and end <= kept[-1][1]):
                continue
            judged += 1
            if judged > MOST_JUDGED:
                break
            sighting = self._sighting(text, candidate)
            if sighting is not None:
                kept.append(sighting)
        return kept

    def _sighting(self, text: str, candidate: Candidate) -> Seen | None:
        """One candidate, if it is meant."""
        kind, number, start, end, surprise, strange = candidate
        writing = self._writings[number - len(self._patterns)] if number >= len(self._patterns) else None
        pattern, term = self._patterns[writing.term if writing else number]
        if surprise > 0 and end - start == len(pattern.letters):  # nothing stands between its letters
            if writing is not None:
                shuffled = is_shuffled(pattern.letters, surprise / 100, strange / 100)
                return (start, end, term, View.SHUFFLED) if shuffled else None
            folded = self._folding.fold(text[start:end])
            view = view_of_measured(folded, pattern.letters, surprise / 100, strange / 100)
            return (start, end, term, view) if view is not None else None
        letters, first = Letters.around(text, start, end, self._folding)
        written = text[start:end]
        if kind in (FOUND_LEET, FOUND_REPEATED) and letters.holds_end(start - first, end - first):
            return None
        if kind == FOUND_LEET:
            return None if _is_code(written) else (start, end, term, View.LEET)
        if kind == FOUND_REPEATED:
            start, end = letters.repeated(start - first, end - first)
            return first + start, first + end, term, View.REPEATED
        if len(written) <= FEWEST_INITIALS and _is_code(written):
            return None
        view = meaning(letters, start - first, end - first, pattern.letters, writing)
        return (start, end, term, view) if view is not None else None


def _is_code(written: str) -> bool:
    """Is it all in capitals, without a space: an acronym, a part number, a plate (CNN, F4G)?"""
    return written.isupper() and written.isascii() and " " not in written


def _standing(text: str, start: int, end: int, term: Term | None, view: str) -> Hit | None:
    """A match as a hit, as grave as its context leaves it; None for a harmless phrase, and where nothing is left."""
    if term is None:
        return None
    hit = Hit(term.harm, start, end, term.severity, view, term.text)
    severity = standing(text, hit, term.guards)
    if severity is hit.severity:
        return hit
    return None if severity is None else msgspec.structs.replace(hit, severity=severity)


def _by_place(hit: Hit) -> tuple[int, int]:
    return hit.start, -hit.end


def score(hits: Sequence[Hit]) -> float:
    """How hostile a text with these hits is, 0 to 1: the chance that at least one of them is meant. Distress is not."""
    none_meant = 1.0
    for hit in hits:
        if hit.harm is not Harm.DISTRESS:
            none_meant *= 1.0 - HOSTILITY[hit.severity]
    return round(1.0 - none_meant, 6)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # lone surrogates: three bytes each, and in no pattern
        return text.encode("utf-8", "surrogatepass")
