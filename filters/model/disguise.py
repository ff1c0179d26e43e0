"""Disguise: ordinary text respelled as evaders do, so that training learns how far each view is to be trusted then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from math import exp

import numpy as np

from filters.folding import Folding
from filters.views.components import Components
from filters.views.letters import is_hanzi
from filters.views.sounds import Sounds
from filters.views.words import Words

_SHARE = 0.45
"""Of the words, as many are respelled."""


@cache
def _homophones() -> dict[str, str]:
    """The more usual characters of each syllable."""
    usual: dict[str, float] = defaultdict(float)
    for word, cost in Words.shipped().chinese.items():
        for char in word:
            usual[char] += exp(-cost)
    found: dict[str, list[str]] = defaultdict(list)
    for char, readings in sorted(Sounds.shipped().readings.items()):
        if is_hanzi(char) and usual[char] > 0:
            found[readings[0]].append(char)
    return {sound: "".join(sorted(chars, key=lambda one: -usual[one])[:12]) for sound, chars in found.items()}


def disguised(text: str, chance: np.random.Generator) -> str:
    """The text with some of its words in one disguise: homophones, pinyin, initials or components."""
    way = int(chance.integers(4))
    folded = Folding.shipped().fold(text)
    respelled = []
    for word in _words(folded):
        known = all(is_hanzi(char) and char in Sounds.shipped().readings for char in word)
        respelled.append(_respelled(word, way, chance) if known and chance.random() < _SHARE else word)
    return "".join(respelled)


def _words(text: str) -> Sequence[str]:
    """The longest words of the list of words, from left to right."""
    words, at = [], 0
    known = Words.shipped().chinese
    while at < len(text):
        size = next((size for size in (4, 3, 2) if text[at : at + size] in known), 1)
        words.append(text[at : at + size])
        at += size
    return words


def _respelled(word: str, way: int, chance: np.random.Generator) -> str:
    sounds = [Sounds.shipped().readings[char][0] for char in word]
    if way == 0:
        choices = [_homophones().get(sound, char) for sound, char in zip(sounds, word, strict=True)]
        return "".join(chars[int(chance.integers(len(chars)))] for chars in choices)
    if way == 1:
        return ("" if chance.random() < 0.5 else " ").join(sounds)
    if way == 2:
        return "".join(sound[0] for sound in sounds)
    parts = [Components.shipped().parts.get(char, (char,)) for char in word]
    return "".join(ways[int(chance.integers(len(ways)))] for ways in parts)
