"""The first look at a text: one compiled call, and one number that says whether there is more to do.

Nearly all texts hold no term and no private data. For those this call is all that `Scanner.scan` costs, and all that
the whole-read kernel of the gateway asks: the search in all views, and the gate to private data where it sees a cause.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import int32, int64, types, uint8
from numpy.typing import NDArray

from filters import kernel, machine_code
from filters.kernel import PRIVATE, Tables
from filters.machine_code import called
from filters.private import gate
from filters.private.symbols import class_table
from filters.rows import STACK
from filters.views import spelling, words

Data = tuple[Tables, NDArray[np.uint8], NDArray[np.int64]]
"""What a survey reads: the tables of the search, and the two of the gate to private data."""
Survey = Callable[[Data, bytes, NDArray[np.int32], NDArray[np.int32]], int]

NOTHING = np.empty((0, kernel.COLUMNS), dtype=np.int32)
"""Room for no candidate: they are only counted."""

DATA = types.Tuple(  # type: ignore[no-untyped-call]
    (kernel.TABLES, types.Array(uint8, 1, "C", readonly=True), types.Array(int64, 2, "C", readonly=True))
)
_TABLE = types.Array(int32, 2, "C")

_search = called(kernel.search)
_private_bits = called(gate._gate)


@cache
def compiled() -> Survey:
    """The survey as machine code: ``survey(data_of(words), utf8, scratch, NOTHING) -> int``.

    0: the text holds no candidate of a term, and nothing that could be private data; else what the search counts, with
    PRIVATE in it if the gate is open. It trusts its callers to pass these very types; ``scratch`` is what `scratch_for`
    gives for a text of this length, or more.
    """
    signature = int64(DATA, types.Bytes(uint8, 1, "C"), _TABLE, _TABLE)
    return machine_code.entry_point(look, signature)


def data_of(index: NDArray[np.int32]) -> Data:
    """What a survey with this index reads."""
    tables = index, words.hashed(), words.bigrams(), spelling.table()
    return tables, class_table(), gate.token_table()


def scratch_for(size: int) -> NDArray[np.int32]:
    """Room to work in for texts of up to so many bytes: int32 [rows, 4]."""
    return np.empty((STACK + size + 4, 4), dtype=np.int32)


def look(data, utf8, scratch, nothing):  # type: ignore[no-untyped-def]  # numba types it by the signature
    """What `compiled` returns, for other kernels."""
    tables, classes, tokens = data
    count = _search(tables, utf8, scratch, nothing, int64(1))
    if count >= PRIVATE and _private_bits(classes, tokens, utf8) == 0:
        count -= PRIVATE
    return count
