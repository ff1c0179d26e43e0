"""Sounds: the toneless syllables as which characters, digits and emoji are read."""

from __future__ import annotations

from functools import cache
from typing import Self

import msgspec

from filters.tables import packed

_VOWELS = frozenset("aeiouv")


class Sounds(msgspec.Struct, frozen=True):
    """What is read how. Syllables are toneless Hanyu Pinyin, ``v`` for ü."""

    readings: dict[str, tuple[str, ...]]
    """The syllables of a simplified character or a digit, the usual one first."""
    emoji: dict[str, tuple[str, ...]]
    """The names of an emoji in Chinese that CLDR knows and that are one simplified character."""

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """The table in the package."""
        return packed.shipped("sounds", cls)

    @property
    def spelled(self) -> frozenset[str]:
        """All syllables, as Latin letters spell them; grunts (``hng``) are none."""
        return _spelled()


@cache
def _spelled() -> frozenset[str]:
    found = {syllable for readings in Sounds.shipped().readings.values() for syllable in readings}
    return frozenset(syllable for syllable in found if not _VOWELS.isdisjoint(syllable))
