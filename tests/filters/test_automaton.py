"""The automaton's builder: what it builds finds what a naive search finds; and what 200,000 terms cost."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from filters.automaton import BASE, CHECK, FAIL, HEADER, NEXT, OUTPUT, PATTERN, UNIT, UNITS, Words
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import automaton, kernel
from filters.folding import Folding
from filters.lexicon import parse
from filters.scanner import Scanner
from tests.filters.many import many_terms

FOLDING = Folding.shipped()


def found(words: Words, text: str) -> set[tuple[int, int]]:
    """Pattern and end of all that the compiled search finds."""
    search, utf8 = kernel.compiled(), text.encode()
    places = np.empty((search(words, utf8, np.empty((0, 2), np.int32)), 2), np.int32)
    assert search(words, utf8, places) == len(places)
    pairs = [(number, end) for number, end in places.tolist()]
    assert len(pairs) == len(set(pairs))
    return set(pairs)


def naive(patterns: Sequence[str], text: str) -> set[tuple[int, int]]:
    """The same by looking for each pattern at each place."""
    return {
        (number, start + len(pattern))
        for number, pattern in enumerate(patterns)
        for start in range(len(text))
        if text.startswith(pattern, start)
    }


ALPHABETS = ("ab", "abc傻逼", "abcdefghijklmnopqrstuvwxyz的一是了我不人在他有这个上们来到时")


@st.composite
def patterns_and_text(draw: st.DrawFn) -> tuple[list[str], str]:
    letters = st.sampled_from(draw(st.sampled_from(ALPHABETS)))
    patterns = draw(st.lists(st.text(letters, min_size=1, max_size=8), max_size=30, unique=True))
    text = draw(st.text(letters, max_size=40) | st.lists(st.sampled_from(patterns or ["a"])).map("".join))
    return patterns, text


@given(patterns_and_text())
@settings(max_examples=400, deadline=None)
def test_finds_what_the_naive_search_finds(drawn: tuple[list[str], str]) -> None:
    patterns, text = drawn
    assert found(automaton.build(patterns, FOLDING), text) == naive(patterns, text)


@given(patterns_and_text())
@settings(max_examples=100, deadline=None)
def test_every_reference_stays_inside(drawn: tuple[list[str], str]) -> None:
    patterns, _ = drawn
    words = automaton.build(patterns, FOLDING).astype(np.int64)
    first = words[UNITS]
    units = words[first:].reshape(-1, UNIT)
    outputs = words[min(words[HEADER : HEADER + 0x1100].max() + 256, first) : first].reshape(-1, 2)
    alphabet = words[HEADER + 0x1100 : first - outputs.size].max(initial=0)
    assert (units[:, BASE] >= 0).all()
    assert units[:, BASE].max() + alphabet < len(units)
    assert (units[:, CHECK] < len(units)).all()
    assert ((units[:, FAIL] >= 0) & (units[:, FAIL] < len(units))).all()
    pairs = np.concatenate([units[:, OUTPUT], outputs[:, NEXT]])
    assert (((pairs >= first - outputs.size) & (pairs < first)) | (pairs == 0)).all()
    assert sorted(outputs[:, PATTERN]) == list(range(len(patterns)))


def test_one_deep_pattern_and_its_suffixes() -> None:
    patterns = ["ab" * 500, "b" + "ab" * 400, "ba", "b"]
    text = "ab" * 600
    assert found(automaton.build(patterns, FOLDING), text) == naive(patterns, text)


@pytest.fixture(scope="module")
def terms() -> list[str]:
    return many_terms(200_000)


@pytest.mark.req("W1")
def test_200000_terms_compile_in_ten_seconds_and_bounded_memory(terms: list[str]) -> None:
    kernel.compiled(), kernel.compiled_survey()
    content = "\n".join(["shieldwire-lexicon 1", "[insult serious]", *terms])
    began = time.process_time()
    scanner = Scanner.compile(parse([("many.lexicon", content)]))
    took = time.process_time() - began
    size = sum(array.nbytes for array in scanner.to_artifact().values())
    print(f"\n{len(terms):,} terms: {took:.1f} s of processor time, {size / 1e6:.0f} MB in all views")
    assert took < 10
    assert size < 400e6
    assert [hit.why for hit in scanner.scan(f"啊，{terms[-1]}，").hits] == [terms[-1]]


def test_building_needs_little_more_memory_than_what_is_built(terms: list[str]) -> None:
    letters = [FOLDING.letters(term) for term in terms[:20_000]]
    tracemalloc.start()
    words = automaton.build(letters, FOLDING)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"\nheap at its highest {peak / 1e6:.0f} MB, built {words.nbytes / 1e6:.0f} MB")
    assert peak < 6 * words.nbytes


def test_a_search_among_200000_terms_costs_at_most_three_times_one_among_1000(terms: list[str]) -> None:
    letters = [FOLDING.letters(term) for term in terms]
    few, many = (automaton.build(letters[:count], FOLDING) for count in (1_000, 200_000))
    rng = random.Random(1)
    drawn = "".join(letters)
    texts = ["".join(rng.choices(drawn, k=30)).encode() for _ in range(10_000)]
    search, no_room = kernel.compiled(), np.empty((0, 2), np.int32)

    def cost(words: Words) -> float:
        began = time.process_time()
        for text in texts:
            search(words, text, no_room)
        return time.process_time() - began

    ratios = sorted(cost(many) / cost(few) for _ in range(9))
    assert ratios[4] < 3
