"""What the rules hand over, and what they share: spans of the view, and the words around them."""

from __future__ import annotations

import re

import msgspec

from filters.folding import is_word


class Finding(msgspec.Struct, frozen=True):
    """One piece of private data: a half-open span of the view, and its kind."""

    start: int
    end: int
    kind: str


REACH = 24
"""How many characters before a number a word that explains it may stand."""


def last_cue(cues: re.Pattern[str], view: str, start: int) -> str | None:
    """The name of the group of the last match of ``cues`` in the ``REACH`` characters before ``start``."""
    name = None
    for match in cues.finditer(view, max(0, start - REACH), start):
        name = match.lastgroup
    return name


def stands_alone(view: str, start: int, end: int) -> bool:
    """Is the span no part of a word, an address of a page, a parameter or a name?"""
    if start:
        before = view[start - 1]
        if is_word(before) or before in "_=&@#%/\\":
            return False
    if end < len(view):
        after = view[end]
        return not (is_word(after) or after in "_@%=\\")
    return True
