"""A person's own blocked words (requirement P5): a small index, made when its owner's list is first needed.

The words are read like the lexicon's terms: compared in the folded view, with separators skipped, Latin words standing
alone. They have no class and no severity, since the person, not the standard, has ruled them out.

The search is that of Karp and Rabin ("Efficient randomized pattern-matching algorithms", 1987): a hash of every run of
letters that ends like some word and is as long, looked up among the hashes of the words. Two tables of hashes take a
tenth of the room of an automaton and a fraction of its time to lay out, and there may be as many lists as there are
people. Texts that are made to collide cost time, never a wrong answer: what is found is compared letter by letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
import numpy as np
from numba import int32, int64, types
from numpy.typing import NDArray

from filters import machine_code
from filters.folding import BREAK, SKIPPED, Folding, is_word
from filters.reading import Pattern, start_of
from filters.utf8 import TRUNCATED, decode

MOST_WORDS = 200
LONGEST_WORD = 32
"""Code points of one word."""

_CODE_POINTS = 0x110000
_SKIP = _CODE_POINTS
"""Stands where a code point is skipped; no two code points are so far apart."""
_NO_ROOM = np.empty((0, 2), dtype=np.int32)

_MULTIPLIER = 0x5851F42D4C957F2D
_SPREAD = 0x2545F4914F6CDD1D
"""Odd numbers below 2 ** 63: of the generator MMIX (Knuth), and of xorshift* (Vigna)."""
_KEY, _VALUE = 0, 1
"""The columns of a table: what is looked up, and what is found, 0 in a free slot."""

_Array = TypeVar("_Array", bound=NDArray[Any])
_Table = NDArray[np.int64]
_Search = Callable[[NDArray[np.int32], _Table, _Table, _Table, bytes, NDArray[np.int64], NDArray[np.int32]], int]


class OwnWordsError(ValueError):
    """A word list that cannot be taken; the fault is that of the person who sent it."""


class OwnWordHit(msgspec.Struct, frozen=True):
    """One occurrence: code point offsets into the original text (half-open), and the word as its owner wrote it."""

    start: int
    end: int
    word: str


class OwnWords:
    """One person's words, indexed. Immutable; a caller keeps it for as long as the person's list stays the same."""

    def __init__(self, words: Iterable[str]) -> None:
        """Index any words: of two with the same letters the first stands; one with none, or too many, is left out."""
        folding = Folding.shipped()
        distinct: dict[str, str] = {}
        for word in words:
            letters = folding.letters(word)
            if 0 < len(letters) <= LONGEST_WORD:
                distinct.setdefault(letters, word)
        self.words = tuple(distinct.values())
        """As their owner wrote them, in that order."""
        lengths: dict[int, int] = {}
        for letters in distinct:
            last = ord(letters[-1])
            lengths[last] = lengths.get(last, 0) | 1 << len(letters)
        self._endings = _table(lengths.items())
        """From each last letter to the lengths of the words that end with it, one bit each."""
        self._hashes = _table((_hash(letters), number) for number, letters in enumerate(distinct, start=1))
        """From the hash of each word to its number, counted from 1; a hash may stand here several times."""

    @classmethod
    def parse(cls, words: Sequence[str]) -> OwnWords:
        """The words of a list as a person sends it; the same word written twice counts once.

        Raises ``OwnWordsError`` for too many words, and for one that is too long or that no text can contain.
        """
        if len(words) > MOST_WORDS:
            raise OwnWordsError(f"at most {MOST_WORDS} words")
        for word in words:
            _check(word)
        return cls(words)

    @staticmethod
    def warm_up() -> None:
        """Compile what a search needs (half a second), so that the first text costs what the thousandth does."""
        OwnWords(["melon"]).find("melon")

    def __len__(self) -> int:
        """How many distinct words there are."""
        return len(self.words)

    def find(self, text: str) -> tuple[OwnWordHit, ...]:
        """All occurrences, ordered by place."""
        return tuple(sorted(self._occurrences(text), key=lambda hit: (hit.start, hit.end)))

    def first(self, text: str) -> OwnWordHit | None:
        """The occurrence that ends first, if there is any: all that a decision needs, and cheaper than all of them.

        Any ``str``, lone surrogates too. Time is linear in its length, times the lengths of words with one last letter.
        """
        return next(self._occurrences(text), None)

    def _occurrences(self, text: str) -> Iterator[OwnWordHit]:
        """By their ends."""
        search, utf8 = _compiled(), text.encode("utf-8", "surrogatepass")
        read = np.empty(len(utf8) + 1, dtype=np.int64)  # the kernel's own room: it allocates nothing
        count = search(_deltas(), _powers(), self._endings, self._hashes, utf8, read, _NO_ROOM)
        if not count:
            return
        found = np.empty((count, 2), dtype=np.int32)
        search(_deltas(), _powers(), self._endings, self._hashes, utf8, read, found)
        folding = Folding.shipped()
        folded = folding.fold(text)
        patterns: dict[int, Pattern] = {}
        for candidate in found:  # one by one: whoever asks for the first does not pay for a thousand
            number, end = int(candidate[0]), int(candidate[1])
            if number not in patterns:
                patterns[number] = Pattern.of(self.words[number], folding)
            pattern = patterns[number]
            start = start_of(pattern, folded, end)
            if start is not None and _letters(folded[start:end]) == pattern.letters:
                yield OwnWordHit(start, end, self.words[number])


def _check(word: str) -> None:
    """Raise ``OwnWordsError`` for a word that cannot be found, or always would be."""
    if len(word) > LONGEST_WORD:
        raise OwnWordsError(f'"{word[:LONGEST_WORD]}…" is too long: a word has at most {LONGEST_WORD} characters')
    letters = Folding.shipped().letters(word)
    if not letters:
        raise OwnWordsError(f'"{word}" has no letters')
    if BREAK in letters:
        raise OwnWordsError(f'"{word}" can never be found: no match runs across punctuation that ends a clause')
    if len(letters) == 1 and is_word(letters):
        raise OwnWordsError(f'"{word}" is too short: a single letter stands in every text')


def _letters(folded: str) -> str:
    return "".join(char for char in folded if char not in SKIPPED)


def _hash(letters: str) -> int:
    """The polynomial over their code points, in 64 bits."""
    hashed = 0
    for char in letters:
        hashed = _signed(hashed * _MULTIPLIER + ord(char))
    return hashed


def _table(entries: Iterable[tuple[int, int]]) -> _Table:
    """Keys and values (not 0) in a table of open addressing, at most half full: int64 [2 ** n, 2]."""
    pairs = list(entries)
    mask = (1 << (2 * len(pairs)).bit_length()) - 1
    table = [(0, 0)] * (mask + 1)
    for key, value in pairs:
        slot = _signed(key * _SPREAD) >> 32 & mask
        while table[slot][_VALUE]:
            slot = slot + 1 & mask
        table[slot] = key, value
    return _read_only(np.array(table, dtype=np.int64))


def _signed(number: int) -> int:
    """What is left of a number in 64 bits, as machine arithmetic has it."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


@cache
def _deltas() -> NDArray[np.int32]:
    """From each code point to what it folds to, or ``_SKIP``: int32 [1114112]. What is never read takes no memory."""
    deltas = np.zeros(_CODE_POINTS, dtype=np.int32)
    deltas[[ord(char) for char in SKIPPED]] = _SKIP
    for source, target in Folding.shipped().table.items():
        deltas[source] = _SKIP if chr(target) in SKIPPED else target - source
    return _read_only(deltas)


@cache
def _powers() -> NDArray[np.int64]:
    """The powers of the multiplier: int64 [LONGEST_WORD + 1]."""
    return _read_only(np.array([_signed(pow(_MULTIPLIER, n, 1 << 64)) for n in range(LONGEST_WORD + 1)]))


def _read_only(array: _Array) -> _Array:
    array.flags.writeable = False
    return array


@cache
def _compiled() -> _Search:
    """The search as machine code, called as in ``filters.kernel``.

    ``search(deltas, powers, endings, hashes, utf8, read, found) -> count``: ``read`` is int64 [len(utf8) + 1], to work
    in; into ``found``, int32 [n, 2], the first n candidates are written, the word's number (from 0 up) and the code
    point offset at which it ends.
    """
    table, powers = types.Array(int64, 2, "C", readonly=True), types.Array(int64, 1, "C", readonly=True)
    deltas, found = types.Array(int32, 1, "C", readonly=True), types.Array(int32, 2, "C")
    signature = int64(deltas, powers, table, table, types.Bytes(types.uint8, 1, "C"), types.Array(int64, 1, "C"), found)
    return machine_code.entry_point(_search, signature)


def _search(deltas, powers, endings, hashes, utf8, read, found):  # type: ignore[no-untyped-def]  # numba types it
    end = len(utf8)
    room = len(found)
    # The hash of the first n letters; from two of these follows that of the run between.
    read[0] = 0
    letters = 0
    count = 0
    point = 0
    i = 0
    while i < end:
        code, i = decode(utf8, i, end)
        if code == TRUNCATED:
            break
        point += 1

        # Fold.
        delta = int64(deltas[code])
        if delta == _SKIP:
            continue
        letter = code + delta
        letters += 1
        read[letters] = read[letters - 1] * _MULTIPLIER + letter

        # Which lengths have the words that end with this letter?
        mask = len(endings) - 1
        slot = letter * _SPREAD >> 32 & mask
        while endings[slot, _VALUE] != 0 and endings[slot, _KEY] != letter:
            slot = slot + 1 & mask
        lengths = endings[slot, _VALUE]

        # Is a word what has just been read, at any of these lengths?
        mask = len(hashes) - 1
        for length in range(1, letters + 1):
            if lengths >> length == 0:
                break
            if lengths >> length & 1 == 0:
                continue
            hashed = read[letters] - read[letters - length] * powers[length]
            slot = hashed * _SPREAD >> 32 & mask
            while hashes[slot, _VALUE] != 0:
                if hashes[slot, _KEY] == hashed:
                    if count < room:
                        found[count, 0] = hashes[slot, _VALUE] - 1
                        found[count, 1] = point
                    count += 1
                slot = slot + 1 & mask
    return count
