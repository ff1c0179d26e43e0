"""Grams: the runs of one to five letters, one to four sounds, and one to two words of a text, as bucket numbers.

Kernels only; `alphabet` makes the tables that they read. What is added up for a bucket is not their concern.
"""

from __future__ import annotations

from numba import int64, uint64

from filters.machine_code import called, inlined
from filters.model.alphabet import (
    DIGIT,
    END,
    FIRST_SYLLABLE,
    GAP,
    LATIN,
    LEAVES,
    LETTER,
    NOTHING,
    OTHER,
    ROW,
    SIGN,
    SOUND,
)
from filters.model.rewriting import GATE_BITS, GROUP, HEARD_SEED, LONGEST, MARKER, SEED, SLOTS
from filters.utf8 import TRUNCATED, decode

BITS = 18
"""There are 2**BITS buckets in each table of weights."""
_SHIFT = 64 - BITS
_MULTIPLIER = 0x9E3779B97F4A7C15

BREAK = 0x2C
SPACE = 0x20
LONGEST_RUN = 48
"""Latin letters that may be spelled syllables; a longer run is no pinyin."""
WORDS, SOUNDS = 0x51ED270B, 0x2545F491
"""Where the hashes of words and of sounds begin: that of letters begins with 1."""
MOST_LETTERS = 5
MOST_SOUNDS = 4

# What the context of a text is counted as; the markers of `rewriting` follow.
SIZE, LATINS, SPELLED, IDEOGRAPHS, DIGITS, SYMBOLS, QUESTIONS, QUOTES, EXCLAMATIONS, MARKERS = range(10)
"""SPELLED: Latin letters in runs that may be pinyin. IDEOGRAPHS: and letters of other scripts than Latin."""
FIRST_SYMBOL = 0x1F000
"""Code points from here on are emoji, but for rare characters."""

# Columns of the scratch: an int64 array [len(utf8) + 8, 4].
LETTERS_AT, KINDS_AT, SOUNDS_AT, RAW_AT = 0, 1, 2, 3


@inlined
def step(hashed, letter):  # type: ignore[no-untyped-def]
    """The hash of one letter more."""
    mixed = (uint64(hashed) ^ uint64(letter)) * uint64(_MULTIPLIER)
    return mixed ^ (mixed >> uint64(29))


@inlined
def bucket_of(hashed):  # type: ignore[no-untyped-def]
    """The bucket of a gram."""
    return int64((uint64(hashed) * uint64(_MULTIPLIER)) >> uint64(_SHIFT))


@called
def _spell(spelling, scratch, at, run, sounds):  # type: ignore[no-untyped-def]
    """A run of Latin letters: the fewest syllables from its end on, the longest first; or itself, as one sound."""
    if run <= LONGEST_RUN:
        # Column RAW_AT from 0 on: how long the first syllable is from each letter on, 0 if there is no way to the end.
        for back in range(run - 1, -1, -1):
            node = 0
            longest = 0
            for size in range(1, min(6, run - back) + 1):
                node = int64(spelling[node, scratch[at + back + size - 1, LETTERS_AT] - 0x61])
                if node == 0:
                    break
                whole = back + size == run or scratch[back + size, RAW_AT] > 0
                if spelling[node, LEAVES] > 0 and whole:
                    longest = size
            scratch[back, RAW_AT] = longest
        if scratch[0, RAW_AT] > 0 and run > 1:
            back = 0
            while back < run:
                node = 0
                longest = scratch[back, RAW_AT]
                for size in range(longest):
                    node = int64(spelling[node, scratch[at + back + size, LETTERS_AT] - 0x61])
                scratch[sounds, SOUNDS_AT] = spelling[node, LEAVES]
                sounds += 1
                back += longest
            return sounds
    hashed = uint64(WORDS)
    for offset in range(run):
        hashed = step(hashed, scratch[at + offset, LETTERS_AT])
    scratch[sounds, SOUNDS_AT] = int64(hashed >> uint64(24)) | FIRST_SYLLABLE << 16
    return sounds + 1


@inlined
def _meaning(meanings, gate, hashed, context):  # type: ignore[no-untyped-def]
    """The letter that stands for a sequence, or 0. Its markers are counted."""
    bit = int64(hashed >> uint64(40)) & (GATE_BITS - 1)
    if gate[bit >> 3] >> (bit & 7) & 1 == 0:
        return int64(0)
    slot = int64(hashed & uint64(SLOTS - 1))
    key = int64(hashed)
    while meanings[slot, 0] != 0:
        if meanings[slot, 0] == key:
            meaning = int64(meanings[slot, 1])
            marks = meaning >> MARKER
            number = MARKERS
            while marks > 0:
                context[number] += marks & 1
                marks >>= 1
                number += 1
            return meaning & ((1 << MARKER) - 1)
        slot = (slot + 1) & (SLOTS - 1)
    return int64(0)


@inlined
def _read_letters(alphabet, utf8, end, scratch, context):  # type: ignore[no-untyped-def]
    size = 1
    scratch[0, LETTERS_AT] = BREAK
    scratch[0, KINDS_AT] = END
    scratch[0, SOUNDS_AT] = BREAK
    gap = False
    i = int64(0)
    while i < end:
        code, i = decode(utf8, i, end)
        if code == TRUNCATED:
            break
        page = int64(alphabet[code >> 8])
        letter, sound, kind = code, code, int64(OTHER)
        if page >= 0:
            row = page + ROW * (code & 0xFF)
            letter = int64(alphabet[row + LETTER])
            sound = int64(alphabet[row + SOUND])
            kind = int64(alphabet[row + SIGN])
        context[QUESTIONS] += kind >> 3 & 1
        context[QUOTES] += kind >> 4 & 1
        context[EXCLAMATIONS] += kind >> 5 & 1
        kind &= 7
        if kind == NOTHING:
            continue
        if kind == GAP:
            gap = True
            continue
        before = int64(scratch[size - 1, KINDS_AT])
        if kind == END and before == END:
            continue
        if gap and kind in (LATIN, DIGIT) and before in (LATIN, DIGIT):
            scratch[size, LETTERS_AT] = SPACE
            scratch[size, KINDS_AT] = GAP
            scratch[size, SOUNDS_AT] = SPACE
            size += 1
        elif size > 1 and scratch[size - 1, LETTERS_AT] == letter and scratch[size - 2, LETTERS_AT] == letter:
            gap = False
            continue
        gap = False
        scratch[size, LETTERS_AT] = letter
        scratch[size, KINDS_AT] = kind
        scratch[size, SOUNDS_AT] = sound
        context[LATINS] += kind == LATIN
        context[DIGITS] += kind == DIGIT
        context[SYMBOLS] += letter >= FIRST_SYMBOL
        context[IDEOGRAPHS] += kind == OTHER and letter < FIRST_SYMBOL
        size += 1
    if scratch[size - 1, KINDS_AT] != END:
        scratch[size, LETTERS_AT] = BREAK
        scratch[size, KINDS_AT] = END
        scratch[size, SOUNDS_AT] = BREAK
        size += 1
    context[SIZE] = size
    return size


@inlined
def _rewrite(alphabet, spelling, meanings, gate, scratch, size, context):  # type: ignore[no-untyped-def]
    """Letters and sounds, each side by side in their columns: how many of each. A group's name keeps its sounds."""
    kept = sounds = at = 0
    while at < size:
        kind = scratch[at, KINDS_AT]
        if kind == LATIN:
            taken = 1
            hashed = step(uint64(SEED), scratch[at, LETTERS_AT])
            while scratch[at + taken, KINDS_AT] == LATIN:  # a text ends with a break
                hashed = step(hashed, scratch[at + taken, LETTERS_AT])
                taken += 1
            sounds = _spell(spelling, scratch, at, taken, sounds)
            if scratch[sounds - 1, SOUNDS_AT] < FIRST_SYLLABLE << 16:
                context[SPELLED] += taken
            letter = _meaning(meanings, gate, hashed, context)
            if letter > 0:
                scratch[kept, LETTERS_AT] = letter
                scratch[kept, KINDS_AT] = OTHER
                kept += 1
            else:
                for offset in range(taken):
                    scratch[kept, LETTERS_AT] = scratch[at + offset, LETTERS_AT]
                    scratch[kept, KINDS_AT] = LATIN
                    kept += 1
            at += taken
            continue
        taken = 1
        letter = int64(0)
        if kind != END:
            hashed = uint64(SEED)
            for offset in range(min(LONGEST, size - at)):
                if scratch[at + offset, KINDS_AT] == LATIN or scratch[at + offset, KINDS_AT] == END:
                    break
                hashed = step(hashed, scratch[at + offset, LETTERS_AT])
                found = _meaning(meanings, gate, hashed, context)
                if found > 0:
                    letter = found
                    taken = offset + 1
        if 0 < letter < GROUP:
            page = int64(alphabet[letter >> 8])
            scratch[sounds, SOUNDS_AT] = int64(alphabet[page + ROW * (letter & 0xFF) + SOUND]) if page >= 0 else letter
            sounds += 1
        elif kind != GAP:
            for offset in range(taken):
                scratch[sounds, SOUNDS_AT] = scratch[at + offset, SOUNDS_AT]
                sounds += 1
        scratch[kept, LETTERS_AT] = letter if letter > 0 else scratch[at, LETTERS_AT]
        scratch[kept, KINDS_AT] = OTHER if letter > 0 else kind
        kept += 1
        at += taken
    for at in range(sounds):
        hashed = uint64(HEARD_SEED)
        for offset in range(min(LONGEST, sounds - at)):
            hashed = step(hashed, scratch[at + offset, SOUNDS_AT])
            if offset > 0:
                _meaning(meanings, gate, hashed, context)
    return kept, sounds


@called
def read(alphabet, spelling, meanings, gate, utf8, end, scratch, context):  # type: ignore[no-untyped-def]
    """A text's letters with their kinds, and its sounds, into the scratch: how many of each.

    ``context`` (int64) takes what the text consists of.

    Nothing stands for what is skipped, one break for the end of each clause and of the text, one space between Latin
    letters or digits; of more than two of the same letter, two. What `rewriting` knows as one letter is one.
    """
    context[:] = 0
    size = _read_letters(alphabet, utf8, end, scratch, context)
    return _rewrite(alphabet, spelling, meanings, gate, scratch, size, context)


@called
def letter_grams(scratch, size, grams):  # type: ignore[no-untyped-def]
    """The hashes of the runs of letters, and of the Latin words and pairs of them: how many. uint64 ``grams``."""
    count = 0
    word = uint64(WORDS)
    previous = uint64(0)
    for at in range(size):
        kind = scratch[at, KINDS_AT]
        if kind == LATIN:
            word = step(word, scratch[at, LETTERS_AT])
        elif word != uint64(WORDS):
            count = _word(grams, count, word, previous)
            previous = word
            word = uint64(WORDS)
        if kind == END:
            previous = uint64(0)
        hashed = uint64(1)
        least = 3 if kind in (LATIN, GAP) else 1
        most = MOST_LETTERS if kind in (LATIN, GAP) else 4
        for offset in range(min(most, size - at)):
            hashed = step(hashed, scratch[at + offset, LETTERS_AT])
            if offset + 1 >= least and not (kind == END and offset == 0):
                grams[count] = hashed
                count += 1
            if offset > 0 and scratch[at + offset, KINDS_AT] == END:
                break
    return count


@inlined
def _word(grams, count, word, previous):  # type: ignore[no-untyped-def]
    grams[count] = word
    count += 1
    if previous != uint64(0):
        grams[count] = step(previous ^ uint64(SOUNDS), word)
        count += 1
    return count


@called
def sound_grams(scratch, sounds, grams):  # type: ignore[no-untyped-def]
    """The hashes of the runs of one to four sounds: how many."""
    count = 0
    for at in range(sounds):
        hashed = uint64(SOUNDS)
        for offset in range(min(MOST_SOUNDS, sounds - at)):
            sound = scratch[at + offset, SOUNDS_AT]
            hashed = step(hashed, sound)
            if offset > 0 or sound != BREAK:
                grams[count] = hashed
                count += 1
            if offset > 0 and sound == BREAK:
                break
    return count
