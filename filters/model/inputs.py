"""The inputs of the combination, in one place for training and for scoring."""

from __future__ import annotations

from math import exp, log, log1p

import numpy as np
from numpy.typing import NDArray

from filters.model.features import context_size
from filters.model.grams import DIGITS, IDEOGRAPHS, LATINS, MARKERS, SIZE, SPELLED, SYMBOLS
from filters.model.rewriting import HEARD, marker_names
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
    if not is_english(context):
        for head in map(HEADS.index, LATIN_HEADS):
            found[AT_LETTERS + head] = found[AT_SOUNDS + head] = 0.0
    rest = found[AT_CONTEXT:]
    rest[:-1] = np.minimum(context, MOST) / MOST
    rest[SIZE] = log1p(size) / 4
    for share in (LATINS, SPELLED, IDEOGRAPHS, DIGITS, SYMBOLS):
        rest[share] = context[share] / size
    rest[-1] = terms
    assert len(rest) > MARKERS
    return found


def names() -> tuple[str, ...]:
    """What each input is."""
    heads = [f"{view}.{head}" for view in ("letters", "sounds") for head in HEADS]
    counts = ("size", "latin", "spelled", "ideograph", "digit", "symbol", "question", "quote", "exclamation")
    return (*heads, *counts, *marker_names(), "terms")


AT_GROUP, AT_HEARD_GROUP = -2 - len(HEARD), -2
"""Does a group's name stand there; and does anything sound as if Chinese spoke of groups? The last of the markers."""
LATIN_HEADS = ("english", "contrast")
"""Heads that know English only: of other texts they say nothing."""
GROUP_ASIDE, DIRECT_ASIDE, CHAT_ASIDE = 2.0, 1.0, 2.0
"""By what the logit of an output is lowered for texts that it is not for: that speak of no groups, or that do."""
DIRECT, CHAT, ENGLISH, ENGLISH_GROUP = 0.6, 4.5, 1.1, 0.7
"""By what these outputs are lowered always: most of their examples are hostile, most of what people write is not.
The last is for English with a group's name."""

PINYIN = 12
"""Letters that must be spelled in syllables before a text may be pinyin: `haha` is English too."""


def is_english(context: NDArray[np.int64]) -> bool:
    """Are there as many Latin letters as others, or more, but not most of them pinyin?"""
    latin, spelled = int(context[LATINS]), int(context[SPELLED])
    return latin >= context[IDEOGRAPHS] and (spelled < PINYIN or 4 * spelled <= 3 * latin)


def hostile(logits: NDArray[np.float64], row: NDArray[np.float64], english: bool) -> float:
    """The logit of any abuse: that one expert or another is right."""
    group, direct, chat, in_english, _ = map(float, logits)
    if english:
        return in_english - (ENGLISH_GROUP if row[AT_GROUP] > 0 else ENGLISH)
    if row[AT_HEARD_GROUP] > 0:
        direct -= DIRECT_ASIDE
        chat -= CHAT_ASIDE
    else:
        group -= GROUP_ASIDE
    chances = sum(map(exp, (group, direct - DIRECT, chat - CHAT)))
    return log(chances)
