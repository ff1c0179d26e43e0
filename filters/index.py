"""The index: what the search reads, compiled from the patterns of one lexicon into one flat array of int32 words.

One array, because it is one argument to the kernel and one region of a file that every process maps. References are
word offsets from its beginning. Its layout:

    header     where the parts begin (the constants below)
    pages      [PAGES + (code point >> 8)]: where the rows of these 256 code points begin
    leet pages [LEET_PAGES + (code point >> 8)]: the same, with digits and signs as the Latin letters they may stand for
    rows       per code point: SYMBOL, TRAIT, LETTER, DETOURS
    detours    per reference in a row: their number, then the other symbols as which the letter may be read
    splits     a set of SPLIT_BITS, then a hash table of slots: two letters, and a reference to the characters that they
               begin when written apart: their number, then each as the number of further letters, these, its symbol
    initials   a hash table of slots: a run of Latin letters (two words), and the entry whose initials it is, plus 1
    whole      a bit matrix of two symbols: are they a pattern? Rows of ``ROW`` words
    begins     a set of the first three symbols of every longer pattern
    units      the trie (``filters.trie``)
    output of  per state of the trie, a reference to its output, if it has one
    outputs    the number of entries that end in a state, then these
    entries    four words each: LETTERS (a reference), LENGTH, KIND with the price in its upper bits, JOINTS
    letters    of all entries: folded code points

A *symbol* is what the trie sees of a letter. All characters of one (toneless) syllable share a symbol: so one walk
finds a term and its homophones, and only where it ends are letters compared.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from filters.folding import BREAK, GHOST, SKIPPED, SPACE, Folding, is_word
from filters.placement import Numbers
from filters.private.symbols import weight_table
from filters.reading import Pattern
from filters.tables import packed as packed_tables
from filters.trie import Trie, Words
from filters.views.components import Components
from filters.views.evidence import RARER, RAREST
from filters.views.letters import is_latin
from filters.views.readings import syllable
from filters.views.sounds import Sounds
from filters.views.words import Words as Costs

SPLITS, SPLIT_MASK, INITIALS, INITIALS_MASK, WHOLE, ROW, UNITS, OUTPUT_OF, ENTRIES, BOUND, BEGINS, BEGINS_MASK = range(
    12
)
"""Of the header; BOUND: symbols from it on share a row and a column of the bit matrix."""
_PAGES = 0x110000 >> 8
PAGES = 16
"""A multiple of four, as all that is read four words at a time begins at one."""
LEET_PAGES = PAGES + _PAGES
_FIRST_ROW = LEET_PAGES + _PAGES

# A row.
SYMBOL, TRAIT, LETTER, DETOURS = range(4)
SKIP = -1
"""The symbol of what may stand between the letters of a match; 0: it is in no pattern."""

# Traits.
WEIGHT = 7
"""Mask: what the code point adds to the suspicion that the text holds private data."""
LATIN = 1 << 3
HANZI = 1 << 4
WORD = 1 << 5
"""`filters.folding.is_word`."""
SPLIT = 6
"""Shift: it may be the first component of a letter."""
DETOUR = 1 << 7
"""It may be read in other ways."""
IS_SPACE = 1 << 8
IS_GHOST = 1 << 9
SPLIT_SECOND = 15
"""Shift: it may be the second component of a letter. (The bits between are the kernel's own.)"""
EXPANDS = 1 << 30
"""It stands for several letters (``ﬁ``): these are what its reference refers to."""
LEET = 1 << 28
"""It may stand for a Latin letter; in the rows of the leet pages: it does."""
COST, COSTS = 16, (1 << 11) - 1
"""Shift and mask: what the character costs as a word of its own (``filters.views.words``), in hundredths."""

# An entry.
LETTERS, LENGTH, KIND, JOINTS = range(4)
ENTRY = 4
UNSPACED = 32
"""Of the first so many joints the index says where no space may stand."""

PRICE = 8
"""Shift in KIND: what the surprise of a short entry in disguise must exceed (`views.evidence`), in hundredths."""
LONGEST_PRICED = 3
"""Letters: what is longer is not read into ordinary text by chance."""

# Kinds of entries.
RAW = 1
"""It is found as it is written."""
VIEWED = 2
"""It is found in the other views too."""
WRITTEN = 4
"""It is another way to write a term: found as it is written, if that is not ordinary."""
CUE = 8
"""It says that the text may hold private data."""

MOST_SYMBOLS = 1023
"""That have a row of their own in the bit matrix."""

USUAL = 6.5
"""A character that costs less (one in 600) is always read in its usual way: nobody writes 的 for another *di*."""


Splits = Mapping[tuple[int, int], list[tuple[str, int]]]
"""By two letters: the further letters and the symbol of each character that they begin when it is written apart."""


class Entry(msgspec.Struct, frozen=True):
    """A pattern to index."""

    pattern: Pattern
    kind: int


def build(entries: Sequence[Entry], initials: Mapping[str, int]) -> Words:
    """Compile entries, and runs of Latin letters that stand for some of them: int32 words as above, read-only."""
    lengths = np.fromiter((len(entry.pattern.letters) for entry in entries), dtype=np.int64, count=len(entries))
    letters = _codes("".join(entry.pattern.letters for entry in entries))
    kinds = np.fromiter((entry.kind for entry in entries), dtype=np.int64, count=len(entries))
    symbol_of = _symbols(letters)
    symbols = symbol_of[letters].astype(np.int64)
    alphabet = int(max(symbols.max(initial=1), symbol_of.max()))
    viewed = np.repeat((kinds & VIEWED) != 0, lengths)
    bound = min(alphabet + 1, MOST_SYMBOLS)
    whole = _matrix(symbols, lengths, bound)

    table = Components.shipped()
    written = set(map(chr, np.unique(letters[viewed]).tolist()))
    wanted = np.zeros(alphabet + 1, dtype=bool)
    wanted[symbols[viewed]] = True
    splits = _splits(table, written, symbol_of)
    rows, pages, detours = _rows(symbol_of, _detours(table, written, symbol_of, wanted), splits)

    header = np.zeros(PAGES, dtype=np.int64)
    first_detour = _FIRST_ROW + rows.size
    at = rows[:, DETOURS] > 0
    rows[at, DETOURS] += first_detour - 1
    header[SPLITS] = first_detour + detours.size
    split_table, split_lists, header[SPLIT_MASK] = _split_table(splits, int(header[SPLITS]))
    header[INITIALS] = header[SPLITS] + split_table.size + split_lists.size
    initials_table, header[INITIALS_MASK] = _initials_table(initials)
    header[WHOLE] = header[INITIALS] + initials_table.size
    header[ROW] = whole.shape[1]
    header[BOUND] = bound
    header[BEGINS] = header[WHOLE] + whole.size
    begins, header[BEGINS_MASK] = _begins(symbols, lengths)
    padding = np.zeros(-int(header[BEGINS] + begins.size) % 4, dtype=np.int64)
    header[UNITS] = header[BEGINS] + begins.size + padding.size
    units, output_of, outputs = Trie(symbols, lengths).compiled(alphabet)
    header[OUTPUT_OF] = header[UNITS] + units.size
    output_of += header[OUTPUT_OF] + output_of.size
    header[ENTRIES] = header[OUTPUT_OF] + output_of.size + outputs.size
    first_letter = header[ENTRIES] + ENTRY * len(entries)
    records = np.stack(
        [
            first_letter + np.cumsum(lengths) - lengths,
            lengths,
            kinds + (_prices(entries) << PRICE),
            np.fromiter((_unspaced(entry.pattern) for entry in entries), dtype=np.int64, count=len(entries)),
        ],
        axis=1,
    )
    parts = (
        header, _FIRST_ROW + ENTRY * 256 * pages, rows, detours, split_table, split_lists, initials_table, whole,
        begins, padding, units, output_of, outputs, records, letters,
    )  # fmt: skip
    words = np.concatenate([part.ravel().astype(np.int32) for part in parts])
    words.flags.writeable = False
    return words


def _prices(entries: Sequence[Entry]) -> Numbers:
    cost = Costs.shipped().cost
    return np.fromiter(
        (
            round(100 * (min(cost(list(entry.pattern.letters))[-1], RAREST) + RARER))
            if entry.kind & VIEWED and len(entry.pattern.letters) <= LONGEST_PRICED
            else 0
            for entry in entries
        ),
        dtype=np.int64,
        count=len(entries),
    )


def _codes(letters: str) -> Numbers:
    return np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)


@cache
def syllables() -> Mapping[str, int]:
    """The symbol of each syllable: from 1 up, the same in every index, those with one initial side by side."""
    return {spelled: number for number, spelled in enumerate(sorted(Sounds.shipped().spelled), start=1)}


@cache
def _sounding() -> NDArray[np.int32]:
    """The symbol of every code point that is read as a syllable: int32 [0x110000], 0 for all others."""
    symbol_of = np.zeros(_PAGES << 8, dtype=np.int32)
    known = syllables()
    for char in Sounds.shipped().readings:
        symbol_of[ord(char)] = known.get(syllable(char), 0)
    symbol_of.flags.writeable = False
    return symbol_of


def _symbols(letters: Numbers) -> NDArray[np.int32]:
    """The symbol of every folded code point: int32 [0x110000]. Letters that are no syllable get theirs by frequency."""
    symbol_of = _sounding().copy()
    latin = np.arange(ord("a"), ord("z") + 1)
    symbol_of[latin] = len(syllables()) + 1 + np.arange(latin.size)
    distinct, counts = np.unique(letters, return_counts=True)
    others = symbol_of[distinct] == 0
    order = np.argsort(-counts[others], kind="stable")
    symbol_of[distinct[others][order]] = len(syllables()) + latin.size + 1 + np.arange(order.size)
    return symbol_of


def _matrix(symbols: Numbers, lengths: Numbers, bound: int) -> Words:
    """The bit of each pair of symbols that is a pattern: int32 [bound + 1, ROW]."""
    bits = np.zeros((bound + 1, 32 * (bound // 32 + 1)), dtype=bool)
    begins = (np.cumsum(lengths) - lengths)[lengths == 2]
    bits[np.minimum(symbols[begins], bound), np.minimum(symbols[begins + 1], bound)] = True
    return np.packbits(bits, axis=1, bitorder="little").view("<i4").astype(np.int32)


BEGIN_MULTIPLIERS = (40503, 65599, 27644437)
BITS_A_BEGIN = 12
"""Of the set of begins: so few of them are set that one in twelve other triples passes."""


def _begins(symbols: Numbers, lengths: Numbers) -> tuple[Words, int]:
    """The set of begins, and the mask of its bits."""
    size = 1 << max(BITS_A_BEGIN * lengths.size, 1 << 15).bit_length() - 1
    first = (np.cumsum(lengths) - lengths)[lengths > 2]
    one, two, three = BEGIN_MULTIPLIERS
    bits = np.zeros(size, dtype=bool)
    bits[(symbols[first] * one + symbols[first + 1] * two + symbols[first + 2] * three) & (size - 1)] = True
    return np.packbits(bits, bitorder="little").view("<i4").astype(np.int32), size - 1


def _detours(
    table: Components, written: set[str], symbol_of: NDArray[np.int32], wanted: NDArray[np.bool_]
) -> dict[str, list[int]]:
    """The symbols as which each letter may be read beside its own, of those that are wanted."""
    known, sounds, costs = syllables(), Sounds.shipped(), Costs.shipped()
    found: dict[str, set[int]] = {}
    for char, readings in sounds.readings.items():
        if (len(readings) > 1 and costs.of_token(char) >= USUAL) or char.isdigit():
            found.setdefault(char, set()).update(known[reading] for reading in readings if reading in known)
    for char, names in sounds.emoji.items():
        found.setdefault(char, set()).update(known.get(syllable(name), 0) for name in names)
    for char, alike in table.lookalikes.items():
        others = {int(symbol_of[ord(letter)]) for letter in alike if letter in written}
        if others:
            found.setdefault(char, set()).update(others)
    detours = {}
    for char, symbols in found.items():
        own = int(symbol_of[ord(char)])
        usable = sorted(symbol for symbol in symbols if symbol != own and wanted[symbol])
        if usable:
            detours[char] = usable
    return detours


def _splits(table: Components, written: set[str], symbol_of: NDArray[np.int32]) -> Splits:
    """The characters that two letters may begin."""
    splits: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for letter in sorted(written):
        for parts in table.parts.get(letter, ()):
            if len(parts) > 1 and "\u25a1" not in parts:
                key = ord(parts[0]), ord(parts[1])
                splits.setdefault(key, []).append((parts[2:], int(symbol_of[ord(letter)])))
    return splits


def _rows(
    symbol_of: NDArray[np.int32], detours: Mapping[str, list[int]], splits: Splits
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The rows of all code points without repetition [n, 4], both pages in units of 256 rows, and the detours.

    DETOURS counts from 1; folding is built in: a code point has the row of what it folds to, but for its weight.
    """
    rows = np.zeros((_PAGES << 8, ENTRY), dtype=np.int64)
    rows[:, SYMBOL] = symbol_of
    rows[:, LETTER] = np.arange(_PAGES << 8)
    rows[:, TRAIT] = _traits()
    lists: list[int] = []
    for code, letters in expansions().items():
        rows[code, DETOURS] = len(lists) + 1
        rows[code, TRAIT] |= EXPANDS
        lists += [len(letters), *map(ord, letters)]
    for char, symbols in detours.items():
        rows[ord(char), DETOURS] = len(lists) + 1
        rows[ord(char), TRAIT] |= DETOUR
        lists += [len(symbols), *symbols]
    rows[sorted({first for first, _ in splits}), TRAIT] |= 1 << SPLIT
    rows[sorted({second for _, second in splits}), TRAIT] |= 1 << SPLIT_SECOND
    rows[[ord(char) for char in SKIPPED], SYMBOL] = SKIP
    table = Folding.shipped().table
    sources = np.fromiter(table.keys(), dtype=np.int64)
    rows[sources] = rows[np.fromiter(table.values(), dtype=np.int64)]
    weights = weight_table()
    rows[: weights.size, TRAIT] |= weights
    signs = leet()
    rows[list(signs), TRAIT] |= LEET
    leet_rows = rows.copy()
    leet_rows[list(signs)] = rows[[ord(letter) for letter in signs.values()]]
    leet_rows[list(signs), TRAIT] |= LEET
    stored: dict[bytes, int] = {}
    pages = [_stored(page, stored) for table in (rows, leet_rows) for page in table.reshape(_PAGES, -1)]
    kept = np.frombuffer(b"".join(stored), dtype=np.int64).reshape(-1, ENTRY).copy()
    return kept, np.array(pages), np.array(lists or [0], dtype=np.int64)


_BLANK = np.zeros(256 * ENTRY, dtype=np.int64).tobytes()


def _stored(page: NDArray[np.int64], stored: dict[bytes, int]) -> int:
    """The number of a page's rows among those stored; of those that say nothing, even what the letters are."""
    rows = page.reshape(256, ENTRY)
    blank = not rows[:, [SYMBOL, TRAIT, DETOURS]].any()
    return stored.setdefault(_BLANK if blank else page.tobytes(), len(stored))


_LAST_FORM = 0x20000
"""What lies above are ideographs, whose compatibility forms are single characters."""


@cache
def expansions() -> Mapping[int, str]:
    """The folded letters of each code point whose NFKC form is several, by code point.

    Letters alone (``ﬁ``): signs (``™``) are no part of the word they stand beside. Not more letters than it has bytes
    in UTF-8 (an Arabic ligature stands for 18), so that a text has room for them.
    """
    folding = Folding.shipped()
    found: dict[int, str] = {}
    for code in range(0x80, _LAST_FORM):
        char = chr(code)
        form = unicodedata.normalize("NFKC", char) if not 0xD800 <= code < 0xE000 else char
        if len(form) > 1 and code not in folding.table and char.isalpha():
            letters = folding.fold(form)
            if len(letters) <= len(char.encode()) and not SKIPPED & {*letters} and BREAK not in letters:
                found[code] = letters
    return found


UNLIKELY = frozenset("(<[{+#")
"""Signs that far more often are what they are."""


@cache
def leet() -> Mapping[int, str]:
    """What stands for a Latin letter but is none, by code point: of several that it may stand for, the first."""
    table: dict[str, str] = packed_tables.shipped("leet", dict[str, str])
    folding = Folding.shipped().table
    signs = {char: letters[0] for char, letters in table.items() if char not in UNLIKELY}
    return {ord(char): letter for char, letter in signs.items() if not is_latin(chr(folding.get(ord(char), 0)))}


@cache
def _traits() -> NDArray[np.int64]:
    """What does not depend on the patterns: int64 [0x110000]."""
    traits = np.zeros(_PAGES << 8, dtype=np.int64)
    traits[0x4E00:0xA000] |= HANZI
    costs = Costs.shipped()
    for code in range(0x4E00, 0xA000):
        traits[code] |= round(100 * costs.of_token(chr(code))) << COST
    traits[[code for code in range(0x2E80) if is_word(chr(code))]] |= WORD
    traits[[code for code in range(0x80) if is_latin(chr(code))]] |= LATIN
    traits[ord(SPACE)] |= IS_SPACE
    traits[ord(GHOST)] |= IS_GHOST
    traits.flags.writeable = False
    return traits


SPLIT_MULTIPLIER = 40503
SPLIT_BITS = 1 << 17
"""Of the set before the hash table of splits: few pairs of letters need to be looked up."""
INITIALS_MULTIPLIER = 0x9E3779B1


def _split_table(splits: Splits, begin: int) -> tuple[Numbers, Numbers, int]:
    """The set of splits and the hash table (linear probing, slots of 4), the lists behind it, the mask of slots."""
    size = _slots(len(splits))
    bits = np.zeros(SPLIT_BITS, dtype=bool)
    bits[[(first * SPLIT_MULTIPLIER + second) % SPLIT_BITS for first, second in splits]] = True
    members = np.packbits(bits, bitorder="little").view("<i4").astype(np.int64)
    begin += members.size + 4 * size
    table = np.zeros((size, 4), dtype=np.int64)
    lists: list[int] = []
    for (first, second), found in splits.items():
        slot = (first * SPLIT_MULTIPLIER + second) & (size - 1)
        while table[slot, 0]:
            slot = (slot + 1) & (size - 1)
        table[slot, :3] = first, second, begin + len(lists)
        lists.append(len(found))
        for rest, symbol in found:
            lists += [len(rest), *map(ord, rest), symbol]
    return np.concatenate([members, table.ravel()]), np.array(lists, dtype=np.int64), size - 1


def packed(run: str) -> int:
    """A run of up to six Latin letters as a number, five bits a letter."""
    value = 0
    for char in run:
        value = value << 5 | ord(char) - ord("a") + 1
    return value


LONGEST_INITIALS = 12
"""Letters: what two words of 30 bits hold."""


def _initials_table(initials: Mapping[str, int]) -> tuple[Numbers, int]:
    """Slots [n, 4] of the hash table of initials: six letters, six more, the entry plus 1; and the mask of slots."""
    size = _slots(len(initials))
    table = np.zeros((size, 4), dtype=np.int64)
    for run, entry in initials.items():
        high, low = packed(run[:6]), packed(run[6:])
        slot = (high * INITIALS_MULTIPLIER + low >> 8) & (size - 1)
        while table[slot, 0]:
            slot = (slot + 1) & (size - 1)
        table[slot, :3] = high, low, entry + 1
    return table, size - 1


def _slots(count: int) -> int:
    return 1 << max(2 * count, 16).bit_length()


def _unspaced(pattern: Pattern) -> int:
    """A bit for each of the first joints at which no space may stand."""
    return sum(1 << at for at, joint in enumerate(pattern.joints[: UNSPACED - 1]) if joint is False)
