"""The naive views: every term at every stretch of a text, by the readings alone, without an index and a search."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from filters.folding import BREAK, Folding
from filters.views.evidence import View, shuffles, spelled_apart
from filters.views.letters import LONGEST_SYLLABLE, Letters
from filters.views.words import Words
from filters.views.writings import Writing, meaning


class Sighting(msgspec.Struct, frozen=True):
    """A term in a view: code point offsets, half-open."""

    start: int
    end: int
    term: str
    view: View


def sightings(terms: list[str], text: str) -> Iterator[Sighting]:
    """Every sighting of terms (folded letters) in a text, overlapping ones too."""
    letters = Letters.of(text, Folding.shipped())
    for term in filter(spelled_apart, terms):
        for start, end in _stretches(letters, LONGEST_SYLLABLE * len(term)):
            stretch = letters.chars[start:end]
            first, last = letters.places[start], letters.places[end - 1] + 1
            view = meaning(letters, first, last, term) if stretch != term else None
            if view is not None:
                yield Sighting(first, last, term, view)
            if stretch in shuffles(term) and stretch not in Words.shipped().chinese:
                view = meaning(letters, first, last, term, Writing(0))
                if view is not None:
                    yield Sighting(first, last, term, view)


def _stretches(letters: Letters, longest: int) -> Iterator[tuple[int, int]]:
    """All stretches of up to so many letters within a clause: first letter, and one behind the last."""
    for start in range(len(letters.chars)):
        for end in range(start + 1, min(start + longest, len(letters.chars)) + 1):
            if letters.chars[end - 1] == BREAK:
                break
            yield start, end
