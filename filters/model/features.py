"""Features: what the model sees of a text, as bucket numbers of its grams and counts of its context."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import cast

import msgspec
import numpy as np
from numba import int32, int64, types, uint8, uint64
from numpy.typing import NDArray

from filters import machine_code
from filters.model import alphabet, rewriting
from filters.model.grams import MARKERS, bucket_of, letter_grams, read, sound_grams

LONGEST = 8192
"""Bytes of a text that are read: the rest of a longer one is not."""
MOST_GRAMS = 8 * (LONGEST + 8)
"""Buckets that one view of a text may fill."""

ALPHABET = types.Array(int32, 1, "C", readonly=True)
SPELLING = types.Array(int32, 2, "C", readonly=True)
MEANINGS = types.Array(int64, 2, "C", readonly=True)
GATE = types.Array(uint8, 1, "C", readonly=True)
TABLES = types.Tuple((ALPHABET, SPELLING, MEANINGS, GATE))  # type: ignore[no-untyped-call]
SCRATCH = types.Array(int64, 2, "C")
GRAMS = types.Array(uint64, 1, "C")
BUCKETS = types.Array(int32, 1, "C")
CONTEXT = types.Array(int64, 1, "C")

Tables = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64], NDArray[np.uint8]]


class Features(msgspec.Struct, frozen=True):
    """Of one text."""

    letters: NDArray[np.int32]
    """Buckets of the grams of letters and words, in the order of the text; a bucket may stand there more than once."""
    sounds: NDArray[np.int32]
    """The same for the grams of sounds."""
    context: NDArray[np.int64]
    """Counts: `filters.model.grams.SIZE` and those after it, then the markers of `rewriting.marker_names`."""


@cache
def tables() -> Tables:
    """What `filters.model.grams.read` reads."""
    return (alphabet.table(), alphabet.spelling(), *rewriting.table())


def context_size() -> int:
    """How many counts there are."""
    return MARKERS + len(rewriting.marker_names())


class Extractor:
    """Makes features of texts. Owns its scratch: one for each thread."""

    def __init__(self) -> None:
        signature = int64(TABLES, types.Bytes(uint8, 1, "C"), int64, SCRATCH, GRAMS, BUCKETS, BUCKETS, CONTEXT)
        self._extract: Callable[..., int] = machine_code.entry_point(cast(FunctionType, _extract), signature)
        self._scratch = np.zeros((LONGEST + 8, 4), dtype=np.int64)
        self._grams = np.zeros(MOST_GRAMS, dtype=np.uint64)
        self._letters = np.zeros(MOST_GRAMS, dtype=np.int32)
        self._sounds = np.zeros(MOST_GRAMS, dtype=np.int32)

    def of(self, text: str) -> Features:
        """The features of a text."""
        utf8 = text.encode("utf-8", "surrogatepass")
        context = np.zeros(context_size(), dtype=np.int64)
        counts = self._extract(
            tables(), utf8, min(len(utf8), LONGEST), self._scratch, self._grams, self._letters, self._sounds, context
        )
        return Features(self._letters[: counts & 0xFFFFFFFF].copy(), self._sounds[: counts >> 32].copy(), context)


def _extract(tables, utf8, end, scratch, grams, letters, sounds, context):  # type: ignore[no-untyped-def]
    alphabet, spelling, meanings, gate = tables
    size, heard = read(alphabet, spelling, meanings, gate, utf8, end, scratch, context)
    count = letter_grams(scratch, size, grams)
    for number in range(count):
        letters[number] = bucket_of(grams[number])
    count_2 = sound_grams(scratch, heard, grams)
    for number in range(count_2):
        sounds[number] = bucket_of(grams[number])
    return int64(count) | int64(count_2) << 32
