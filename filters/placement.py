"""Places the nodes of a trie into a double array (``filters.trie`` says what that is), level by level.

What is walked most lies together that way. Nodes with several children go where all of these fit: first fit, in machine
code, looking back only so far, so that the time stays linear in the nodes. One child fits anywhere, so those fill the
holes, all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numba import int64, types, uint8
from numpy.typing import NDArray

from filters import machine_code

Numbers = NDArray[np.int64]

WINDOW = 1 << 14
"""How many of the last units are searched for room for several children."""
TRIES = 64
"""How many free units are tried before a node goes to the end."""

Fit = Callable[[Numbers, Numbers, Numbers, NDArray[np.uint8], Numbers, int, int], tuple[int, int]]


class Placement:
    """``state``: the unit of each node; ``base``: of each that has children; ``units``: how many there must be.

    The children of a node are neighbours, in the order of their symbols (from 1 up); node 0 is the root, and ``levels``
    are the nodes of each depth.
    """

    def __init__(
        self, symbol: Numbers, first_child: Numbers, children: Numbers, levels: Sequence[slice], alphabet: int
    ) -> None:
        self._symbol, self._first_child, self._children = symbol, first_child, children
        self.state = np.zeros_like(symbol)
        self.base = np.zeros_like(symbol)
        # The first units are the root's own: base 0, and so no other base is 0 or less.
        self._taken = np.ones(alphabet + 1, dtype=np.uint8)
        for top in levels[1:2]:
            self.state[top] = symbol[top]
        for level in levels[1:]:
            self._place_several(level.start + np.flatnonzero(children[level] > 1))
            self._place_single(level.start + np.flatnonzero(children[level] == 1))
        self.units = self._taken.size + alphabet + 1
        """From any base, every symbol of the alphabet leads to a unit that exists."""

    def _place_several(self, nodes: Numbers) -> None:
        first, counts = self._first_child[nodes], self._children[nodes]
        bases = np.zeros_like(nodes)
        done, end = 0, self._taken.size
        while done < nodes.size:
            room = np.zeros(2 * end + int(self._symbol.max()) + 1, dtype=np.uint8)
            room[:end] = self._taken[:end]
            self._taken = room
            done, end = _compiled_fit()(self._symbol, first, counts, room, bases, done, end)
        self._taken = self._taken[:end]
        self.base[nodes] = bases
        children = np.repeat(first + counts - np.cumsum(counts), counts) + np.arange(counts.sum())
        self.state[children] = np.repeat(bases, counts) + self._symbol[children]

    def _place_single(self, nodes: Numbers) -> None:
        holes = np.flatnonzero(self._taken == 0)[: nodes.size]
        end = self._taken.size
        units = np.concatenate([holes, np.arange(end, end + nodes.size - holes.size)])
        self._taken[holes] = 1
        self._taken = np.concatenate([self._taken, np.ones(nodes.size - holes.size, dtype=np.uint8)])
        children = self._first_child[nodes]
        self.state[children] = units
        self.base[nodes] = units - self._symbol[children]


@cache
def _compiled_fit() -> Fit:
    """`_fit` as machine code; half a second at the first call of a process."""
    numbers, flags = types.Array(int64, 1, "C"), types.Array(uint8, 1, "C")
    two = types.UniTuple(int64, 2)  # type: ignore[no-untyped-call]
    signature = two(numbers, numbers, numbers, flags, numbers, int64, int64)
    return machine_code.entry_point(_fit, signature)


def _fit(symbols, first, counts, taken, bases, done, end):  # type: ignore[no-untyped-def]  # numba types it
    """Find bases for the nodes from ``done`` on; ``taken`` is 0 from ``end`` on. Stops where its room might not do.

    Answers how many nodes are done, and where the units end.
    """
    free = 0
    for node in range(done, len(first)):
        begin = first[node]
        stop = begin + counts[node]
        lead = symbols[begin]
        span = symbols[stop - 1] - lead
        if end + span >= len(taken):
            return node, end
        free = max(free, end - WINDOW)
        while free < end and taken[free] != 0:
            free += 1
        unit = free
        tries = 0
        while unit < end:
            if taken[unit] == 0:
                child = begin + 1
                while child < stop and taken[unit + symbols[child] - lead] == 0:
                    child += 1
                if child == stop:
                    break
                tries += 1
                if tries == TRIES:
                    unit = end
                    break
            unit += 1
        for child in range(begin, stop):
            taken[unit + symbols[child] - lead] = 1
        bases[node] = unit - lead
        end = max(end, unit + span + 1)
    return len(first), end
