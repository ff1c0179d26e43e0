"""Builds the automaton: an Aho-Corasick machine over folded symbols as one flat array of int32 words.

One array, because it is one argument to the kernel and can be one file that every process maps. Its layout, in words
(all references are word offsets from its beginning, unless said otherwise):

    header   [0] where the units begin
    pages    [HEADER + (code point >> 8)]: where the symbols of these 256 code points begin
    symbols  one word per code point of a page: SKIP, 0 (in no pattern: ends every match), or a symbol from 1 up
    outputs  pairs (PATTERN number, NEXT pair that ends here too, or 0)
    units    four words per state: BASE, CHECK, FAIL, OUTPUT (a pair, or 0); the root is state 0

State t follows state s on symbol c if t = BASE[s] + c and CHECK[t] == s: a double array (Aoe, "An efficient digital
search algorithm by using a double-array structure", 1989). FAIL[s] is the state of the longest proper suffix of s that
begins some pattern (Aho and Corasick, "Efficient string matching", 1975). These three hold state numbers, not offsets.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from filters.folding import SKIPPED, Folding

UNITS = 0
HEADER = 1
BASE, CHECK, FAIL, OUTPUT = 0, 1, 2, 3
UNIT = 4
PATTERN, NEXT = 0, 1
SKIP = -1

_PAGES = 0x110000 >> 8
_FREE = -1


def build(patterns: Sequence[str], folding: Folding) -> NDArray[np.int32]:
    """Compile patterns, which must be distinct, not empty, and folded letters only: int32 words as above, read-only."""
    frequency = Counter(char for pattern in patterns for char in pattern)
    symbols = {char: number for number, (char, _) in enumerate(frequency.most_common(), start=1)}
    trie = _Trie(symbols, patterns)
    row_of_page, rows = _symbol_rows(symbols, folding)
    first_row = HEADER + _PAGES
    first_output = first_row + rows.size
    outputs, output_of = trie.outputs(first_output)
    header = [first_output + len(outputs)]
    pages = first_row + 256 * row_of_page
    units = trie.units(len(symbols), output_of)
    parts = (header, pages, rows.ravel(), outputs, units.ravel())
    words = np.concatenate([np.asarray(part, dtype=np.int32) for part in parts])
    words.flags.writeable = False
    return words


def _symbol_rows(symbols: dict[str, int], folding: Folding) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The symbol of every code point, as rows of 256 without repetition: each page's row [4352], the rows [n, 256]."""
    symbol_of = np.zeros(_PAGES << 8, dtype=np.int32)
    for char, symbol in symbols.items():
        symbol_of[ord(char)] = symbol
    for char in SKIPPED:
        symbol_of[ord(char)] = SKIP
    sources = np.fromiter(folding.table.keys(), dtype=np.int64)
    targets = np.fromiter(folding.table.values(), dtype=np.int64)
    symbol_of[sources] = symbol_of[targets]
    rows: dict[bytes, int] = {}
    row_of_page = [rows.setdefault(page.tobytes(), len(rows)) for page in symbol_of.reshape(-1, 256)]
    return np.array(row_of_page), np.frombuffer(b"".join(rows), dtype=np.int32).reshape(-1, 256)


class _Trie:
    """The prefixes of all patterns as numbered nodes, breadth first, with their longest proper suffixes."""

    def __init__(self, symbols: dict[str, int], patterns: Sequence[str]) -> None:
        self.children: list[dict[int, int]] = [{}]
        self.pattern_at: dict[int, int] = {}
        for number, pattern in enumerate(patterns):
            node = 0
            for char in pattern:
                symbol = symbols[char]
                if symbol not in self.children[node]:
                    self.children[node][symbol] = len(self.children)
                    self.children.append({})
                node = self.children[node][symbol]
            self.pattern_at[node] = number
        self.suffix = [0] * len(self.children)
        self.order = self._link()

    def _link(self) -> list[int]:
        """Find each node's longest proper suffix; returns the nodes in breadth-first order, parents first."""
        order = []
        queue = deque([0])
        while queue:
            node = queue.popleft()
            order.append(node)
            for symbol, child in self.children[node].items():
                suffix = self.suffix[node]
                while suffix and symbol not in self.children[suffix]:
                    suffix = self.suffix[suffix]
                self.suffix[child] = self.children[suffix].get(symbol, 0) if node else 0
                queue.append(child)
        return order

    def outputs(self, first: int) -> tuple[list[int], dict[int, int]]:
        """The output pairs, the first of them at offset ``first``, and the pair at which each node's chain begins."""
        pairs: list[int] = []
        chain = {0: 0}
        for node in self.order[1:]:
            chain[node] = chain[self.suffix[node]]
            if node in self.pattern_at:
                pairs += [self.pattern_at[node], chain[node]]
                chain[node] = first + len(pairs) - 2
        return pairs, chain

    def units(self, alphabet: int, output_of: dict[int, int]) -> NDArray[np.int32]:
        """Place the nodes in a double array: int32 [states, 4]."""
        place = _Placement(alphabet)
        state_of = {0: 0}
        base_of = {}
        for node in self.order:
            if self.children[node]:
                base_of[node] = place.fit(sorted(self.children[node]))
                for symbol, child in self.children[node].items():
                    state_of[child] = base_of[node] + symbol
        # From any base, every symbol of the alphabet must lead to a unit that exists.
        units = np.zeros((len(place.taken) + alphabet + 1, UNIT), dtype=np.int32)
        units[:, CHECK] = _FREE
        for node, state in state_of.items():
            units[state, BASE] = base_of.get(node, 0)
            units[state, FAIL] = state_of[self.suffix[node]]
            units[state, OUTPUT] = output_of[node]
            for child in self.children[node].values():
                units[state_of[child], CHECK] = state
        return units


class _Placement:
    """First-fit placement of nodes' children into one array of units, looking back only so far: linear in the nodes."""

    WINDOW = 1 << 14
    """How many of the last units are searched for room; earlier holes stay holes."""
    TRIES = 64
    """How many free units are tried before a node goes to the end."""

    def __init__(self, alphabet: int) -> None:
        self.taken = bytearray(alphabet + 1)
        self.taken[0] = 1

    def fit(self, symbols: Sequence[int]) -> int:
        """Take a unit at base + symbol for each of the symbols (ascending); returns the base."""
        unit = max(len(self.taken) - self.WINDOW, symbols[0])
        for _ in range(self.TRIES):
            unit = self.taken.find(0, unit)
            if unit < 0 or self.fits(unit - symbols[0], symbols):
                break
            unit += 1
        else:
            unit = -1
        base = (unit if unit >= 0 else max(len(self.taken), symbols[0])) - symbols[0]
        self.taken.extend(bytes(max(base + symbols[-1] + 1 - len(self.taken), 0)))
        for symbol in symbols:
            self.taken[base + symbol] = 1
        return base

    def fits(self, base: int, symbols: Sequence[int]) -> bool:
        """Are all these units free? Those past the end are."""
        return not any(base + symbol < len(self.taken) and self.taken[base + symbol] for symbol in symbols)
