"""The compiled search: UTF-8 to candidates, in all views, in one call.

It reads an index (``filters.index``), the prices of ordinary words (``filters.views.words``), the spelling of pinyin
(``filters.views.spelling``) and a text, all flat arrays, and knows nothing of terms. ``filters/DESIGN.md`` teaches it
from the simplest version up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import int32, int64, types
from numpy.typing import NDArray

from filters import machine_code
from filters.index import (
    BEGIN_MULTIPLIERS,
    BEGINS,
    BEGINS_MASK,
    BOUND,
    CUE,
    DETOUR,
    DETOURS,
    ENTRIES,
    ENTRY,
    EXPANDS,
    INITIALS,
    INITIALS_MASK,
    INITIALS_MULTIPLIER,
    JOINTS,
    KIND,
    LATIN,
    LEET,
    LEET_PAGES,
    LETTER,
    LETTERS,
    LONGEST_INITIALS,
    OUTPUT_OF,
    PAGES,
    RAW,
    ROW,
    SPLIT,
    SPLIT_BITS,
    SPLIT_MASK,
    SPLIT_MULTIPLIER,
    SPLIT_SECOND,
    SPLITS,
    SYMBOL,
    TRAIT,
    UNITS,
    UNSPACED,
    VIEWED,
    WEIGHT,
    WHOLE,
    WRITTEN,
)
from filters.machine_code import called, inlined
from filters.ordinary import ORDINARY, UNMEASURED, surprise_of
from filters.rows import (
    ABBREVIATED,
    ADJACENT,
    PLACE,
    READ_TOGETHER,
    REPEATED,
    SPACED,
    SPELLED,
    STACK,
    collapse,
    read,
    read_again,
    row_of,
)
from filters.trie import BASE, CHECK, UNIT
from filters.views import spelling

Words = NDArray[np.int32]
Tables = tuple[Words, NDArray[np.int64], Words, Words]
"""What a search reads: the index, `views.words.hashed`, `views.words.bigrams`, `views.spelling.table`."""
Search = Callable[[Tables, bytes, Words, NDArray[np.int32], int], int]

FOUND_RAW, FOUND_VIEW, FOUND_INITIALS, FOUND_LEET, FOUND_REPEATED, FOUND_EXPANDED = range(6)
"""What a candidate was found as: a pattern as it is written, in another view, a run of initials, with digits and signs
for letters, with letters repeated; a pattern as it is written, with a code point that stands for several letters."""

SURPRISE, STRANGE = 4, 5
COLUMNS = 6
"""Of a candidate: as what it was found, its entry, the code points where it begins and ends; then for a disguise in
Chinese characters, in hundredths, how surprising it is and what of it lies in no word (``filters.views.evidence``);
UNMEASURED for any other."""

PRIVATE = 1 << 40
"""Added to the count if the text may hold private data."""

FEWEST_INITIALS = 3

# A pending reading.
IN_DETOUR, IN_PINYIN, IN_INITIALS = 1, 2, 4

_MOST_STEPS = 2000
"""Of the readings that begin at one letter. No text that people write comes near: it bounds what a text can cost."""

_WORDS = types.Array(int32, 1, "C", readonly=True)
_LONGS = types.Array(int64, 2, "C", readonly=True)
_TABLE = types.Array(int32, 2, "C")
TABLES = types.Tuple((_WORDS, _LONGS, _WORDS, _WORDS))  # type: ignore[no-untyped-call]


@cache
def compiled() -> Search:
    """The search as machine code: ``search(tables, utf8, scratch, found, viewed) -> count``.

    ``scratch`` is an int32 array [STACK + len(utf8) + 4, 4] for its own use. ``found`` is int32 [n, COLUMNS] and takes
    the first n candidates. The count is that of all candidates (the same one may be found twice), and PRIVATE more if
    the text may hold private data; with n = 0 they are only counted, which is all that a clean text needs. ``viewed``
    0: as it is written only.

    It trusts its callers to pass these very types.
    """
    signature = int64(TABLES, types.Bytes(types.uint8, 1, "C"), _TABLE, _TABLE, int64)
    return machine_code.entry_point(search, signature)


def search(tables, utf8, scratch, found, viewed):  # type: ignore[no-untyped-def]  # numba types it by the signature
    """What `compiled` returns, for other kernels: their text may be an array of uint8."""
    last, seen, weight = read(tables[0], int64(PAGES), utf8, scratch)
    count, seen = _find(tables, scratch, last, seen, found, int64(0), viewed, int64(FOUND_RAW))
    if viewed and seen & LATIN and seen & LEET:
        last, _, _ = read_again(tables[0], int64(LEET_PAGES), utf8, scratch)
        count, _ = _find(tables, scratch, last, seen, found, count, int64(0), int64(FOUND_LEET))
    if viewed and seen & REPEATED:
        last, _, _ = read_again(tables[0], int64(PAGES), utf8, scratch)
        for most in (2, 1):
            last = collapse(scratch, last, int64(most))
            count, _ = _find(tables, scratch, last, seen, found, count, int64(0), int64(FOUND_REPEATED))
    if weight >= WEIGHT and count < PRIVATE:
        count += PRIVATE
    return count


@called
def _find(tables, scratch, last, seen, found, count, viewed, written):  # type: ignore[no-untyped-def]
    """The search in letters that were read: apart, so that it is compiled once for all types of text."""
    words, costs, bigrams, spelled = tables
    unusual = 0
    if viewed:
        unusual = DETOUR | READ_TOGETHER
        if seen & LATIN:
            count, oddities = _mark_runs(words, spelled, scratch, last, found, count)
            seen |= oddities
        if seen & READ_TOGETHER:
            _mark_splits(words, scratch, last)
    return _matches(words, costs, bigrams, spelled, scratch, last, found, count, viewed, written, unusual), seen


@inlined
def _has_bit(words, members, bit):  # type: ignore[no-untyped-def]
    return int64(words[members + (bit >> 5)]) >> (bit & 31) & 1 != 0


@inlined
def _has_pair(words, matrix, one, other):  # type: ignore[no-untyped-def]
    """Is the bit of two symbols set? No symbol, or a separator, counts as the symbol that no pattern has."""
    bound = int64(words[BOUND])
    one, other = min(max(one, 0), bound), min(max(other, 0), bound)
    return _has_bit(words, matrix + one * int64(words[ROW]), other)


@inlined
def _matches(words, costs, bigrams, spelled, scratch, last, found, count, viewed, written, unusual):  # type: ignore[no-untyped-def]
    """Walk the trie from wherever a pattern may begin.

    Each letter is read as what it is, and where it may be read in other ways (its trait has one of ``unusual``), in all
    of them.
    """
    units = int64(words[UNITS])
    whole = int64(words[WHOLE])
    begins = int64(words[BEGINS])
    mask = int64(words[BEGINS_MASK])
    one, two, three = BEGIN_MULTIPLIERS
    after, then = int64(scratch[STACK, SYMBOL]), int64(scratch[STACK + 1, SYMBOL])
    trait_after, trait_then = int64(scratch[STACK, TRAIT]), int64(scratch[STACK + 1, TRAIT])
    for start in range(STACK, last - 1):
        symbol, trait = after, trait_after
        after, trait_after = then, trait_then
        then, trait_then = int64(scratch[start + 2, SYMBOL]), int64(scratch[start + 2, TRAIT])
        otherwise = False
        if (trait | trait_after | trait_then) & unusual:
            otherwise = _may_begin_otherwise(words, scratch, start)
        may_begin = _has_bit(words, begins, (symbol * one + after * two + then * three) & mask)
        may_begin |= _has_pair(words, whole, symbol, after)
        if may_begin and symbol > 0 and after > 0 and trait & ADJACENT == 0:
            # The root's base is 0, so this is where the first symbol leads.
            state = symbol
            at = start + 1
            while scratch[at, SYMBOL] > 0:
                unit = (int64(words[units + UNIT * state + BASE]) >> 1) + int64(scratch[at, SYMBOL])
                if words[units + UNIT * unit + CHECK] != state:
                    break
                state = unit
                at += 1
                if words[units + UNIT * state + BASE] & 1:
                    output = int64(words[int64(words[OUTPUT_OF]) + state])
                    how = viewed, written
                    count = _ending(words, costs, bigrams, scratch, start, at, last, output, found, count, how)
                otherwise = otherwise or int64(scratch[at, TRAIT]) & unusual != 0
        if otherwise:
            count = _walk(words, costs, bigrams, spelled, scratch, start, last, found, count)
    return count


@called
def _may_begin_otherwise(words, scratch, start):  # type: ignore[no-untyped-def]
    """May a pattern begin with this letter and the two behind it, if one of them is not read as what it is?"""
    traits = int64(scratch[start, TRAIT]) | int64(scratch[start + 1, TRAIT]) | int64(scratch[start + 2, TRAIT])
    if traits & READ_TOGETHER:
        return True
    whole = int64(words[WHOLE])
    begins = int64(words[BEGINS])
    mask = int64(words[BEGINS_MASK])
    one, two, three = BEGIN_MULTIPLIERS
    firsts, seconds, thirds = (
        _ways(words, scratch, start),
        _ways(words, scratch, start + 1),
        _ways(words, scratch, start + 2),
    )
    for number in range(_size(words, firsts)):
        first = _way(words, scratch, start, firsts, number)
        for number_2 in range(_size(words, seconds) if first > 0 else 0):
            second = _way(words, scratch, start + 1, seconds, number_2)
            if second <= 0:
                continue
            pair = first * one + second * two
            if number + number_2 > 0 and _has_pair(words, whole, first, second):
                return True
            for number_3 in range(_size(words, thirds)):
                third = _way(words, scratch, start + 2, thirds, number_3)
                if (
                    number + number_2 + number_3 > 0
                    and third > 0
                    and _has_bit(words, begins, (pair + third * three) & mask)
                ):
                    return True
    return False


@inlined
def _ways(words, scratch, at):  # type: ignore[no-untyped-def]
    """Where the list of a letter's other symbols is, or 0."""
    return _detours_of(words, int64(scratch[at, LETTER])) if int64(scratch[at, TRAIT]) & DETOUR else int64(0)


@inlined
def _size(words, ways):  # type: ignore[no-untyped-def]
    """How many symbols a letter may be read as, its own and those of its list."""
    return 1 + int64(words[ways]) if ways > 0 else int64(1)


@inlined
def _way(words, scratch, at, ways, number):  # type: ignore[no-untyped-def]
    return int64(words[ways + number]) if number > 0 else int64(scratch[at, SYMBOL])


@inlined
def _detours_of(words, letter):  # type: ignore[no-untyped-def]
    """Where the list of a letter's other symbols begins."""
    return int64(words[row_of(words, int64(PAGES), letter) + DETOURS])


@called
def _ending(words, costs, bigrams, scratch, start, at, last, output, found, count, how):  # type: ignore[no-untyped-def]
    """Take the entries that end in a state, as they are written or by homophones."""
    viewed, written = how
    for number in range(output + 1, output + 1 + int64(words[output])):
        entry = int64(words[ENTRIES]) + ENTRY * int64(words[number])
        kind = int64(words[entry + KIND])
        same = True
        first = int64(words[entry + LETTERS])
        for offset in range(at - start):
            if words[first + offset] != scratch[start + offset, LETTER]:
                same = False
                break
        if written != FOUND_RAW:
            meant = same and kind & RAW and _may_stand(words, scratch, start, at, entry)
            if meant and _shows(scratch, start, at, written):
                count = _take(found, count, written, int64(words[number]), scratch, start, at)
        elif same and kind & CUE:
            if count < PRIVATE:
                count += PRIVATE
        elif same and kind & WRITTEN:
            if viewed:
                surprise = surprise_of(words, costs, bigrams, scratch, start, at, last, entry)
                count = _take_seen(found, count, FOUND_RAW, int64(words[number]), scratch, start, at, surprise)
        elif same:
            if _may_stand(words, scratch, start, at, entry):
                as_found = _written_as(scratch, start, at)
                if as_found >= 0:
                    count = _take(found, count, as_found, int64(words[number]), scratch, start, at)
        elif kind & VIEWED and viewed:
            surprise = surprise_of(words, costs, bigrams, scratch, start, at, last, entry)
            count = _take_seen(found, count, FOUND_VIEW, int64(words[number]), scratch, start, at, surprise)
    return count


@inlined
def _take(found, count, kind, number, scratch, start, at):  # type: ignore[no-untyped-def]
    place = count & (PRIVATE - 1)
    if place < len(found):
        found[place, 0] = kind
        found[place, 1] = number
        found[place, 2] = scratch[start, PLACE]
        found[place, 3] = scratch[at - 1, PLACE] + 1
        found[place, SURPRISE] = UNMEASURED
        found[place, STRANGE] = UNMEASURED
    return count + 1


@inlined
def _take_seen(found, count, kind, number, scratch, start, at, measured):  # type: ignore[no-untyped-def]
    """The same in a view that guesses: unless it is ordinary, and with what `surprise_of` measured."""
    surprise, strange = measured
    if surprise == ORDINARY:
        return count
    place = count & (PRIVATE - 1)
    count = _take(found, count, kind, number, scratch, start, at)
    if place < len(found):
        found[place, SURPRISE] = surprise
        found[place, STRANGE] = strange
    return count


@inlined
def _written_as(scratch, start, at):  # type: ignore[no-untyped-def]
    """FOUND_RAW; or FOUND_EXPANDED where a code point stands for several letters; -1 if these are not plainly meant.

    For the rules of ``filters.reading`` know one letter a place: so no more than one space stands between two of these.
    """
    expanded = int64(scratch[start, TRAIT])
    together = True
    for place in range(start + 1, at):
        trait = int64(scratch[place, TRAIT])
        expanded |= trait
        gap = int64(scratch[place, PLACE]) - int64(scratch[place - 1, PLACE])
        together = together and (gap < 2 or (gap == 2 and trait & SPACED != 0))
    if expanded & EXPANDS == 0:
        return FOUND_RAW
    return FOUND_EXPANDED if together else -1


@inlined
def _shows(scratch, start, at, written):  # type: ignore[no-untyped-def]
    """Is it written as only this view reads it? Beside digits and signs for letters, two must be letters."""
    mark = LEET if written == FOUND_LEET else REPEATED
    marked = letters = 0
    for place in range(start, at):
        trait = int64(scratch[place, TRAIT])
        marked += trait & mark != 0
        letters += trait & (LATIN | mark) == LATIN
    return marked > 0 and (written == FOUND_REPEATED or letters > 1)


@inlined
def _may_stand(words, scratch, start, at, entry):  # type: ignore[no-untyped-def]
    """Rules 1 and 3 of ``filters.reading``, as far as they need no second look at the text."""
    if int64(scratch[at, TRAIT]) & ADJACENT:
        return False
    joints = int64(words[entry + JOINTS])
    if joints == 0:
        return True
    spaced = False
    spelled_out = True
    for offset in range(1, at - start):
        trait = int64(scratch[start + offset, TRAIT])
        if trait & SPACED:
            spaced = spaced or (offset < UNSPACED and joints >> (offset - 1) & 1 != 0)
        else:
            spelled_out = spelled_out and trait & ADJACENT == 0
    return spelled_out or not spaced


# Other views.


@inlined
def _is_read(scratch, at):  # type: ignore[no-untyped-def]
    """May the letter stand in a pattern, in some way?"""
    return scratch[at, SYMBOL] > 0 or int64(scratch[at, TRAIT]) & DETOUR != 0


@called
def _mark_runs(words, spelled, scratch, last, found, count):  # type: ignore[no-untyped-def]
    """Mark the runs of Latin letters that may be pinyin or initials; take those that are initials of a term.

    Says too whether a digit or sign before one may stand for a letter (LEET), and whether one stands thrice (REPEATED).
    """
    oddities = 0
    at = group = STACK  # runs side by side are a group
    chain = -1  # where the runs begin that may be pinyin, side by side
    strange = False  # may one of them be nothing else?
    while at <= last:
        if int64(scratch[at, TRAIT]) & LATIN == 0:
            if chain >= 0 and (strange or (at < last and _is_read(scratch, at))):
                for place in range(chain, at):
                    scratch[place, TRAIT] |= SPELLED | READ_TOGETHER
            chain = -1
            at += 1
            group = at
            continue
        first = at
        high = low = 0
        state = 1
        if int64(scratch[first - 1, TRAIT]) & LEET and scratch[first - 1, PLACE] == scratch[first, PLACE] - 1:
            oddities |= LEET if first > STACK else 0
        while True:
            letter = int64(scratch[at, LETTER]) - 0x60
            if at - first > 1 and scratch[at, LETTER] == scratch[at - 1, LETTER] == scratch[at - 2, LETTER]:
                oddities |= REPEATED
            if at - first < 6:
                high = high << 5 | letter
            else:
                low = (low << 5 | letter) & 0x3FFFFFFF
            state = int64(spelled[spelling.STATES + spelling.ROW * state + letter - 1])
            at += 1
            if int64(scratch[at, TRAIT]) & (LATIN | ADJACENT) != LATIN | ADJACENT:
                break
        size = at - first
        after_word = int64(scratch[first, TRAIT]) & ADJACENT != 0
        before_word = int64(scratch[at, TRAIT]) & ADJACENT != 0
        behind = first > STACK and _is_read(scratch, first - 1) and int64(scratch[first - 1, TRAIT]) & LATIN == 0
        ahead = at < last and _is_read(scratch, at) and int64(scratch[at, TRAIT]) & LATIN == 0
        if state != 0 and spelled[spelling.STATES + spelling.ROW * state + spelling.ACCEPTS] != 0:
            if chain < 0:
                chain = first
                strange = behind
            strange = strange or ahead or size > LONGEST_INITIALS or not _is_word(spelled, high, low)
        else:
            if chain >= 0 and strange:
                for place in range(chain, first):
                    scratch[place, TRAIT] |= SPELLED | READ_TOGETHER
            chain = -1
        if size <= LONGEST_INITIALS:
            if size >= FEWEST_INITIALS and not after_word and not before_word:
                number = _initials_of(words, high, low)
                if number > 0:
                    count = _take(found, count, FOUND_INITIALS, number - 1, scratch, first, at)
            # Initials may stand apart (n m s l): then all of them are beside Chinese where the first or last one is.
            together = at - group <= LONGEST_INITIALS
            beside = group > STACK and _is_read(scratch, group - 1)
            if behind or ahead or (together and beside):
                for place in range(group if together else first, at):
                    scratch[place, TRAIT] |= ABBREVIATED | READ_TOGETHER
    return count, oddities


@inlined
def _initials_of(words, high, low):  # type: ignore[no-untyped-def]
    """The entry whose initials the run is, plus 1, or 0."""
    slot = (high * INITIALS_MULTIPLIER + low) >> 8
    return _looked_up(words, int64(words[INITIALS]), int64(words[INITIALS_MASK]), slot, high, low)


@inlined
def _looked_up(words, table, mask, slot, one, other):  # type: ignore[no-untyped-def]
    """What a hash table of the index has for two numbers, or 0: linear probing, slots of four words."""
    slot &= mask
    while words[table + 4 * slot] != 0:
        if words[table + 4 * slot] == one and words[table + 4 * slot + 1] == other:
            return int64(words[table + 4 * slot + 2])
        slot = (slot + 1) & mask
    return int64(0)


@inlined
def _is_word(spelled, high, low):  # type: ignore[no-untyped-def]
    """Is the run one of the ordinary English words that could be pinyin?"""
    slot = ((high * INITIALS_MULTIPLIER + low) >> 8) & (spelling.WORD_SLOTS - 1)
    while spelled[spelling.WORDS + 2 * slot] != 0:
        if spelled[spelling.WORDS + 2 * slot] == high and spelled[spelling.WORDS + 2 * slot + 1] == low:
            return True
        slot = (slot + 1) & (spelling.WORD_SLOTS - 1)
    return False


@inlined
def _syllable(spelled, value):  # type: ignore[no-untyped-def]
    """The symbol of a packed syllable, or 0."""
    slot = (value * INITIALS_MULTIPLIER >> spelling.SYLLABLE_SHIFT) & (spelling.SYLLABLE_SLOTS - 1)
    while spelled[2 * slot] != 0:
        if spelled[2 * slot] == value:
            return int64(spelled[2 * slot + 1])
        slot = (slot + 1) & (spelling.SYLLABLE_SLOTS - 1)
    return int64(0)


@inlined
def _split_list(words, one, other):  # type: ignore[no-untyped-def]
    """The list of characters that these two letters may begin, or 0."""
    table = int64(words[SPLITS]) + SPLIT_BITS // 32
    return _looked_up(words, table, int64(words[SPLIT_MASK]), one * SPLIT_MULTIPLIER + other, one, other)


@called
def _mark_splits(words, scratch, last):  # type: ignore[no-untyped-def]
    """Mark the letters that may be components of one."""
    for at in range(STACK, last - 1):
        if int64(scratch[at, TRAIT]) >> SPLIT & int64(scratch[at + 1, TRAIT]) >> SPLIT_SECOND & 1:
            parts = _split_list(words, int64(scratch[at, LETTER]), int64(scratch[at + 1, LETTER]))
            if parts > 0:
                entry = parts + 1
                for _ in range(int64(words[parts])):
                    rest = int64(words[entry])
                    if _follows(words, scratch, at + 2, last, entry + 1, rest):
                        for place in range(at, at + 2 + rest):
                            scratch[place, TRAIT] |= READ_TOGETHER
                    entry += rest + 2


@inlined
def _follows(words, scratch, at, last, letters, rest):  # type: ignore[no-untyped-def]
    """Do these letters of the index follow in the text?"""
    if at + rest > last:
        return False
    for offset in range(rest):  # noqa: SIM110 - numba has no all()
        if scratch[at + offset, LETTER] != words[letters + offset]:
            return False
    return True


@inlined
def _walk(words, costs, bigrams, spelled, scratch, start, last, found, count):  # type: ignore[no-untyped-def]
    """Follow all readings that begin at one letter.

    A pending reading is a row of the stack: the letter to go on from, the state of the trie, in what it is.
    """
    units = int64(words[UNITS])
    scratch[0, 0] = start
    scratch[0, 1] = 0
    scratch[0, 2] = 0
    pending = 1
    steps = 0
    while pending > 0 and steps < _MOST_STEPS:
        steps += 1
        pending -= 1
        at = int64(scratch[pending, 0])
        state = int64(scratch[pending, 1])
        way = int64(scratch[pending, 2])
        unit = units + UNIT * state
        if words[unit + BASE] & 1 and way & IN_DETOUR:
            output = int64(words[int64(words[OUTPUT_OF]) + state])
            count = _detoured(words, costs, bigrams, scratch, start, at, last, output, found, count)
        trait = int64(scratch[at, TRAIT])
        if at >= last or pending > STACK - 64:
            continue
        base = int64(words[unit + BASE]) >> 1
        if base <= 0 and state != 0:
            continue
        symbol = int64(scratch[at, SYMBOL])
        within = way & IN_INITIALS != 0 and trait & (LATIN | ADJACENT) == LATIN | ADJACENT
        if symbol > 0 and not within:
            pending = _push(words, units, state, base + symbol, scratch, pending, at + 1, way)
        if trait & DETOUR:
            detours = _detours_of(words, int64(scratch[at, LETTER]))
            for number in range(detours + 1, detours + 1 + int64(words[detours])):
                after = base + int64(words[number])
                pending = _push(words, units, state, after, scratch, pending, at + 1, way | IN_DETOUR)
        if trait >> SPLIT & 1 and trait & READ_TOGETHER and at + 1 < last:
            parts = _split_list(words, int64(scratch[at, LETTER]), int64(scratch[at + 1, LETTER]))
            if parts > 0:
                entry = parts + 1
                for _ in range(int64(words[parts])):
                    rest = int64(words[entry])
                    after = base + int64(words[entry + 1 + rest])
                    if _follows(words, scratch, at + 2, last, entry + 1, rest):
                        pending = _push(words, units, state, after, scratch, pending, at + 2 + rest, way | IN_DETOUR)
                    entry += rest + 2
        if trait & SPELLED and way & IN_INITIALS == 0:
            value = 0
            for size in range(6):
                if at + size >= last:
                    break
                letter = int64(scratch[at + size, TRAIT])
                if letter & LATIN == 0 or (size > 0 and letter & ADJACENT == 0):
                    break
                value = value << 5 | int64(scratch[at + size, LETTER]) - 0x60
                symbol = _syllable(spelled, value)
                if symbol > 0:
                    after = base + symbol
                    way_after = way | IN_DETOUR | IN_PINYIN
                    pending = _push(words, units, state, after, scratch, pending, at + size + 1, way_after)
        if trait & ABBREVIATED and way & IN_PINYIN == 0 and (within or trait & ADJACENT == 0):
            letter = int64(scratch[at, LETTER]) - 0x61
            for after in range(base + _first_of(spelled, letter), base + _first_of(spelled, letter + 1)):
                way_after = way | IN_DETOUR | IN_INITIALS
                pending = _push(words, units, state, after, scratch, pending, at + 1, way_after)
                if pending > STACK - 64:
                    break
    return count


@inlined
def _first_of(spelled, letter):  # type: ignore[no-untyped-def]
    """The first symbol of the syllables that begin with a letter (0 for a), or with a later one."""
    return int64(spelled[spelling.FIRSTS + letter])


@inlined
def _push(words, units, state, after, scratch, pending, at, way):  # type: ignore[no-untyped-def]
    if words[units + UNIT * after + CHECK] == state:
        scratch[pending, 0] = at
        scratch[pending, 1] = after
        scratch[pending, 2] = way
        return pending + 1
    return pending


@called
def _detoured(words, costs, bigrams, scratch, start, at, last, output, found, count):  # type: ignore[no-untyped-def]
    """Take the entries that end in a state, if the letters that were read so may be meant."""
    for number in range(output + 1, output + 1 + int64(words[output])):
        entry = int64(words[ENTRIES]) + ENTRY * int64(words[number])
        if int64(words[entry + KIND]) & VIEWED:
            surprise = surprise_of(words, costs, bigrams, scratch, start, at, last, entry)
            count = _take_seen(found, count, FOUND_VIEW, int64(words[number]), scratch, start, at, surprise)
    return count
