"""Readings: which letters of a text may stand for which letters of a term.

`steps` is the definition; ``filters.index`` compiles the same relation for the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cache

import msgspec

from filters.views.components import Components
from filters.views.letters import LONGEST_SYLLABLE, is_hanzi, is_latin
from filters.views.sounds import Sounds


class Way(StrEnum):
    """In what way a letter of a term is written."""

    OWN = "own"
    """As itself."""
    HOMOPHONE = "homophone"
    """By a character or digit that is usually read like it."""
    RARE_READING = "rare-reading"
    """By a character that may be read like it."""
    EMOJI = "emoji"
    """By an emoji whose Chinese name sounds like it."""
    PINYIN = "pinyin"
    """Spelled in Latin letters."""
    INITIAL = "initial"
    """By the first Latin letter of its spelling."""
    LOOKALIKE = "look-alike"
    """By a rarer character that shares its components."""
    SPLIT = "split"
    """By its components side by side."""


class Step(msgspec.Struct, frozen=True):
    """So many letters of a text stand for one of a term."""

    text: int
    way: Way


@cache
def syllable(letter: str) -> str:
    """How a letter of a term sounds: a syllable, or itself in upper case (where it is no Chinese character)."""
    known = Sounds.shipped().readings.get(letter)
    return known[0] if known and is_hanzi(letter) else letter.upper()


def steps(chars: str, at: int, term: str, index: int) -> Iterator[Step]:
    """All ways in which letters of a text from ``at`` on may stand for the letter of a term."""
    char, letter = chars[at], term[index]
    if char == letter:
        yield Step(1, Way.OWN)
        return
    yield from _by_sound(chars, at, letter)
    yield from _by_shape(chars, at, letter)


def _by_sound(chars: str, at: int, letter: str) -> Iterator[Step]:
    char, sound, sounds = chars[at], syllable(letter), Sounds.shipped()
    if not is_latin(char):
        readings = sounds.readings.get(char, ())
        if sound in readings:
            yield Step(1, Way.HOMOPHONE if sound == readings[0] else Way.RARE_READING)
        if any(syllable(name) == sound for name in sounds.emoji.get(char, ())):
            yield Step(1, Way.EMOJI)
    elif sound in sounds.spelled:
        if chars.startswith(sound, at):
            yield Step(len(sound), Way.PINYIN)
        if sound[0] == char:
            yield Step(1, Way.INITIAL)


def _by_shape(chars: str, at: int, letter: str) -> Iterator[Step]:
    table = Components.shipped()
    if letter in table.lookalikes.get(chars[at], ""):
        yield Step(1, Way.LOOKALIKE)
    for parts in table.parts.get(letter, ()):
        if len(parts) > 1 and chars.startswith(parts, at):
            yield Step(len(parts), Way.SPLIT)


def spellings(letters: str) -> bool:
    """Is a run of Latin letters nothing but whole syllables?"""
    known = Sounds.shipped().spelled
    ends = {0}
    for end in range(1, len(letters) + 1):
        if any(end - size in ends and letters[end - size : end] in known for size in range(1, LONGEST_SYLLABLE + 1)):
            ends.add(end)
    return len(letters) in ends


_NEVER_BESIDE = {Way.PINYIN: Way.INITIAL, Way.INITIAL: Way.PINYIN}


def paths(chars: str, term: str) -> Iterator[tuple[Step, ...]]:
    """All ways to read all the letters of a text as all those of a term."""
    pending: list[tuple[int, int, tuple[Step, ...]]] = [(0, 0, ())]
    while pending:
        at, index, taken = pending.pop()
        if at == len(chars) and index == len(term):
            yield taken
        elif at < len(chars) and index < len(term):
            # Nobody spells some letters and abbreviates others: without this, long runs could be read in endless ways.
            ways = {step.way for step in taken}
            pending += (
                (at + step.text, index + 1, (*taken, step))
                for step in steps(chars, at, term, index)
                if _NEVER_BESIDE.get(step.way) not in ways
            )
