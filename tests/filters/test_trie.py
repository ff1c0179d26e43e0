"""The trie: as a double array it is the trie of dictionaries that anybody would write; and what a long list costs."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.trie import BASE, CHECK, Trie, Words

Pattern = Sequence[int]
ROOT = 0


class Node:
    """The plain trie."""

    def __init__(self) -> None:
        self.children: dict[int, Node] = {}
        self.ends: list[int] = []

    def add(self, number: int, pattern: Pattern) -> None:
        node = self
        for symbol in pattern:
            node = node.children.setdefault(symbol, Node())
        node.ends.append(number)


def plain(patterns: Sequence[Pattern]) -> Node:
    root = Node()
    for number, pattern in enumerate(patterns):
        root.add(number, pattern)
    return root


def compiled(patterns: Sequence[Pattern], alphabet: int) -> tuple[Words, Words, Words]:
    symbols = np.array([symbol for pattern in patterns for symbol in pattern], dtype=np.int64)
    lengths = np.array([len(pattern) for pattern in patterns], dtype=np.int64)
    return Trie(symbols, lengths).compiled(alphabet)


def agreeing(patterns: Sequence[Pattern], alphabet: int) -> Iterator[int]:
    """Walk both tries along every edge and every missing one; yields the states that are nodes."""
    units, output_of, outputs = compiled(patterns, alphabet)
    pending = [(ROOT, plain(patterns))]
    while pending:
        state, node = pending.pop()
        yield state
        begin = output_of[state]
        found = outputs[begin + 1 : begin + 1 + outputs[begin]].tolist() if begin >= 0 else []
        assert found == node.ends
        assert units[state, BASE] & 1 == bool(node.ends)
        base = units[state, BASE] >> 1
        for symbol in range(1, alphabet + 1):
            after = base + symbol
            assert (units[after, CHECK] == state) == (symbol in node.children)
            if symbol in node.children:
                pending.append((after, node.children[symbol]))


def patterns(alphabet: int) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(st.integers(1, alphabet), min_size=1, max_size=8), max_size=30)


@given(st.sampled_from([1, 2, 5, 40, 900]).flatmap(lambda most: st.tuples(patterns(most), st.just(most))))
@settings(max_examples=300, deadline=None)
def test_it_is_the_trie_of_dictionaries(drawn: tuple[list[list[int]], int]) -> None:
    some, alphabet = drawn
    states = list(agreeing(some, alphabet))
    assert len(states) == len(set(states))
    units, output_of, _ = compiled(some, alphabet)
    others = np.setdiff1d(np.arange(len(units)), states)
    assert (units[others, CHECK] < 0).all()
    assert (output_of[others] == -1).all()


@given(st.sampled_from([1, 3, 200]).flatmap(lambda most: st.tuples(patterns(most), st.just(most))))
@settings(max_examples=100, deadline=None)
def test_from_every_state_every_symbol_leads_to_a_unit_that_exists(drawn: tuple[list[list[int]], int]) -> None:
    some, alphabet = drawn
    units, output_of, outputs = compiled(some, alphabet)
    bases = units[:, BASE] >> 1
    assert (bases >= 0).all()
    assert bases.max() + alphabet < len(units)
    assert units[:, CHECK].max() < len(units)
    assert len(output_of) == len(units)
    begins = output_of[output_of >= 0]
    assert (begins + outputs[begins] < len(outputs)).all()


def test_no_pattern_is_a_root_alone() -> None:
    assert list(agreeing([], 5)) == [ROOT]


def test_patterns_that_are_the_same_all_end_in_one_state() -> None:
    _, output_of, outputs = compiled([[1, 2], [1, 2], [3], [1, 2]], 3)
    assert (output_of >= 0).sum() == 2
    assert list(agreeing([[1, 2], [1, 2], [3], [1, 2]], 3))
    assert outputs.tolist() in ([3, 0, 1, 3, 1, 2], [1, 2, 3, 0, 1, 3])


def test_one_deep_pattern_and_its_suffixes() -> None:
    some = [[1, 2] * 500, [2, *([1, 2] * 400)], [2, 1], [2]]
    assert sum(1 for _ in agreeing(some, 2)) == 1 + 1000 + 801


def test_a_node_with_every_symbol_of_the_alphabet() -> None:
    some = [[first, second] for first in (1, 70, 300) for second in range(1, 301)]
    assert sum(1 for _ in agreeing(some, 300)) == 1 + 3 + 900


def many(count: int) -> tuple[list[list[int]], int]:
    """As many patterns of 2 to 6 of 1,000 symbols, the low ones more often."""
    draw = random.Random(1)
    return [[1 + int(999 * draw.random() ** 3) for _ in range(draw.randint(2, 6))] for _ in range(count)], 1000


@pytest.mark.req("W1")
def test_units_are_few_more_than_nodes_even_where_symbols_scatter() -> None:
    for count in (1_000, 100_000):
        some, alphabet = many(count)
        nodes = len({tuple(pattern[:end]) for pattern in some for end in range(len(pattern) + 1)})
        units = len(compiled(some, alphabet)[0])
        assert units < 3 * nodes + 2 * alphabet + 2


@pytest.mark.req("W1")
def test_building_takes_time_linear_in_the_patterns() -> None:
    def cost(count: int) -> float:
        some, alphabet = many(count)
        began = time.process_time()
        compiled(some, alphabet)
        return (time.process_time() - began) / count

    cost(100)
    ratio = cost(200_000) / min(cost(20_000) for _ in range(3))
    print(f"\na pattern of 200,000 costs {ratio:.1f} times one of 20,000")
    assert ratio < 4


def test_building_needs_little_more_memory_than_the_patterns() -> None:
    some, alphabet = many(100_000)
    symbols = np.array([symbol for pattern in some for symbol in pattern], dtype=np.int64)
    lengths = np.array([len(pattern) for pattern in some], dtype=np.int64)
    tracemalloc.start()
    units, output_of, outputs = Trie(symbols, lengths).compiled(alphabet)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    built = units.nbytes + output_of.nbytes + outputs.nbytes
    print(f"\nheap at its highest {peak / 1e6:.0f} MB, built {built / 1e6:.0f} MB")
    assert peak < 6 * built
