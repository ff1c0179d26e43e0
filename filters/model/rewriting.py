"""Rewriting: what is read as one letter (components side by side, names of groups of people), and marked in passing.

A table of sequences of up to four letters, or whole Latin words, by their hash: open addressing, int64 [SLOTS, 2], the
sequence's hash and what it means: in the low bits the letter that stands for it (0: none), above them a bit for
each marker.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from itertools import chain as chained
from itertools import pairwise
from math import exp

import numpy as np
from numpy.typing import NDArray

from filters.folding import Folding
from filters.model.alphabet import syllables
from filters.views.components import Components
from filters.views.letters import is_hanzi, is_latin
from filters.views.readings import syllable
from filters.views.words import Words

SLOTS = 1 << 16
SEED, HEARD_SEED = 0x1B873593, 0x52DCE729
LONGEST = 4
MARKER = 22
"""The bit of the first marker: letters lie below."""
GROUP = 0x110000
"""The letter that stands for names of the first kind of groups; the next one's is one more. Above all code points."""
GATE_BITS = 1 << 18
_MULTIPLIER = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def chain(letters: Iterable[int], seed: int = SEED) -> int:
    """The hash of a sequence, as `filters.model.grams.step` makes it from the seed on."""
    hashed = seed
    for letter in letters:
        hashed = (hashed ^ letter) * _MULTIPLIER & _MASK
        hashed ^= hashed >> 29
    return hashed


@cache
def _file() -> dict[str, dict[str, str]]:
    return tomllib.loads((resources.files("filters.model") / "markers.toml").read_text(encoding="utf-8"))


HEARD = ("insult", "curse", "group")
"""Markers that are looked for by their sounds as well."""


@cache
def marker_names() -> tuple[str, ...]:
    """The markers, in the order of their bits: those of the file, that of a group's name, and those that are heard."""
    return (*_file()["markers"], "group", *(f"heard {name}" for name in HEARD))


def group_names() -> list[str]:
    """All names of groups of people."""
    return " ".join(_file()["groups"].values()).split()


def marker(name: str) -> int:
    """A marker's bit in a meaning."""
    return 1 << MARKER + marker_names().index(name)


def meanings() -> dict[str, int]:
    """What each sequence of letters means."""
    found = dict(_components())
    fold = Folding.shipped().letters
    for name, words in _file()["markers"].items():
        for word in words.split():
            found[fold(word)] = found.get(fold(word), 0) | marker(name)
    for kind, names in enumerate(_file()["groups"].values()):
        for word in names.split():
            found[fold(word)] = GROUP + kind | marker("group")
    too_long = [one for one in found if len(one) > LONGEST and not all(map(is_latin, one))]
    if too_long:
        raise ValueError(f"longer than {LONGEST} letters: {too_long}")
    return found


def heard() -> dict[tuple[int, ...], int]:
    """What each sequence of sounds means: the words of HEARD that have two syllables or more.

    Heard as a group is whatever a text about groups may be known by: their names, and the marker ``topic``.
    """
    found: dict[tuple[int, ...], int] = {}
    words = {name: _file()["markers"].get(name, "").split() for name in HEARD}
    words["group"] = [*group_names(), *_file()["markers"]["topic"].split()]
    for name in HEARD:
        for word in map(Folding.shipped().letters, words[name]):
            if 2 <= len(word) <= LONGEST and all(map(is_hanzi, word)):
                sounds = tuple(syllables()[syllable(char)] for char in word)
                found[sounds] = found.get(sounds, 0) | marker(f"heard {name}")
    return found


def _components() -> Iterator[tuple[str, int]]:
    """Components side by side that stand side by side in no word: the most usual character that they make."""
    usual: dict[str, float] = {}
    together: set[str] = set()
    for word, cost in Words.shipped().chinese.items():
        for char in word:
            usual[char] = usual.get(char, 0.0) + exp(-cost)
        together.update(map("".join, pairwise(word)))
    made: dict[str, str] = {}
    for char, ways in sorted(Components.shipped().parts.items()):
        for parts in ways:
            apart = not any("".join(pair) in together for pair in pairwise(parts))
            if char in usual and 2 <= len(parts) <= LONGEST and apart:
                made[parts] = max(made.get(parts, char), char, key=lambda one: (usual[one], one))
    for parts, char in made.items():
        yield parts, ord(char)


@cache
def table() -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The table described above, and a set of bits of its hashes (a gate before it); read-only."""
    slots = np.zeros((SLOTS, 2), dtype=np.int64)
    gate = np.zeros(GATE_BITS // 8, dtype=np.uint8)
    written = ((chain(map(ord, letters)), meaning) for letters, meaning in sorted(meanings().items()))
    for hashed, meaning in chained(
        written, ((chain(sounds, HEARD_SEED), one) for sounds, one in sorted(heard().items()))
    ):
        slot = hashed & SLOTS - 1
        while slots[slot, 0]:
            slot = slot + 1 & SLOTS - 1
        slots[slot] = np.uint64(hashed).astype(np.int64), meaning
        bit = hashed >> 40 & GATE_BITS - 1
        gate[bit >> 3] |= 1 << (bit & 7)
    slots.flags.writeable = gate.flags.writeable = False
    return slots, gate
