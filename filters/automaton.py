"""Builds the automaton: an Aho-Corasick machine over folded symbols as one flat array of int32 words.

One array, because it is one argument to the kernel and one region of a file that every process maps. Its layout, in
words (all references are word offsets from its beginning, unless said otherwise):

    header   [0] where the units begin
    pages    [HEADER + (code point >> 8)]: where the symbols of these 256 code points begin
    symbols  one word per code point of a page: SKIP, 0 (in no pattern: ends every match), or a symbol from 1 up
    outputs  pairs (PATTERN number, NEXT pair that ends here too, or 0)
    units    four words per state: BASE, CHECK, FAIL, OUTPUT (a pair, or 0); the root is state 0

State t follows state s on symbol c if t = BASE[s] + c and CHECK[t] == s: a double array (Aoe, "An efficient digital
search algorithm by using a double-array structure", 1989). FAIL[s] is the state of the longest proper suffix of s that
begins some pattern (Aho and Corasick, "Efficient string matching", 1975). These three hold state numbers, not offsets.

The trie is built, placed (``filters.placement``) and linked level by level, each level in a few array operations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from filters.folding import SKIPPED, Folding
from filters.placement import Numbers, Placement

UNITS = 0
HEADER = 1
BASE, CHECK, FAIL, OUTPUT = 0, 1, 2, 3
UNIT = 4
PATTERN, NEXT = 0, 1
SKIP = -1

_PAGES = 0x110000 >> 8
_FREE = -1

Words = NDArray[np.int32]


def build(patterns: Sequence[str], folding: Folding) -> Words:
    """Compile patterns, which must be distinct, not empty, and folded letters only: int32 words as above, read-only."""
    codes = np.frombuffer("".join(patterns).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    alphabet, symbols = _by_frequency(codes)
    trie = _Trie(symbols, np.fromiter(map(len, patterns), dtype=np.int64, count=len(patterns)))
    row_of_page, rows = _symbol_rows(alphabet, folding)
    first_row = HEADER + _PAGES
    first_output = first_row + rows.size
    units, outputs = _link(trie, trie.placed(alphabet.size), first_output)
    parts = ([first_output + outputs.size], first_row + 256 * row_of_page, rows.ravel(), outputs.ravel(), units.ravel())
    words = np.concatenate([np.asarray(part, dtype=np.int32) for part in parts])
    words.flags.writeable = False
    return words


def _by_frequency(codes: NDArray[np.uint32]) -> tuple[Numbers, Numbers]:
    """The distinct code points, most frequent first, and the symbol (from 1 up) of each code point given."""
    distinct, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    symbol_of = np.empty_like(order)
    symbol_of[order] = np.arange(1, order.size + 1)
    return distinct[order].astype(np.int64), symbol_of[inverse]


def _symbol_rows(alphabet: Numbers, folding: Folding) -> tuple[Numbers, Words]:
    """The symbol of every code point, as rows of 256 without repetition: each page's row [4352], the rows [n, 256]."""
    symbol_of = np.zeros(_PAGES << 8, dtype=np.int32)
    symbol_of[alphabet] = np.arange(1, alphabet.size + 1)
    symbol_of[[ord(char) for char in SKIPPED]] = SKIP
    sources = np.fromiter(folding.table.keys(), dtype=np.int64)
    targets = np.fromiter(folding.table.values(), dtype=np.int64)
    symbol_of[sources] = symbol_of[targets]
    rows: dict[bytes, int] = {}
    row_of_page = [rows.setdefault(page.tobytes(), len(rows)) for page in symbol_of.reshape(-1, 256)]
    return np.array(row_of_page), np.frombuffer(b"".join(rows), dtype=np.int32).reshape(-1, 256)


class _Trie:
    """The prefixes of all patterns as nodes, numbered level by level and within a level by parent, then symbol.

    So the children of a node are neighbours, and the edges are sorted as they stand. Node 0 is the root.
    """

    def __init__(self, symbols: Numbers, lengths: Numbers) -> None:
        """``symbols`` of all patterns in a row; ``lengths`` [patterns]."""
        span = int(symbols.max(initial=0)) + 1
        begins = np.cumsum(lengths) - lengths
        node = np.zeros_like(lengths)
        edges = [np.zeros(1, dtype=np.int64)]
        self.levels = [slice(0, 1)]
        """The nodes of each depth."""
        for depth in range(int(lengths.max(initial=0))):
            alive = np.flatnonzero(lengths > depth)
            keys, inverse = np.unique(node[alive] * span + symbols[begins[alive] + depth], return_inverse=True)
            first = self.levels[-1].stop
            node[alive] = first + inverse
            edges.append(keys)
            self.levels.append(slice(first, first + keys.size))
        self.parent, self.symbol = np.divmod(np.concatenate(edges), span)
        """Of each node; the symbol leads to it from its parent."""
        self.end = node
        """The node at which each pattern ends."""
        self.children = np.bincount(self.parent[1:], minlength=self.parent.size)
        """How many each node has."""
        self.first_child = 1 + np.cumsum(self.children) - self.children

    def placed(self, alphabet: int) -> Placement:
        """The nodes as units of a double array."""
        return Placement(self.symbol, self.first_child, self.children, self.levels, alphabet)


def _link(trie: _Trie, place: Placement, first_output: int) -> tuple[Words, Words]:
    """The units [states, 4] and the output pairs [patterns, 2], the first of them at offset ``first_output``."""
    units = np.zeros((place.units, UNIT), dtype=np.int32)
    base, check, fail, output = units.T
    check[:] = _FREE
    base[place.state] = place.base
    check[place.state[1:]] = place.state[trie.parent[1:]]
    outputs = np.zeros((trie.end.size, 2), dtype=np.int32)
    pair_at = np.full(trie.parent.size, -1, dtype=np.int64)
    pair_at[trie.end] = np.arange(trie.end.size)
    for level in trie.levels[1:]:
        states = place.state[level]
        fail[states] = _suffixes(place.state[trie.parent[level]], trie.symbol[level], base, check, fail)
        output[states] = output[fail[states]]
        pairs = pair_at[level]
        ends = pairs >= 0
        outputs[pairs[ends], PATTERN] = pairs[ends]
        outputs[pairs[ends], NEXT] = output[states[ends]]
        output[states[ends]] = first_output + 2 * pairs[ends]
    return units, outputs


def _suffixes(parents: Numbers, symbols: Numbers, base: Words, check: Words, fail: Words) -> Words:
    """The states of the longest proper suffixes of the children that ``parents`` have on ``symbols``.

    For all of them at once: one step along the parents' chains of suffixes, for those that have not found theirs yet.
    """
    found = np.zeros(parents.size, dtype=np.int32)
    seeking = np.flatnonzero(parents)  # a child of the root has no suffix but the root
    suffix = fail[parents[seeking]]
    while seeking.size:
        after = base[suffix] + symbols[seeking]
        there = check[after] == suffix
        found[seeking[there]] = after[there]
        onward = ~there & (suffix != 0)
        seeking, suffix = seeking[onward], fail[suffix[onward]]
    return found
