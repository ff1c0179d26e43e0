"""The gate: one compiled pass that tells which kinds of private data a text may hold. Most texts with digits hold none.

It over-approximates: a bit that is not set means that the rules of that family find nothing. The rules themselves run
in Python, on texts that pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from numba import int64, types, uint8
from numpy.typing import NDArray

from filters import machine_code
from filters.private.symbols import (
    AT,
    BREAK,
    CUE,
    DIGIT,
    GAP,
    JIA,
    KOU,
    LETTER,
    NUMERAL,
    OTHER,
    PROVINCE,
    SIZE,
    SKIP,
    STREETS,
    TEN,
    UNIT,
    WEI,
    XIN,
    class_table,
)
from filters.utf8 import TRUNCATED, decode

NUMBER = 1
"""Seven digits or more, with no more than ``MAX_GAP`` gaps between two of them."""
SPELLED = 2
"""The same, with digits spelled out in ideographs among them. An extension spelled out (``13800138000转八``) is not."""
MAIL = 4
"""An @ after a word, or with a space after it."""
HANDLE = 8
"""A cue for a WeChat or QQ handle."""
PLATE = 16
"""The sign of a province and a letter."""
ADDRESS_CN = 32
"""A number with a unit of a Chinese address."""
ADDRESS_EN = 64
"""A digit and, after it, the name of a kind of street."""

MAX_GAP = 3
FEWEST_DIGITS = 7

HANDLE_TOKENS = ("v", "vx", "w", "wx", "x", "wechat", "weixin", "wxid", "q", "qq")
STREET_TOKENS = tuple(STREETS.split("|"))

_SLOTS = 256
_LONGEST = 12

_SIGNATURE = int64(
    types.Array(uint8, 1, "C", readonly=True), types.Array(int64, 2, "C", readonly=True), types.Bytes(uint8, 1, "C")
)

Gate = Callable[[NDArray[np.uint8], NDArray[np.int64], bytes], int]


def pack(token: str) -> int:
    """A token of up to twelve Latin letters as a number, five bits a letter."""
    code = 0
    for char in token:
        code = code << 5 | ord(char) - ord("a") + 1
    return code


@cache
def token_table() -> NDArray[np.int64]:
    """A hash table from packed tokens to their bit: int64 [256, 2], linear probing, read-only."""
    table = np.zeros((_SLOTS, 2), dtype=np.int64)
    for tokens, bit in ((HANDLE_TOKENS, HANDLE), (STREET_TOKENS, ADDRESS_EN)):
        for token in tokens:
            slot = pack(token) % _SLOTS
            while table[slot, 0]:
                slot = (slot + 1) % _SLOTS
            table[slot] = pack(token), bit
    table.flags.writeable = False
    return table


@cache
def compiled() -> Gate:
    """The gate as machine code: ``gate(class_table(), token_table(), utf8) -> bits``; it trusts their types."""
    return machine_code.entry_point(_gate, _SIGNATURE)


def bits_of(utf8: bytes) -> int:
    """Which kinds of private data a text in UTF-8 may hold: the bits of this module."""
    return _bound()(utf8)


@cache
def _bound() -> Callable[[bytes], int]:
    return partial(compiled(), class_table(), token_table())


def _gate(classes, tokens, utf8):  # type: ignore[no-untyped-def]  # numba types it by the signature above
    end = len(utf8)
    bits = 0
    digits = 0  # of the chain that is open
    spelled = 0  # of these, ideographs
    gap = 0
    seen = 0  # digits of the whole text
    token = int64(0)  # the Latin word that is open, packed; -1 if too long
    length = 0
    before = int64(BREAK)  # the class of the symbol before; ghosts are not seen
    solid = int64(BREAK)  # the same without gaps
    i = 0
    while i <= end:
        # One break is read after the last character.
        if i >= end:
            kind = int64(BREAK)
            i += 1
        else:
            code, i = decode(utf8, i, end)
            if code == TRUNCATED:
                break
            kind = int64(classes[code]) if code < SIZE else int64(OTHER)
        if kind == SKIP:
            continue

        # Latin words: packed letter by letter, looked up where they end.
        if kind >= LETTER:
            if before < LETTER:
                token = int64(0)
                length = 0
            length += 1
            token = token << 5 | kind - LETTER + 1 if length <= _LONGEST else int64(-1)
            if solid == PROVINCE:
                bits |= PLATE
        elif before >= LETTER and token > 0:
            slot = token % _SLOTS
            while tokens[slot, 0] != 0:
                if tokens[slot, 0] == token:
                    if tokens[slot, 1] == HANDLE or seen > 0:
                        bits |= tokens[slot, 1]
                    break
                slot = (slot + 1) % _SLOTS

        # Chains of digits.
        if kind in (DIGIT, NUMERAL):
            digits += 1
            spelled += kind == NUMERAL
            seen += 1
            gap = 0
            if digits >= FEWEST_DIGITS:
                bits |= NUMBER
                if spelled > 0:
                    bits |= SPELLED
        elif kind == GAP:
            gap += 1
            if gap > MAX_GAP:
                digits = 0
                spelled = 0
        else:
            digits = 0
            spelled = 0

        # Pairs.
        if kind == UNIT:
            if solid in (DIGIT, NUMERAL, TEN):
                bits |= ADDRESS_CN
        elif kind == AT:
            if before >= LETTER or before in (DIGIT, GAP):
                bits |= MAIL
        elif kind == CUE:
            bits |= HANDLE
        elif kind == XIN:
            if solid == WEI or solid >= LETTER:
                bits |= HANDLE
        elif kind == WEI:
            if solid == JIA:
                bits |= HANDLE
        elif kind == KOU and solid == KOU:
            bits |= HANDLE

        before = kind
        if kind != GAP:
            solid = kind
    return bits
