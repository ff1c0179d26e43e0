"""The model in plain Python: what the kernels of `filters.model` must find, written to be read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from filters.folding import BREAK, FULL_STOP, GHOST, SEPARATOR, SPACE, Folding
from filters.model import alphabet, rewriting
from filters.model.rewriting import GROUP, HEARD_SEED, LONGEST, MARKER, SEED
from filters.views.letters import is_hanzi, is_latin
from filters.views.sounds import Sounds

MASK = (1 << 64) - 1
MULTIPLIER = 0x9E3779B97F4A7C15


def step(hashed: int, letter: int) -> int:
    hashed = (hashed ^ letter) * MULTIPLIER & MASK
    return hashed ^ hashed >> 29


def bucket(hashed: int) -> int:
    return (hashed * MULTIPLIER & MASK) >> 46


def chain(seed: int, letters: list[int]) -> int:
    for letter in letters:
        seed = step(seed, letter)
    return seed


def is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def letters_of(text: str) -> list[tuple[str, int]]:
    """Letters and their sounds. BREAK at both ends and between clauses, SPACE between Latin letters or digits."""
    found: list[tuple[str, int]] = [(BREAK, ord(BREAK))]
    gap = False
    for char, folded in zip(text, Folding.shipped().fold(text), strict=True):
        last = found[-1][0]
        if folded in (GHOST, SEPARATOR):
            continue
        if folded in (SPACE, FULL_STOP):
            gap = True
            continue
        if folded == BREAK and last == BREAK:
            continue
        plain = (is_latin(folded) or is_digit(folded)) and (is_latin(last) or is_digit(last))
        if gap and plain:
            found.append((SPACE, ord(SPACE)))
        elif len(found) > 1 and found[-1][0] == found[-2][0] == folded:
            gap = False
            continue
        gap = False
        found.append((folded, sound_of(char, folded)))
    return found if found[-1][0] == BREAK else [*found, (BREAK, ord(BREAK))]


def sound_of(char: str, folded: str) -> int:
    known = Sounds.shipped()
    if (is_hanzi(folded) or folded.isdigit()) and folded in known.readings:
        return alphabet.syllables()[known.readings[folded][0]]
    names = known.emoji.get(char) or known.emoji.get(folded)
    if names and names[0] in known.readings:
        return alphabet.syllables()[known.readings[names[0]][0]]
    return ord(folded)


def spelled(run: str) -> list[int]:
    """A Latin run as syllables, the longest first that leads to the end; or as one sound."""
    known = Sounds.shipped().spelled
    if 1 < len(run) <= 48:
        ways: dict[int, list[str]] = {len(run): []}
        for start in range(len(run) - 1, -1, -1):
            for size in range(6, 0, -1):
                if (
                    run[start : start + size] in known
                    and len(run[start : start + size]) == size
                    and start + size in ways
                ):
                    ways[start] = [run[start : start + size], *ways[start + size]]
                    break
        if 0 in ways:
            return [alphabet.syllables()[syllable] for syllable in ways[0]]
    return [chain(0x51ED270B, [ord(char) for char in run]) >> 24 | 0x200000 << 16]


@cache
def known() -> tuple[dict[str, int], dict[tuple[int, ...], int]]:
    return rewriting.meanings(), rewriting.heard()


def rewritten(text: str) -> tuple[list[int], list[int], dict[str, int]]:
    """The letters, the sounds, and how often each marker stands there."""
    meanings, heard = known()
    found = letters_of(text)
    letters: list[int] = []
    sounds: list[int] = []
    marks = dict.fromkeys(rewriting.marker_names(), 0)

    def mark(meaning: int) -> None:
        for number, name in enumerate(rewriting.marker_names()):
            marks[name] += meaning >> MARKER + number & 1

    at = 0
    while at < len(found):
        char = found[at][0]
        size, letter = 1, 0
        if is_latin(char):
            while is_latin(found[at + size][0]):
                size += 1
            run = "".join(one for one, _ in found[at : at + size])
            mark(meanings.get(run, 0))
            letter = meanings.get(run, 0) & (1 << MARKER) - 1
            sounds += spelled(run)
            letters += [letter] if letter else map(ord, run)
            at += size
            continue
        if char != BREAK:
            for end in range(at + 1, min(at + LONGEST, len(found)) + 1):
                if found[end - 1][0] == BREAK or is_latin(found[end - 1][0]):
                    break
                meaning = meanings.get("".join(one for one, _ in found[at:end]), 0)
                mark(meaning)
                if meaning & (1 << MARKER) - 1:
                    size, letter = end - at, meaning & (1 << MARKER) - 1
        if 0 < letter < GROUP:
            sounds.append(sound_of(chr(letter), chr(letter)))
        elif char != SPACE:
            sounds += [sound for _, sound in found[at : at + size]]
        letters.append(letter or ord(char))
        at += size
    for start in range(len(sounds)):
        for size in range(2, LONGEST + 1):
            mark(heard.get(tuple(sounds[start : start + size]), 0) if start + size <= len(sounds) else 0)
    return letters, sounds, marks


def letter_buckets(letters: list[int]) -> Iterator[int]:
    """Runs of letters that do not go on after a break, Latin words, and pairs of them in one clause."""

    def latin(letter: int) -> bool:
        return 0x61 <= letter <= 0x7A

    word: list[int] = []
    before = 0
    for at, letter in enumerate(letters):
        if latin(letter):
            word.append(letter)
        elif word:
            this = chain(0x51ED270B, word)
            yield bucket(this)
            if before:
                yield bucket(step(before ^ 0x2545F491, this))
            before, word = this, []
        if letter == ord(BREAK):
            before = 0
        small = latin(letter) or letter == ord(SPACE)
        for size in range(1, (5 if small else 4) + 1):
            run = letters[at : at + size]
            if len(run) < size or ord(BREAK) in run[1:-1]:
                break
            if size >= (3 if small else 1) and run != [ord(BREAK)]:
                yield bucket(chain(1, run))


def sound_buckets(sounds: list[int]) -> Iterator[int]:
    for at in range(len(sounds)):
        for size in range(1, 5):
            run = sounds[at : at + size]
            if len(run) < size or ord(BREAK) in run[1:-1]:
                break
            if run != [ord(BREAK)]:
                yield bucket(chain(0x2545F491, run))


__all__ = ["HEARD_SEED", "SEED", "letter_buckets", "rewritten", "sound_buckets"]
