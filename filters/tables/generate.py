"""Generates ``folding.bin`` from the Unicode data of this Python, Unicode's confusables and OpenCC's dictionaries.

Run ``python -m filters.tables.generate`` after raising the version of either, and commit the result.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from functools import cache
from importlib import resources
from pathlib import Path

from opencc import OpenCC

from filters.folding import BREAK, FULL_STOP, GHOST, SEPARATOR, SPACE, Folding

CLAUSE_PUNCTUATION = frozenset(",;:!?。、¡¿؟،؛।")
"""What ends a clause or an item of a list (in compatibility form): a match across it would join two statements."""

MENTION = "@"
"""Begins somebody's name or an address's host, which is another thing than the word before it."""

BLANK_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols that show nothing (the Hangul fillers and their kind)."""

KANA_VOICING = frozenset("\u3099\u309a")
"""Marks that change which syllable is meant; all other combining marks only dress a letter up."""

ALPHABETS = ("CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE", "LATIN")
"""Scripts, by the names of their characters, some letters of which look Latin."""

MERGED = {"妳": "你", "牠": "它", "祂": "他", "瞭": "了", "藉": "借", "著": "着"}
"""What OpenCC converts in some words only, or not at all because a shade of meaning is lost. A fold may lose it."""


def generate() -> Folding:
    """The folding of every code point that does not stand for itself."""
    table = {code: ord(fold(chr(code))) for code in range(sys.maxunicode + 1)}
    return Folding({code: to for code, to in table.items() if code != to}, unicodedata.unidata_version)


def fold(char: str) -> str:
    """The character or class that stands for one character: width, case, accents, then script."""
    kind = classify(char)
    if kind:
        return kind
    folded = char
    for _ in range(2):  # casefold may expose a compatibility form, and the other way round
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded.casefold()) if not is_dressing(c))
    folded = unicodedata.normalize("NFC", folded)
    if len(folded) == 1 and not folded.isascii() and unicodedata.name(folded, "").startswith(ALPHABETS):
        folded = lookalikes().get(folded) or lookalikes().get(char, folded)
    # One character that stands for several (a ligature, a unit) stays what it is: offsets would no longer agree.
    return simplified().get(folded, folded) if len(folded) == 1 else char


def classify(char: str) -> str:
    """The class of a character that is no part of any word; empty for one that may be."""
    compatible = unicodedata.normalize("NFKC", char)
    category = unicodedata.category(char)
    if compatible == MENTION or set(compatible) <= CLAUSE_PUNCTUATION or "" in char.splitlines():
        return BREAK
    if char.isspace():
        return SPACE
    if compatible == FULL_STOP:
        return FULL_STOP
    if category in ("Cf", "Cc") or is_dressing(char) or char in BLANK_LETTERS:
        return GHOST
    if category.startswith("P") or category in ("Sm", "Sk"):
        return SEPARATOR
    return ""


def is_dressing(char: str) -> bool:
    """Is it a combining mark that leaves the letter under it what it was?"""
    return unicodedata.category(char) in ("Mn", "Me") and char not in KANA_VOICING


@cache
def lookalikes() -> dict[str, str]:
    """Letters that look like a Latin one, and that one (Unicode's confusables)."""
    table = json.loads((resources.files("confusable_homoglyphs") / "confusables.json").read_text(encoding="utf-8"))
    found = {}
    for char, others in table.items():
        latin = [other["c"].casefold() for other in others if len(other["c"]) == 1 and other["c"].isascii()]
        letters = [letter for letter in latin if letter.isalpha()]
        if len(char) == 1 and letters:
            found[char] = letters[0]
    return found


@cache
def simplified() -> dict[str, str]:
    """Traditional characters and their simplified ones (OpenCC t2s, one character at a time)."""
    letters = (chr(code) for code in range(0x2E80, sys.maxunicode + 1))
    ideographs = [char for char in letters if unicodedata.category(char) == "Lo"]
    converted = OpenCC("t2s").convert("\n".join(ideographs)).split("\n")
    pairs = {old: new for old, new in zip(ideographs, converted, strict=True) if len(new) == 1} | MERGED
    return {old: pairs.get(new, new) for old, new in pairs.items()}  # what is simplified in two steps: both at once


if __name__ == "__main__":
    Path(str(resources.files("filters.tables") / "folding.bin")).write_bytes(generate().to_bytes())
