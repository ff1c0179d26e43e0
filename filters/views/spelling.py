"""Spelling: runs of Latin letters that may be pinyin, as tables for the search.

One int32 array. First the syllables, a hash table of slots: a syllable as a number (`filters.index.packed`) and its
symbol. Then the English words that are ordinary though they could be syllables too (*made*, *name*), slots of two
numbers of six letters each. Then the first symbol of the syllables with each initial. Then a finite automaton, a row of
32 words for each state: where each letter leads, and in column ACCEPTS whether the letters so far are nothing but whole
syllables. State 0 is dead, a run begins in state 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from filters.index import INITIALS_MULTIPLIER, LONGEST_INITIALS, packed, syllables
from filters.views.readings import spellings
from filters.views.words import Words, is_ordinary

SYLLABLE_SLOTS = 2048
SYLLABLE_SHIFT = 7
WORD_SLOTS = 1 << 14
WORDS = 2 * SYLLABLE_SLOTS
FIRSTS = WORDS + 2 * WORD_SLOTS
STATES = FIRSTS + 32
ROW = 32
ACCEPTS = 26


@cache
def table() -> NDArray[np.int32]:
    """The tables as above: int32, read-only."""
    known = syllables()
    words = [word for word in Words.shipped().english if is_ordinary(word) and len(word) <= LONGEST_INITIALS]
    slots = np.zeros((SYLLABLE_SLOTS, 2), dtype=np.int32)
    for spelled, symbol in known.items():
        slot = (packed(spelled) * INITIALS_MULTIPLIER >> SYLLABLE_SHIFT) % SYLLABLE_SLOTS
        while slots[slot, 0]:
            slot = (slot + 1) % SYLLABLE_SLOTS
        slots[slot] = packed(spelled), symbol
    ordinary = np.zeros((WORD_SLOTS, 2), dtype=np.int32)
    for word in filter(spellings, words):
        high, low = packed(word[:6]), packed(word[6:])
        slot = (high * INITIALS_MULTIPLIER + low >> 8) % WORD_SLOTS
        while ordinary[slot, 0]:
            slot = (slot + 1) % WORD_SLOTS
        ordinary[slot] = high, low
    firsts = np.searchsorted([spelled[0] for spelled in known], [chr(ord("a") + number) for number in range(32)]) + 1
    parts = (slots.ravel(), ordinary.ravel(), firsts, _automaton(known).ravel())
    joined = np.concatenate(parts).astype(np.int32)
    joined.flags.writeable = False
    return joined


def _automaton(spelled: Iterable[str]) -> NDArray[np.int32]:
    """The subset construction over the prefixes of syllables; "" is where one may begin."""
    whole = set(spelled)
    prefixes = {syllable[:end] for syllable in whole for end in range(1, len(syllable) + 1)}
    start = frozenset({""})
    numbers: dict[frozenset[str], int] = {frozenset(): 0, start: 1}
    pending = [start]
    rows: dict[int, list[int]] = {0: [0] * ROW}
    while pending:
        state = pending.pop()
        row = [0] * ROW
        row[ACCEPTS] = int("" in state)
        for number in range(26):
            after = {prefix + chr(ord("a") + number) for prefix in state} & prefixes
            reached = frozenset(after | ({""} if after & whole else set()))
            if reached not in numbers:
                numbers[reached] = len(numbers)
                pending.append(reached)
            row[number] = numbers[reached]
        rows[numbers[state]] = row
    return np.array([rows[number] for number in range(len(numbers))], dtype=np.int32)
