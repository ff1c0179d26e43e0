"""The compiled search: one pass over UTF-8 that decodes, folds and matches at once.

It reads an automaton (``filters.automaton`` explains the layout) and a text, both flat arrays, and knows nothing of
terms. Compiled in memory when first asked for, in each process: a compile takes a second or two, while numba's cache on
disk is written to by several workers at once and is known to be torn by it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import int32, int64, njit, types
from numpy.typing import NDArray

from filters.automaton import BASE, CHECK, FAIL, HEADER, NEXT, OUTPUT, PATTERN, SKIP, UNIT, UNITS
from filters.utf8 import TRUNCATED, decode

Search = Callable[[NDArray[np.int32], bytes, NDArray[np.int32]], int]

_WORDS = types.Array(int32, 1, "C", readonly=True)
_FOUND = types.Array(int32, 2, "C")
_SIGNATURE = int64(_WORDS, types.Bytes(types.uint8, 1, "C"), _FOUND)


@cache
def compiled() -> Search:
    """The search as machine code: ``search(words, utf8, found) -> count``.

    ``words`` is what ``automaton.build`` returns, ``utf8`` the text, ``found`` an int32 array [n, 2] into
    which the first n candidates are written: the pattern's number and the code point offset at which it ends. The
    count is that of all candidates; with n = 0 they are only counted, which is all that a clean text needs.

    What is returned is the signature's own entry point: numba's dispatcher would cost more than the search. It trusts
    its callers to pass these very types.
    """
    overloads: dict[Any, Any] = njit(_SIGNATURE)(_search).overloads
    entry_point: Search = next(iter(overloads.values())).entry_point
    return entry_point


def _search(words, utf8, found):  # type: ignore[no-untyped-def]  # numba types it by the signature above
    units = words[UNITS]
    end = len(utf8)
    room = len(found)
    count = 0
    state = 0
    i = 0
    point = 0
    while i < end:
        code, i = decode(utf8, i, end)
        if code == TRUNCATED:
            break
        point += 1

        # Fold.
        symbol = int64(words[int64(words[HEADER + (code >> 8)]) + (code & 0xFF)])
        if symbol == SKIP:
            continue
        if symbol == 0:
            state = 0
            continue

        # Step: fall back to ever shorter suffixes until one can be continued.
        while True:
            unit = units + UNIT * state
            after = int64(words[unit + BASE]) + symbol
            if int64(words[units + UNIT * after + CHECK]) == state:
                state = after
                break
            if state == 0:
                break
            state = int64(words[unit + FAIL])

        # Report all patterns that end here.
        output = int64(words[units + UNIT * state + OUTPUT])
        while output != 0:
            if count < room:
                found[count, 0] = words[output + PATTERN]
                found[count, 1] = point
            count += 1
            output = int64(words[output + NEXT])
    return count
