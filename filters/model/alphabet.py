"""The alphabet: each code point as the letter and the sound that the model reads, in one table.

The table is int32: a directory of pages (one word for every 256 code points: where the page's rows begin), then rows of
three words (LETTER, SOUND, SIGN). A second table is the trie of the syllables of pinyin, for runs of Latin letters.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from filters.folding import BREAK, FULL_STOP, GHOST, SEPARATOR, SPACE, Folding
from filters.views.letters import is_hanzi, is_latin
from filters.views.sounds import Sounds

LETTER, SOUND, SIGN = 0, 1, 2
ROW = 3
PAGES = 0x1100

NOTHING, GAP, END, LATIN, DIGIT, OTHER = 0, 1, 2, 3, 4, 5
"""What a code point is (SIGN, its low three bits): skipped, a space, the end of a clause, a letter of a to z, a digit,
any other letter."""
QUESTION, QUOTE, EXCLAMATION = 8, 16, 32
"""Bits of SIGN: marks that the folding takes for separators or ends."""

FIRST_SYLLABLE = 0x200000
"""Sounds above all code points are syllables; below, a letter that has no sound stands for itself."""
LEAVES = 26
"""Column of the trie that says which sound ends in a node (0: none)."""

_MARKS = {
    **dict.fromkeys("?？¿؟⁇", QUESTION),
    **dict.fromkeys("!！¡", EXCLAMATION),
    **dict.fromkeys("\"'“”‘’„«»‹›「」『』《》＂", QUOTE),
}


@cache
def table() -> NDArray[np.int32]:
    """The table described above, read-only."""
    folding = Folding.shipped().table
    rows: dict[int, tuple[int, int, int]] = {}
    known = Sounds.shipped()
    # What folds to itself is not in the folding's table.
    listed = {ord(GHOST), *folding, *map(ord, known.readings), *map(ord, filter(_is_one, known.emoji)), *range(0x80)}
    for code in sorted(listed):
        rows[code] = _row(code, chr(folding.get(code, code)))
    pages = sorted({code >> 8 for code in rows})
    directory = np.full(PAGES, -1, dtype=np.int32)
    content = [directory]
    start = PAGES
    for page in pages:
        directory[page] = start
        block = np.empty((256, ROW), dtype=np.int32)
        for low in range(256):
            code = page << 8 | low
            block[low] = rows.get(code) or (code, code, OTHER)
        content.append(block.ravel())
        start += 256 * ROW
    joined = np.concatenate(content)
    joined.flags.writeable = False
    return joined


def _is_one(char: str) -> bool:
    return len(char) == 1


def _row(code: int, folded: str) -> tuple[int, int, int]:
    mark = _MARKS.get(chr(code), 0)
    if folded in (GHOST, SEPARATOR):
        return 0, 0, NOTHING | mark
    if folded in (SPACE, FULL_STOP):
        return 0, 0, GAP | mark
    if folded == BREAK:
        return ord(BREAK), ord(BREAK), END | mark
    kind = LATIN if is_latin(folded) else DIGIT if "0" <= folded <= "9" else OTHER
    return ord(folded), _sound(chr(code), folded), kind | mark


def _sound(char: str, folded: str) -> int:
    known = Sounds.shipped()
    if (is_hanzi(folded) or folded.isdigit()) and folded in known.readings:
        return syllables()[known.readings[folded][0]]
    names = known.emoji.get(char) or known.emoji.get(folded)
    if names and names[0] in known.readings:
        return syllables()[known.readings[names[0]][0]]
    return ord(folded)


@cache
def syllables() -> dict[str, int]:
    """The sound of each syllable."""
    known = {syllable for readings in Sounds.shipped().readings.values() for syllable in readings}
    return {syllable: FIRST_SYLLABLE + number for number, syllable in enumerate(sorted(known))}


@cache
def spelling() -> NDArray[np.int32]:
    """The trie of the syllables that Latin letters spell: int32 [nodes, 27], the root is 0, and 0 is no child."""
    nodes = [[0] * (LEAVES + 1)]
    for syllable in sorted(Sounds.shipped().spelled):
        node = 0
        for letter in syllable:
            child = nodes[node][ord(letter) - ord("a")]
            if not child:
                child = nodes[node][ord(letter) - ord("a")] = len(nodes)
                nodes.append([0] * (LEAVES + 1))
            node = child
        nodes[node][LEAVES] = syllables()[syllable]
    trie = np.array(nodes, dtype=np.int32)
    trie.flags.writeable = False
    return trie
