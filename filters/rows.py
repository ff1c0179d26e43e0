"""The letters of a text as rows: what the compiled search reads UTF-8 into, and knows of a letter and its place.

A letter is a row of a scratch table, from STACK on: the SYMBOL, TRAIT and LETTER of its row in the index
(``filters.index``), and its PLACE. To the traits of the index come those below.
"""

from __future__ import annotations

from numba import int64

from filters.index import (
    DETOURS,
    EXPANDS,
    IS_GHOST,
    IS_SPACE,
    LATIN,
    LEET,
    LETTER,
    SKIP,
    SPLIT,
    SPLIT_BITS,
    SPLIT_MULTIPLIER,
    SPLIT_SECOND,
    SPLITS,
    SYMBOL,
    TRAIT,
    WEIGHT,
    WORD,
)
from filters.machine_code import called, inlined
from filters.utf8 import TRUNCATED, decode

STACK = 512
"""Rows at the beginning of the scratch that hold the pending readings of a walk."""

PLACE = 3
"""A code point offset."""
ADJACENT = 1 << 10
"""A word letter right behind another."""
SPACED = 1 << 11
"""A word letter behind another, with a space between."""
READ_TOGETHER = 1 << 12
"""It may be read as a part of something longer: split, or spelled."""
SPELLED = 1 << 13
"""Its run of Latin letters may be pinyin."""
ABBREVIATED = 1 << 14
"""Its run of Latin letters may be initials of letters, beside letters that are written."""

REPEATED = 1 << 29
"""Of a letter: some of its kind beside it were left out. Of all: some Latin letter stands thrice."""


@called
def collapse(scratch, last, most):  # type: ignore[no-untyped-def]
    """Leave at most so many of Latin letters that are repeated: where the rows end then.

    At first ``most`` is 2: three or more are repeated, and marked; then 1, of those that are marked.
    """
    out = STACK
    at = STACK
    while at < last:
        first = at
        letter = scratch[first, LETTER]
        while at < last and scratch[at, LETTER] == letter and (at == first or int64(scratch[at, TRAIT]) & ADJACENT):
            at += 1
        size = at - first
        end = scratch[at - 1, PLACE]
        trait = int64(scratch[first, TRAIT])
        if trait & LATIN and (size > most if most > 1 else trait & REPEATED != 0):
            size = most
            trait |= REPEATED
        for place in range(size):
            for column in range(4):
                scratch[out + place, column] = scratch[first + place, column]
            scratch[out + place, TRAIT] = (
                trait if place == 0 else int64(scratch[first + place, TRAIT]) | trait & REPEATED
            )
        scratch[out + size - 1, PLACE] = end
        out += size
    _end(scratch, out)
    return out


@inlined
def row_of(words, pages, code):  # type: ignore[no-untyped-def]
    """Where the row of a code point is."""
    return int64(words[pages + (code >> 8)]) + 4 * (code & 0xFF)


@inlined
def _end(scratch, letter):  # type: ignore[no-untyped-def]
    """Two rows that are in no pattern: a look ahead needs no bound."""
    for beyond in range(letter, letter + 2):
        scratch[beyond, SYMBOL] = 0
        scratch[beyond, TRAIT] = 0


@called
def _expand(words, pages, parts, before, spaces, scratch, letter, point):  # type: ignore[no-untyped-def]
    """Write the letters for which one code point stands: the next free row, and the trait of the last."""
    for number in range(parts + 1, parts + 1 + int64(words[parts])):
        code = int64(words[number])
        row = row_of(words, pages, code)
        trait = int64(words[row + TRAIT]) | EXPANDS
        if trait & before & WORD:
            trait |= spaces if spaces else ADJACENT
        scratch[letter, SYMBOL] = words[row + SYMBOL]
        scratch[letter, TRAIT] = trait
        scratch[letter, LETTER] = words[row + LETTER]
        scratch[letter, PLACE] = point - 1
        letter += 1
        before = trait
        spaces = 0
    return letter, before


@inlined
def read(words, pages, utf8, scratch):  # type: ignore[no-untyped-def]
    """The letters of the text as rows of the scratch from STACK on: the last one's end, all traits, all weights."""
    end = len(utf8)
    seen = 0
    weight = 0
    before = 0  # the trait of the letter before, if only ghosts or spaces stand between
    spaces = 0
    previous = previous_trait = 0  # the letter before, whatever stands between
    splits = int64(words[SPLITS])
    i = 0
    point = 0
    letter = STACK
    while i < end:
        code, i = decode(utf8, i, end)
        if code == TRUNCATED:
            break
        point += 1
        row = row_of(words, pages, code)
        symbol = words[row + SYMBOL]
        trait = int64(words[row + TRAIT])
        weight += trait & WEIGHT
        if symbol == SKIP:
            seen |= trait & LEET
            if trait & IS_SPACE:
                spaces = SPACED
            elif trait & IS_GHOST == 0:
                before = 0
            continue
        if trait & EXPANDS:
            letter, before = _expand(words, pages, int64(words[row + DETOURS]), before, spaces, scratch, letter, point)
            spaces = previous = previous_trait = 0
            seen |= before
            continue
        if trait & before & WORD:
            trait |= spaces if spaces else ADJACENT
        # Without a branch: a wrong guess would cost more than the look.
        component = int64(words[row + LETTER])
        bit = (previous * SPLIT_MULTIPLIER + component) & (SPLIT_BITS - 1)
        components = trait >> SPLIT_SECOND & previous_trait >> SPLIT
        is_split = int64(words[splits + (bit >> 5)]) >> (bit & 31) & components & 1
        seen |= is_split * READ_TOGETHER
        previous, previous_trait = component, trait
        seen |= trait & ~LEET
        scratch[letter, SYMBOL] = symbol
        scratch[letter, TRAIT] = trait
        scratch[letter, LETTER] = component
        scratch[letter, PLACE] = point - 1
        letter += 1
        before = trait
        spaces = 0
    _end(scratch, letter)
    return letter, seen, weight


read_again = called(read.py_func)
