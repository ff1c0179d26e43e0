"""Is it ordinary? What `filters.views.evidence` asks of Chinese characters, compiled: so clean text costs no Python.

All numbers are whole hundredths of what `filters.views.words` calls a cost, and are exactly those of the evidence.
"""

from __future__ import annotations

from numba import int64, uint64

from filters.index import (
    COST,
    COSTS,
    HANZI,
    KIND,
    LENGTH,
    LETTER,
    LETTERS,
    PRICE,
    TRAIT,
    WRITTEN,
)
from filters.machine_code import called, inlined
from filters.rows import STACK
from filters.views.evidence import BARS, View
from filters.views.words import BIGRAM_BITS, MULTIPLIER, RARE, REACH, SHIFT, SLOTS

ORDINARY = 0
"""The surprise of what is no disguise: no real one is so small."""
UNMEASURED = -1
"""The surprise where not all is Chinese: for the evidence to measure."""

# Of all views of Chinese characters these have the lowest bars.
_LEAST = round(100 * BARS[View.HOMOPHONE].least)
_EACH = round(100 * BARS[View.HOMOPHONE].each)


@inlined
def _price(costs, key):  # type: ignore[no-untyped-def]
    """What a word costs; -1 if it is not known, or too rare to have a cost."""
    slot = int64((uint64(key) * uint64(MULTIPLIER)) >> uint64(SHIFT))
    while costs[slot, 0] != 0:
        if costs[slot, 0] == key:
            return int64(costs[slot, 1])
        slot = (slot + 1) & (SLOTS - 1)
    return int64(-1)


@inlined
def _is_rare(costs, key):  # type: ignore[no-untyped-def]
    """Is it a word too rare to have a cost? They are sorted."""
    low, high = int64(0), int64(costs[SLOTS, 0])
    while low < high:
        middle = (low + high) >> 1
        if costs[RARE + (middle >> 1), middle & 1] < key:
            low = middle + 1
        else:
            high = middle
    return low < costs[SLOTS, 0] and costs[RARE + (low >> 1), low & 1] == key


@inlined
def _meets(bigrams, one, other):  # type: ignore[no-untyped-def]
    """May a word that has a cost hold these two characters side by side? `views.words.bigrams` is the set."""
    bit = (one * 40503 + other) & (BIGRAM_BITS - 1)
    return int64(bigrams[bit >> 5]) >> (bit & 31) & 1 != 0


@called
def _cost(costs, bigrams, scratch, start, end, paid):  # type: ignore[no-untyped-def]
    """The least cost of reading Chinese letters as ordinary words: `Words.cost`.

    With ``paid`` 0, words of two characters or more are free, so it is what lies in no word.
    """
    # What the letters before ``at`` cost, without the last 0, 1, 2 and 3 of them; how many letters meet without a gap.
    b0 = b1 = b2 = b3 = 0
    meeting = 0
    for at in range(start, end):
        letter = int64(scratch[at, LETTER])
        single = int64(scratch[at, TRAIT]) >> COST & COSTS
        best = b0 + single
        if at > start and _meets(bigrams, int64(scratch[at - 1, LETTER]), letter):
            meeting += 1
            key = int64(scratch[at - 1, LETTER]) << 16 | letter
            price = _price(costs, key)
            if price >= 0:
                best = min(best, b1 + price * paid)
            if meeting > 1:
                key |= int64(scratch[at - 2, LETTER]) << 32
                price = _price(costs, key)
                if price >= 0:
                    best = min(best, b2 + price * paid)
            if meeting > 2:
                key |= int64(scratch[at - 3, LETTER]) << 48
                price = _price(costs, key)
                if price >= 0:
                    best = min(best, b3 + price * paid)
        else:
            meeting = 0
        b3, b2, b1, b0 = b2, b1, b0, best
    return b0


@called
def _lies_in_words(costs, scratch, left, start, end, right):  # type: ignore[no-untyped-def]
    """Do known words, however rare, cover the letters from ``start`` to ``end`` without a gap? `evidence` says how."""
    # Which of the four places before ``place`` a chain of words has reached: at first all up to ``start``.
    reached = 15
    for place in range(start + 1, right + 1):
        key = int64(scratch[place - 1, LETTER])
        known = False
        for size in range(2, min(4, place - left) + 1):
            key |= int64(scratch[place - size, LETTER]) << 16 * (size - 1)
            if reached >> (size - 1) & 1 and (_price(costs, key) >= 0 or _is_rare(costs, key)):
                known = True
                break
        if known and place >= end:
            return True
        reached = (reached << 1 | known) & 15
    return False


@called
def surprise_of(words, costs, bigrams, scratch, start, end, last, entry):  # type: ignore[no-untyped-def]
    """How surprising the letters from ``start`` to ``end`` are, and what of them lies in no word, if that is an entry.

    ORDINARY for what `filters.views.evidence` would not take in any view; UNMEASURED for what it has to measure.
    """
    single = 0
    for at in range(start, end):
        trait = int64(scratch[at, TRAIT])
        if trait & HANZI == 0:
            return int64(UNMEASURED), int64(UNMEASURED)
        single += trait >> COST & COSTS
    bar = _LEAST
    apart = end - start != int64(words[entry + LENGTH])  # into components, which are no words
    if not apart:
        disguised = 1
        if int64(words[entry + KIND]) & WRITTEN == 0:
            letters = int64(words[entry + LETTERS])
            disguised = 0
            for at in range(start, end):
                disguised += scratch[at, LETTER] != words[letters + at - start]
        bar += _EACH * disguised
    # Never dearer than its characters one by one.
    strange = _cost(costs, bigrams, scratch, start, end, 0) if not apart and single > bar else single
    if strange <= bar:
        return int64(ORDINARY), int64(0)
    left, right = start, end
    # What is not Chinese joins no word, so it ends the context that matters.
    while left > STACK and start - left < REACH and int64(scratch[left - 1, TRAIT]) & HANZI:
        left -= 1
    while right < last and right - end < REACH and int64(scratch[right, TRAIT]) & HANZI:
        right += 1
    whole = _cost(costs, bigrams, scratch, left, right, 1)
    beside = _cost(costs, bigrams, scratch, left, start, 1) + _cost(costs, bigrams, scratch, end, right, 1)
    surprise = whole - beside
    if surprise <= bar or surprise <= int64(words[entry + KIND]) >> PRICE:
        return int64(ORDINARY), int64(0)
    if apart:
        return int64(UNMEASURED), int64(UNMEASURED)
    if surprise < _cost(costs, bigrams, scratch, start, end, 1):
        return int64(ORDINARY), int64(0)
    if _lies_in_words(costs, scratch, left, start, end, right):
        return int64(ORDINARY), int64(0)
    return surprise, strange
