"""Words: how ordinary a stretch of text is. What is no word, or made of rare ones, may be a disguise."""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from itertools import pairwise
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from filters.tables import packed

UNKNOWN_CHARACTER = 15.0
"""The cost of a character that no list of words has."""
UNKNOWN_LATIN = 14.0
"""The cost of a run of Latin letters that is no English word."""
SYMBOL = 9.0
"""The cost of anything else, an emoji above all."""
DIGITS = 6.0
"""The cost of a number."""
LONGEST = 4
"""Characters in the longest Chinese words of the table."""


REACH = 4
"""Letters of context on either side of a stretch whose surprise is measured."""
SLOTS = 1 << 18
"""Of the hash table that the search reads; a power of two, more than twice the words."""
RARE = SLOTS + 1
"""The row of that table where the rare words begin, two a row; how many these are stands in the row before."""
MULTIPLIER = 0x9E3779B97F4A7C15
"""Knuth's multiplicative hash: the upper bits of the product are the slot."""
SHIFT = 64 - 18

BIGRAM_BITS = 1 << 21
"""Of the set of pairs of characters that words hold; a power of two."""


class Words(msgspec.Struct, frozen=True):
    """How rare ordinary words are. A cost is minus the natural logarithm of the word's share of all words."""

    chinese: dict[str, float]
    english: dict[str, float]
    rare: tuple[str, str, str]
    """Chinese words too rare to have a cost: those of two, of three, of four characters, sorted, end to end."""

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """The table in the package."""
        table = packed.shipped("words", cls)
        known: dict[float, float] = {}
        # A quarter of a million costs are 1,500 numbers: one object each spares 6 MB.
        chinese, english = (
            {word: known.setdefault(cost, cost) for word, cost in costs.items()}
            for costs in (table.chinese, table.english)
        )
        return cls(chinese, english, table.rare)

    def cost(self, tokens: list[str]) -> list[float]:
        """The least cost of reading the first n tokens as ordinary words, for every n from 0 on.

        A token is a simplified character, a whole run of Latin letters or of digits, or any other character.
        """
        best = [0.0]
        for end, token in enumerate(tokens, start=1):
            least = best[end - 1] + self.of_token(token)
            word = token
            for start in range(end - 2, max(end - LONGEST, 0) - 1, -1):
                word = tokens[start] + word
                known = self.chinese.get(word)
                if known is not None:
                    least = min(least, best[start] + known)
            best.append(least)
        return best

    def knows(self, word: str) -> bool:
        """Is it a Chinese word of two characters or more, however rare?"""
        size = len(word)
        if not 2 <= size <= LONGEST:
            return False
        if word in self.chinese:
            return True
        words = self.rare[size - 2]
        at = bisect_left(range(0, len(words), size), word, key=lambda place: words[place : place + size]) * size
        return words[at : at + size] == word

    def of_token(self, token: str) -> float:
        """The cost of one token alone."""
        if token in self.chinese:
            return self.chinese[token]
        if token[0].isascii() and token.isalpha():
            return self.english.get(token, UNKNOWN_LATIN)
        if token[0].isdigit():
            return DIGITS
        return UNKNOWN_CHARACTER if token.isalpha() else SYMBOL


ORDINARY = 12.0
"""An English word of at most this cost is no pinyin by itself."""


def is_ordinary(run: str) -> bool:
    """Is the run of Latin letters an English word that needs no other reading?"""
    return Words.shipped().english.get(run, ORDINARY + 1) <= ORDINARY


@cache
def hashed() -> NDArray[np.int64]:
    """The Chinese words for the search: int64 [n, 2], read-only.

    The first SLOTS rows are a hash table: a word and its cost in hundredths. The word is its characters as 16 bits
    each, the last one lowest; a slot that is 0 is free, and ends the search for a word. From RARE on stand the rare
    words, sorted by these numbers.
    """
    words = Words.shipped()
    rare = np.sort(np.concatenate([_keys(run, size) for size, run in enumerate(words.rare, 2)]))
    table = np.zeros((RARE + (rare.size + 1) // 2, 2), dtype=np.int64)
    for word, cost in words.chinese.items():
        key = 0
        for char in word:
            key = key << 16 | ord(char)
        slot = (key * MULTIPLIER & 0xFFFFFFFFFFFFFFFF) >> SHIFT
        while table[slot, 0]:
            slot = (slot + 1) % SLOTS
        table[slot] = key - (1 << 64) * (key >> 63), round(100 * cost)
    table[SLOTS, 0] = rare.size
    table[RARE:].reshape(-1)[: rare.size] = rare
    table.flags.writeable = False
    return table


def _keys(run: str, size: int) -> NDArray[np.int64]:
    """The numbers of words of so many characters that stand end to end, of those of 16 bits."""
    characters = np.frombuffer(run.encode("utf-32-le"), dtype="<u4").astype(np.int64).reshape(-1, size)
    characters = characters[(characters < 1 << 16).all(axis=1)]
    keys: NDArray[np.int64] = (characters << 16 * np.arange(size - 1, -1, -1)).sum(axis=1)
    return keys


@cache
def bigrams() -> NDArray[np.int32]:
    """The pairs of characters that stand side by side in Chinese words, as a set of bits: int32, read-only.

    The bit of two is 40503 times the first plus the second. It may be set for others too, so what it lets pass must be
    looked up.
    """
    bits = np.zeros(BIGRAM_BITS, dtype=bool)
    for word in Words.shipped().chinese:
        for one, other in pairwise(word):
            bits[(ord(one) * 40503 + ord(other)) % BIGRAM_BITS] = True
    packed_bits: NDArray[np.int32] = np.packbits(bits, bitorder="little").view("<i4").astype(np.int32)
    packed_bits.flags.writeable = False
    return packed_bits
