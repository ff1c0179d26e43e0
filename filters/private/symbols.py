"""The view in which private data is looked for, and which code points make a text worth the look.

The view keeps every place, as a folding does, and goes beyond it where numbers need it: all decimal digits become
ASCII digits (full width, circled, superscript, keycaps, other scripts), every emoji one asterisk, and the marks with
a meaning in numbers and addresses (``@ + ( ) / _ : =`` and their kind) stay what they are.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from filters.folding import GHOST, Folding

SIZE = 0x20000
"""The tables end here: what lies above are ideographs and unassigned code points, of no class."""

EMOJI = "*"
GAPS = " .-*(),"
"""What may stand between the digits of one number, in the view."""

NUMERALS = str.maketrans("〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "0" + "0123456789" + "1" + "123456789")
"""Ideographs that spell out a digit (in the view: simplified)."""
TENS = "十百两"
"""Ideographs in a house number that spell out no digit."""
COUNTED = "次个天下直定些样点起切边会年月号块元人位岁十百千万般旦共路"
"""After one of these characters' numeral stands no digit of a longer number."""
UNITS = "号栋幢弄室座楼单"
"""What follows a number in a Chinese address."""

STREETS = (
    "street|st|road|rd|avenue|ave|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|terrace|close|crescent|"
    "parkway|pkwy|highway|hwy|way|circle|cir|gardens|grove|mews|row"
)
"""How the name of a street ends in English."""

# The classes of the gate. Letters are LETTER + 0 to 25.
OTHER, SKIP, GAP, BREAK, AT, DIGIT, NUMERAL, TEN, UNIT, PROVINCE, CUE, WEI, XIN, JIA, KOU = range(15)
LETTER = 32

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
"""How a number plate begins."""

_IDEOGRAPHS = {
    **dict.fromkeys(map(chr, NUMERALS), NUMERAL),
    **dict.fromkeys(TENS, TEN),
    **dict.fromkeys(UNITS, UNIT),
    **dict.fromkeys(PROVINCES, PROVINCE),
    **dict.fromkeys("薇鹅", CUE),
    **dict.fromkeys("微威徽维", WEI),
    **dict.fromkeys("信芯", XIN),
    "加": JIA,
    **dict.fromkeys("扣抠叩球秋", KOU),
}

THRESHOLD = 7
"""A text in which the weights of all code points add up to this may hold private data."""
_WEIGHTS = {DIGIT: THRESHOLD, AT: THRESHOLD, NUMERAL: 1, TEN: 1, UNIT: THRESHOLD - 1}

TRIGGERS = (
    *(first + second for first in "微威徽维薇" for second in "信芯"),
    *("加微", "加薇", "加威", "加v", "v信", "vx", "wx", "wechat", "weixin", "wxid"),
)
"""Words, folded letters, after which letters alone are a handle: a text with one of them is worth the look."""

_KEPT = frozenset("@+()/_:;,=&#%\\[]'\"?!")


@cache
def view_table() -> str:
    """What each code point below ``SIZE`` reads as."""
    return "".join(_read(chr(code)) for code in range(SIZE))


@cache
def view_codes() -> list[int]:
    """The same as code points, for ``str.translate``, which takes a list of numbers in half the time of a string."""
    return list(map(ord, view_table()))


def _read(char: str) -> str:
    compatible = unicodedata.normalize("NFKC", char)
    digit = unicodedata.digit(compatible if len(compatible) == 1 else char, None)
    if digit is not None:
        return str(int(digit))
    if compatible in _KEPT:
        return compatible
    if char == "、":
        return ","
    if char == "➕":
        return "+"
    folded = chr(Folding.shipped().table.get(ord(char), ord(char)))
    return EMOJI if folded == char and unicodedata.category(char) == "So" else folded


_COUNTING = re.compile(f"[{''.join(map(chr, NUMERALS))}](?![{COUNTED}])")


def spell(view: str) -> str:
    """The view with digits for the ideographs that spell one out, but for those that count something (三次)."""
    return _COUNTING.sub(lambda match: match[0].translate(NUMERALS), view)


@cache
def class_table() -> NDArray[np.uint8]:
    """The class of each code point for the gate: uint8 [SIZE], read-only."""
    classes = np.array([_class(char) for char in view_table()], dtype=np.uint8)
    classes.flags.writeable = False
    return classes


def _class(char: str) -> int:
    """The class of a character of the view."""
    if char.isascii() and char.isalpha():
        return LETTER + ord(char) - ord("a")
    if char.isascii() and char.isdigit():
        return DIGIT
    if char == GHOST:
        return SKIP
    if char in GAPS:
        return GAP
    if char == "@":
        return AT
    if char in _KEPT:
        return BREAK
    return _IDEOGRAPHS.get(char, OTHER)


@cache
def weight_table() -> NDArray[np.uint8]:
    """How much each code point below ``SIZE`` adds to the suspicion of a text: uint8 [SIZE], read-only."""
    by_class = np.zeros(256, dtype=np.uint8)
    for kind, weight in _WEIGHTS.items():
        by_class[kind] = weight
    weights = by_class[class_table()]
    weights.flags.writeable = False
    return weights


def needs_look(text: str) -> bool:
    """May the text hold private data? Where this says no, ``find`` finds nothing.

    Yes if the weights of its code points add up to ``THRESHOLD`` (a digit or an @ reaches it alone; a spelled-out
    numeral adds 1, a unit of a Chinese address 6), or if it has one of the ``TRIGGERS`` among its folded letters.
    Written to be read: the main search sums the same table in its own pass, and has the same words in its index.
    """
    weights = weight_table()
    if sum(int(weights[ord(char)]) for char in text if ord(char) < SIZE) >= THRESHOLD:
        return True
    letters = Folding.shipped().letters(text)
    return any(word in letters for word in TRIGGERS)
