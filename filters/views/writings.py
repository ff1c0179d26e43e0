"""Writings: what stands for a term letter by letter, and is indexed as it is written: its reverse, its initials."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Mapping

import msgspec

from filters.index import LONGEST_INITIALS
from filters.views.evidence import View, initials, refusal, shuffles, surprising, view_of
from filters.views.letters import Letters
from filters.views.words import Words


class Writing(msgspec.Struct, frozen=True):
    """An entry of the index that is another way to write a term, which is named by its number."""

    term: int


def writings_of(terms: Mapping[int, str], known: Container[str]) -> dict[str, Writing]:
    """The terms in another order, where that is no word and no entry itself; all of them are `spelled_apart`."""
    words = Words.shipped().chinese
    written: dict[str, Writing] = {}
    for number, term in terms.items():
        for shuffled in shuffles(term):
            if shuffled not in known and shuffled not in words:
                written.setdefault(shuffled, Writing(number))
    return written


def initials_of(terms: Mapping[int, str]) -> dict[str, int]:
    """The runs of Latin letters that are the initials of terms."""
    runs: dict[str, int] = {}
    for number, term in terms.items():
        if len(term) <= LONGEST_INITIALS and refusal(term, View.INITIALS) is None:
            runs.setdefault(initials(term), number)
    return runs


def meaning(letters: Letters, start: int, end: int, term: str, writing: Writing | None = None) -> View | None:
    """The view in which a term is meant between two code points, given as ``writing`` or not; None if it is not."""
    first, last = bisect_left(letters.places, start), bisect_left(letters.places, end)
    if letters.holds_end(start, end):
        return None
    if writing is not None:
        return View.SHUFFLED if surprising(letters, first, last, term, View.SHUFFLED, 1) else None
    return view_of(letters, first, last, term)
