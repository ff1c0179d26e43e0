"""The first look at a text: one compiled pass after the other, and one number that says whether there is more to do.

Nearly all texts hold no term and no private data. For those this call is all that `Scanner.scan` costs, and all that
the whole-read kernel of the gateway asks: the same search, the same gate.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import int32, int64, njit, types, uint8
from numpy.typing import NDArray

from filters import kernel
from filters.private import gate
from filters.private.symbols import class_table

Data = tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]
"""What a survey reads: the automaton's words, and the two tables of the gate to private data."""
Survey = Callable[[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64], bytes, NDArray[np.int32]], int]

NOTHING = np.empty((0, 2), dtype=np.int32)
"""Room for no candidate: they are only counted."""

_SIGNATURE = int64(
    types.Array(int32, 1, "C", readonly=True),
    types.Array(uint8, 1, "C", readonly=True),
    types.Array(int64, 2, "C", readonly=True),
    types.Bytes(uint8, 1, "C"),
    types.Array(int32, 2, "C"),
)

search = njit(kernel._search)
private_bits = njit(gate._gate)


@cache
def compiled() -> Survey:
    """The survey as machine code: ``survey(words, classes, tokens, utf8, NOTHING) -> int``.

    0: the text holds no candidate of a term, and nothing that could be private data. It trusts its callers to pass
    these very types (`Data`, the text in UTF-8, `NOTHING`).
    """
    overloads: dict[Any, Any] = njit(_SIGNATURE)(_survey).overloads
    entry_point: Survey = next(iter(overloads.values())).entry_point
    return entry_point


def data_of(words: NDArray[np.int32]) -> Data:
    """What a survey with this automaton reads."""
    return words, class_table(), gate.token_table()


def _survey(words, classes, tokens, utf8, nothing):  # type: ignore[no-untyped-def]  # numba types it by the signature
    return search(words, utf8, nothing) | private_bits(classes, tokens, utf8)
