"""Reasons: which n-grams of a text a rating hangs on, found by leaving them out (occlusion).

What a hashed gram adds up to depends on all others (their number divides it, and the combination is no sum), so the
model is asked: by how much does the rating fall without these letters?
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

MOST_CHARACTERS = 160
MOST_UNITS = 64
"""So many code points and units of a text are looked at: it bounds what an explanation costs, a millisecond or two."""
LONGEST_GRAM = 4
"""Units of a gram."""
MOST_GRAMS = 3
LEAST = 0.1
"""A gram that weighs less is no reason."""

_UNIT = re.compile(r"[a-zA-Z0-9'’]+|[^\W_]|[^\w\s]")
"""A word of Latin letters, or one character of any other script, or one sign."""
_FOR_EACH_UNIT = 0.05
"""What a gram must weigh more to be preferred to one that is shorter by a unit."""


class Gram(msgspec.Struct, frozen=True):
    """A run of units of a text, and by how much its rating falls without it."""

    text: str
    weight: float


def strongest(text: str, rate: Callable[[str], float]) -> list[Gram]:
    """The grams without which the rating of a text falls most, the strongest first; none touches another."""
    text = text[:MOST_CHARACTERS]
    units = [found.span() for found in _UNIT.finditer(text)][:MOST_UNITS]
    whole = rate(text)

    def fall(start: int, end: int) -> float:
        return whole - rate(f"{text[:start]} {text[end:]}")

    found = []
    for first in range(len(units)):
        for last in range(first, min(first + LONGEST_GRAM, len(units))):
            start, end = units[first][0], units[last][1]
            weight = fall(start, end)
            if weight >= LEAST:
                found.append((_FOR_EACH_UNIT * (last - first) - weight, start, end))
    chosen: list[tuple[int, int]] = []
    for _, start, end in sorted(found):
        if len(chosen) < MOST_GRAMS and all(end <= other[0] or other[1] <= start for other in chosen):
            chosen.append((start, end))
    grams = [Gram(text[start:end], round(fall(start, end), 2)) for start, end in _joined(chosen)]
    return sorted(grams, key=lambda gram: -gram.weight)


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans by place, those that touch made one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined
