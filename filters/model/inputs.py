"""The inputs of the combination, in one place for training and for scoring."""

from __future__ import annotations

from math import exp, log1p

import numpy as np
from numpy.typing import NDArray

from filters.model.features import context_size
from filters.model.grams import DIGITS, LATINS, MARKERS, SIZE, SYMBOLS
from filters.model.rewriting import marker_names
from filters.model.weights import HEADS

MOST = 3
"""A count beyond it says no more."""
AT_LETTERS, AT_SOUNDS, AT_CONTEXT = 0, len(HEADS), 2 * len(HEADS)


def count() -> int:
    """How many inputs there are: both views' heads, the context, the terms' score."""
    return AT_CONTEXT + context_size() + 1


def of(
    letters: NDArray[np.float64], sounds: NDArray[np.float64], context: NDArray[np.int64], terms: float
) -> NDArray[np.float64]:
    """The inputs for one text: the definition of what the kernel makes."""
    found = np.empty(count())
    found[AT_LETTERS:AT_SOUNDS] = letters
    found[AT_SOUNDS:AT_CONTEXT] = sounds
    size = max(int(context[SIZE]), 1)
    if not is_latin(context):
        for head in map(HEADS.index, LATIN_HEADS):
            found[AT_LETTERS + head] = found[AT_SOUNDS + head] = 0.0
    rest = found[AT_CONTEXT:]
    rest[:-1] = np.minimum(context, MOST) / MOST
    rest[SIZE] = log1p(size) / 4
    for share in (LATINS, DIGITS, SYMBOLS):
        rest[share] = context[share] / size
    rest[-1] = terms
    assert len(rest) > MARKERS
    return found


def names() -> tuple[str, ...]:
    """What each input is."""
    heads = [f"{view}.{head}" for view in ("letters", "sounds") for head in HEADS]
    counts = ("size", "latin", "digit", "symbol", "question", "quote", "exclamation")
    return (*heads, *counts, *marker_names(), "terms")


AT_HEARD_GROUP = -2
"""Does a group's name stand there, or what sounds like one? The last of the markers."""
LATIN_HEADS = ("english", "contrast")
"""Heads that know English only: of other texts they say nothing."""
GROUP_ASIDE, CHAT_ASIDE = 3.0, 2.0
"""By what the logit of an output is lowered for texts that it is not for: without a group's name, or with one."""
CHAT_CHINESE, CHAT_ENGLISH = 0.5, 1.2
"""By what the chat output is lowered always: most of its examples are hostile, most of what people write is not."""


def is_latin(context: NDArray[np.int64]) -> bool:
    """Are half of the letters Latin ones, or more?"""
    return bool(2 * context[LATINS] >= context[SIZE])


def hostile(logits: NDArray[np.float64], row: NDArray[np.float64]) -> float:
    """The logit of any abuse: that one or the other expert is right. Of English texts the one for chat decides."""
    group, chat = float(logits[0]), float(logits[1])
    if 2 * row[AT_CONTEXT + LATINS] >= 1:
        return chat - CHAT_ENGLISH
    chat -= CHAT_CHINESE
    if row[AT_HEARD_GROUP] > 0:
        chat -= CHAT_ASIDE
    else:
        group -= GROUP_ASIDE
    most = max(group, chat)
    return most + log1p(exp(min(group, chat) - most))
