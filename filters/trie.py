"""Builds the trie of all patterns as a double array of int32 units, in a few array operations a level.

State t follows state s on symbol c if t = BASE[s] + c and CHECK[t] == s (Aoe, "An efficient digital search algorithm by
using a double-array structure", 1989). The root is state 0 and its base is 0: the state behind the first symbol of a
pattern is that symbol. Nodes are placed by ``filters.placement``.

There are no fail links (Aho and Corasick, "Efficient string matching", 1975): ``filters.kernel`` begins a walk wherever
a pattern may begin, and a sieve (`filters.index`) keeps these places few. So a walk may also read a letter in several
ways.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filters.placement import Numbers, Placement

BASE, CHECK = 0, 1
UNIT = 2
"""Words of a unit. The lowest bit of BASE says whether patterns end in the state, so twice the base is stored."""

_FREE = -1

Words = NDArray[np.int32]


class Trie:
    """The prefixes of all patterns as nodes, numbered level by level and within a level by parent, then symbol.

    So the children of a node are neighbours, and the edges are sorted as they stand. Node 0 is the root.
    """

    def __init__(self, symbols: Numbers, lengths: Numbers) -> None:
        """``symbols`` (from 1 up) of all patterns in a row; ``lengths`` [patterns]. Patterns may be the same."""
        span = int(symbols.max(initial=0)) + 1
        begins = np.cumsum(lengths) - lengths
        node = np.zeros_like(lengths)
        edges = [np.zeros(1, dtype=np.int64)]
        self._levels = [slice(0, 1)]
        for depth in range(int(lengths.max(initial=0))):
            alive = np.flatnonzero(lengths > depth)
            keys, inverse = np.unique(node[alive] * span + symbols[begins[alive] + depth], return_inverse=True)
            first = self._levels[-1].stop
            node[alive] = first + inverse
            edges.append(keys)
            self._levels.append(slice(first, first + keys.size))
        self._parent, self._symbol = np.divmod(np.concatenate(edges), span)
        self._end = node

    def compiled(self, alphabet: int) -> tuple[Words, Words, Words]:
        """The units [states, UNIT]; of each state where its outputs begin, or -1; the outputs: their count and numbers.

        ``alphabet``: the largest symbol.
        """
        children = np.bincount(self._parent[1:], minlength=self._parent.size)
        first_child = 1 + np.cumsum(children) - children
        place = Placement(self._symbol, first_child, children, self._levels, alphabet)
        units = np.zeros((place.units, UNIT), dtype=np.int32)
        units[:, CHECK] = _FREE
        units[place.state, BASE] = 2 * place.base
        units[place.state[1:], CHECK] = place.state[self._parent[1:]]
        order = np.argsort(self._end, kind="stable")
        nodes, begins, counts = np.unique(self._end[order], return_index=True, return_counts=True)
        outputs = np.insert(order, begins, counts)  # each list behind its length
        units[place.state[nodes], BASE] += 1
        output_of = np.full(place.units, -1, dtype=np.int32)
        output_of[place.state[nodes]] = begins + np.arange(nodes.size)
        return units, output_of, outputs.astype(np.int32)
