"""Letters of a text as the views read them: what is skipped is gone, and each knows its place and its Latin run."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Self

import msgspec

from filters.folding import BREAK, FULL_STOP, GHOST, SKIPPED, SPACE, Folding

SURROUNDINGS = 32
"""Code points on either side of a stretch that evidence looks at, and twice as many to the end of a word."""
LONGEST_SYLLABLE = 6
"""Latin letters in ``zhuang``."""


def is_latin(char: str) -> bool:
    """Is the folded character one of a to z?"""
    return "a" <= char <= "z"


def is_hanzi(char: str) -> bool:
    """Is the character a Chinese one?"""
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0002fa1f"


class Letters(msgspec.Struct, frozen=True):
    """The folded letters of a text. All lists are as long as ``chars``, and their indices are those of letters."""

    chars: str
    places: Sequence[int]
    """Code point offset of each in the original."""
    runs: Sequence[int]
    """To which run each belongs: adjacent Latin letters are one, adjacent digits are one, all else is alone."""
    ends_sentence: Sequence[bool]
    """Does a full stop with a space after it stand before it?"""

    @classmethod
    def of(cls, text: str, folding: Folding) -> Self:
        """The letters of a text."""
        return cls.of_folded(folding.fold(text))

    @classmethod
    def around(cls, text: str, start: int, end: int, folding: Folding) -> tuple[Self, int]:
        """The letters around two code points of a text, as far as evidence looks; and where in the text they begin."""
        first, last = max(start - SURROUNDINGS, 0), min(end + SURROUNDINGS, len(text))
        # No word is cut, if it can be helped: what is longer than this is none.
        while first and start - first < 2 * SURROUNDINGS and text[first - 1].isalnum():
            first -= 1
        while last < len(text) and last - end < 2 * SURROUNDINGS and text[last].isalnum():
            last += 1
        return cls.of_folded(folding.fold(text[first:last])), first

    @classmethod
    def of_folded(cls, folded: str) -> Self:
        """The letters of a text that is folded already."""
        places: list[int] = []
        runs: list[int] = []
        ends: list[bool] = []
        previous, before, run = -1, 0, -1
        for place, char in enumerate(folded):
            if char in SKIPPED:
                continue
            kind = _kind(char)
            gap = folded[previous + 1 : place]
            run += not (kind and kind == before and not gap.strip(GHOST))
            places.append(place)
            runs.append(run)
            ends.append(len(gap) > 1 and FULL_STOP + SPACE in gap.replace(GHOST, ""))
            previous, before = place, kind
        return cls("".join(folded[place] for place in places), places, runs, ends)

    def run(self, index: int) -> tuple[int, int]:
        """The run in which a letter stands: first index, and one behind the last."""
        start, end = index, index + 1
        while start and self.runs[start - 1] == self.runs[index]:
            start -= 1
        while end < len(self.runs) and self.runs[end] == self.runs[index]:
            end += 1
        return start, end

    def holds_end(self, start: int, end: int) -> bool:
        """Does a sentence end between these code points?"""
        first, last = bisect_left(self.places, start), bisect_left(self.places, end)
        return any(self.ends_sentence[first + 1 : last])

    def repeated(self, start: int, end: int) -> tuple[int, int]:
        """The code points from ``start`` to ``end`` with all the same letters right before and after them."""
        first, last = bisect_left(self.places, start), bisect_left(self.places, end) - 1
        while first and self.chars[first - 1] == self.chars[first] and self.runs[first - 1] == self.runs[first]:
            first -= 1
        while (
            last + 1 < len(self.chars)
            and self.chars[last + 1] == self.chars[last]
            and self.runs[last + 1] == self.runs[last]
        ):
            last += 1
        return self.places[first], self.places[last] + 1

    def tokens(self, start: int, end: int) -> list[str]:
        """The letters from ``start`` to ``end``, those of a run together."""
        tokens: list[str] = []
        for index in range(start, end):
            if index > start and self.runs[index] == self.runs[index - 1]:
                tokens[-1] += self.chars[index]
            else:
                tokens.append(self.chars[index])
        return tokens

    def clause(self, start: int, end: int, reach: int) -> tuple[int, int]:
        """The letters from ``start`` to ``end`` with up to ``reach`` before and after, whole runs, in their clause."""
        first, last = start, end
        while first and start - first < reach and self.chars[first - 1] != BREAK:
            first -= 1
        while last < len(self.chars) and last - end < reach and self.chars[last] != BREAK:
            last += 1
        return first, last


def _kind(char: str) -> int:
    return 1 if is_latin(char) else 2 if "0" <= char <= "9" else 0
