"""Cues: one compiled pass over the surroundings of a hit that tells which guards need to be asked at all.

Most hits stand in a context without a word that could excuse them, and nearly all others have one sort of such words.
The guards' expressions cost a microsecond each; this pass costs a fraction of one, folding included. It
over-approximates: without its cue an expression does not match (``filters.guard_patterns`` says which needs which).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from numba import int64, types, uint8, uint16
from numpy.typing import NDArray

from filters import machine_code
from filters.folding import FULL_STOP, SPACE, Folding
from filters.guard_patterns import CLAUSE_ENDS, CUES, KEPT
from filters.utf8 import TRUNCATED, decode

WORDS = 10
"""The cues of the words hit are those of the clause, shifted by so many bits."""
AFTER = 20
"""The cues of what stands after, shifted by so many bits."""
BEYOND = 1 << 29
"""Set if a character of ``SIZE`` or above stands there: what ``folding`` leaves to ``whole_folding``."""
CLAUSE = 30
"""Above this bit: where the clause begins, in code points of the window."""

SIZE = 0x20000
"""The folding is a table up to here. What lies above are ideographs and unassigned code points: they may be any cue."""

# What the pass knows of a character: its cues, _IN_WORD, and above these its kind. Letters are _LETTER + 0 to 25.
_CUES = (1 << WORDS - 1) - 1
_IN_WORD = 1 << WORDS - 1
"""A letter or digit: a word that it touches goes on."""
_KIND = WORDS
_OTHER, _CLAUSE_END, _FULL_STOP, _SPACE, _LETTER = range(5)

# A node of the trie of Latin cues: the next node by letter (0: none), then the cues of words that begin so, or are so.
_BEGUN, _WHOLE, _NODE = 26, 27, 28

Cues = Callable[[bytes, int, int], int]


@cache
def folding() -> list[int]:
    """``whole_folding`` below ``SIZE``. A list: in a dict each character that is not there costs an exception."""
    return [whole_folding().get(code, code) for code in range(SIZE)]


@cache
def whole_folding() -> dict[int, int]:
    """What code points read as for the guards, for ``str.translate``: the folding, with their marks kept."""
    return {**Folding.shipped().table, **KEPT}


@cache
def compiled() -> Cues:
    """The pass as machine code: ``cues(utf8, start, end) -> int`` for a window of text and the hit in it.

    ``start`` and ``end`` are code point offsets into the window, 0 <= start < end. Of the result, ``CUES`` says what
    the lowest bits mean, for the clause before the hit; above are the hit's own words, what stands after, and where
    the clause begins.
    """
    signature = int64(types.Array(uint16, 1, "C", readonly=True), types.Bytes(uint8, 1, "C"), int64, int64)
    return partial(machine_code.entry_point(_cues, signature), table())


@cache
def table() -> NDArray[np.uint16]:
    """What each character is, by code point below ``SIZE``, then the trie: uint16, read-only.

    One array, because each argument costs the compiled pass time.
    """
    signs: dict[str, int] = {}
    nodes = [[0] * _NODE]
    for cue, (characters, words) in CUES.items():
        for char in characters:
            signs[char] = signs.get(char, 0) | cue
        for word in words.split():
            _add(nodes, word, cue)
    of_characters = [_sign(char, signs.get(char, 0)) for char in map(chr, folding())]
    array = np.array(of_characters + [entry for node in nodes for entry in node], dtype=np.uint16)
    array.flags.writeable = False
    return array


def _add(nodes: list[list[int]], word: str, cue: int) -> None:
    node = 0
    for letter in word.rstrip("*"):
        place = ord(letter) - ord("a")
        if not nodes[node][place]:
            nodes[node][place] = len(nodes)
            nodes.append([0] * _NODE)
        node = nodes[node][place]
    nodes[node][_BEGUN if word.endswith("*") else _WHOLE] |= cue


def _sign(char: str, cues: int) -> int:
    """What the pass knows of a folded character."""
    if "a" <= char <= "z":
        kind = _LETTER + ord(char) - ord("a")
    elif char in CLAUSE_ENDS:
        kind = _CLAUSE_END
    else:
        kind = {FULL_STOP: _FULL_STOP, SPACE: _SPACE}.get(char, _OTHER)
    return kind << _KIND | (_IN_WORD if char.isalnum() else 0) | cues


def _cues(table, utf8, start, end):  # type: ignore[no-untyped-def]  # numba types it by the signature
    seen = int64(0)
    clause = int64(0)
    shift = int64(0)
    node = int64(0)  # where the Latin word that is open has led: its row; 0 if to no cue
    in_word = False
    stopped = False  # was the character before a full stop?
    point = 0
    i = 0
    while True:
        # A word ends where the hit begins and ends, too: expressions see the three parts apart.
        if point == (start if shift == 0 else end) and shift < AFTER:
            if node > 0:
                seen |= int64(table[node + _WHOLE]) << shift
            node = int64(0)
            in_word = False
            shift += WORDS
        if i >= len(utf8):
            break
        code, i = decode(utf8, i, len(utf8))
        if code == TRUNCATED:
            break
        point += 1
        sign = int64(table[code]) if code < SIZE else int64(_IN_WORD | _CUES)
        kind = sign >> _KIND
        goes_on = sign & _IN_WORD != 0
        seen |= (sign & _CUES) << shift

        # Latin words, letter by letter.
        if kind >= _LETTER and (node > 0 or not in_word):
            following = int64(table[max(node, int64(SIZE)) + kind - _LETTER])
            node = int64(SIZE) + _NODE * following if following > 0 else int64(0)
            if node > 0:
                seen |= int64(table[node + _BEGUN]) << shift
        else:
            if node > 0 and not goes_on:
                seen |= int64(table[node + _WHOLE]) << shift
            node = int64(0)
        in_word = goes_on

        if code >= SIZE:
            seen |= BEYOND
        if shift == 0 and (kind == _CLAUSE_END or (stopped and kind == _SPACE)):
            seen = int64(0)
            clause = int64(point if kind == _CLAUSE_END else point - 1)
        stopped = kind == _FULL_STOP
    if node > 0:
        seen |= int64(table[node + _WHOLE]) << shift
    return seen | clause << CLAUSE
