"""The search: it finds what a naive one finds, whatever the text; its time is linear; it stays in bounds."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import index, kernel
from filters.folding import SKIPPED, Folding
from filters.index import CUE, RAW, VIEWED, Entry
from filters.kernel import (
    FOUND_EXPANDED,
    FOUND_INITIALS,
    FOUND_LEET,
    FOUND_RAW,
    FOUND_REPEATED,
    FOUND_VIEW,
    PRIVATE,
    Tables,
)
from filters.lexicon import Lexicon
from filters.reading import Pattern, start_of
from filters.rows import STACK
from filters.scanner import Scanner
from filters.survey import NOTHING, data_of, scratch_for
from filters.trie import Words
from tests.filters import mutants, oracle
from tests.filters.many import many_terms

FOLDING = Folding.shipped()
CANARY = -7


def tables_of(terms: Sequence[str], kind: int = RAW, initials: dict[str, int] | None = None) -> Tables:
    entries = [Entry(Pattern.of(term, FOLDING), kind) for term in terms]
    return data_of(index.build(entries, initials or {}))[0]


def found(tables: Tables, text: str | bytes, viewed: int = 0) -> list[tuple[int, int, int, int]]:
    """All candidates, asked for with exactly the room that they need, and nothing written beside it."""
    utf8 = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    scratch = scratch_for(len(utf8) + 8)
    behind = STACK + len(utf8) + 4
    scratch[behind:] = CANARY
    count = kernel.compiled()(tables, utf8, scratch, NOTHING, viewed) & (PRIVATE - 1)
    room = np.full((count + 1, kernel.COLUMNS), CANARY, dtype=np.int32)
    assert kernel.compiled()(tables, utf8, scratch, room, viewed) & (PRIVATE - 1) == count
    assert (room[count:] == CANARY).all()
    assert (scratch[behind:] == CANARY).all()
    return [tuple(candidate[:4]) for candidate in room[:count].tolist()]


def read(terms: Sequence[str], text: str, tables: Tables | None = None) -> set[tuple[int, int, int]]:
    """Term, start and end of what the search finds as it is written and the rules accept."""
    folded = FOLDING.fold(text)
    places = set()
    for kind, number, start, end in found(tables or tables_of(terms), text):
        if kind == FOUND_EXPANDED:  # of code points that stand for several letters the naive scanner knows nothing
            continue
        assert kind == FOUND_RAW
        pattern = Pattern.of(terms[number], FOLDING)
        assert FOLDING.letters(text[start:end]) == pattern.letters
        accepted = start_of(pattern, folded, end)
        if accepted is not None:
            assert accepted == start
            places.add((number, start, end))
    return places


def naive(terms: Sequence[str], text: str) -> set[tuple[int, int, int]]:
    folded = FOLDING.fold(text)
    return {(number, *span) for number, term in enumerate(terms) for span in oracle.occurrences(term, folded)}


LETTERS_OF_TERMS = ("ab", "abc傻逼", "傻沙贱见ab ", "abcdefghij的一是了我不人在他有这个上们来到时")
AROUND = " .-,，。\u200b\u0336\u0300\u3000\n\x00\ud800賤沙ＡａB１é😀🐴4氵亻尔\U000e0041\U0002f804"


@st.composite
def terms_and_text(draw: st.DrawFn) -> tuple[list[str], str]:
    letters = draw(st.sampled_from(LETTERS_OF_TERMS))
    term = st.text(st.sampled_from(letters), min_size=2, max_size=8).map(str.strip)
    terms = draw(st.lists(term.filter(lambda one: len(FOLDING.letters(one)) > 1), max_size=20, unique=True))
    sign = st.sampled_from(letters) | st.sampled_from(AROUND)
    pieces = st.text(sign, max_size=8) | st.sampled_from(terms or ["a"])
    return terms, draw(st.lists(pieces, max_size=6).map("".join))


@given(terms_and_text())
@settings(max_examples=100, deadline=None)
def test_finds_what_the_naive_search_finds(drawn: tuple[list[str], str]) -> None:
    terms, text = drawn
    assert read(terms, text) == naive(terms, text)


FEW = ["傻逼", "kill your self", "ass"]
TABLES = tables_of(FEW)


@given(st.text(st.characters(codec=None), max_size=30))
@settings(max_examples=500, deadline=None)
def test_finds_terms_in_any_text(around: str) -> None:
    for text in (around, f"傻{around}逼", f"{around}ass{around}", f"kill{around}your self"):
        assert read(FEW, text, TABLES) == naive(FEW, text)


def test_terms_with_the_same_letters_are_all_found() -> None:
    assert read(["ab", "a-b", "ab"], "ab") == {(0, 0, 2), (1, 0, 2), (2, 0, 2)}


def test_one_deep_term_and_its_suffixes() -> None:
    terms = ["傻逼" * 500, "逼" + "傻逼" * 400, "逼傻", "逼逼"]
    assert read(terms, "傻逼" * 600) == naive(terms, "傻逼" * 600)


def test_many_terms_are_all_found_where_they_stand() -> None:
    terms = many_terms(20_000)
    tables = tables_of(terms)
    for number, term in enumerate(terms):
        text = f"，{term}。"
        assert (FOUND_RAW, number, 1, 1 + len(term)) in found(tables, text), term


def test_what_is_found_as_written_is_written_so() -> None:
    tables = tables_of(["傻逼"], RAW | VIEWED)
    assert found(tables, "傻逼沙壁") == [(FOUND_RAW, 0, 0, 2)]
    assert found(tables, "傻逼，沙壁", 1) == [(FOUND_RAW, 0, 0, 2), (FOUND_VIEW, 0, 3, 5)]
    assert found(tables_of(["傻逼"]), "傻逼，沙壁", 1) == [(FOUND_RAW, 0, 0, 2)]


def test_a_candidate_says_as_what_it_was_found() -> None:
    tables = tables_of(["你妈死了", "fuck"], RAW | VIEWED, {"nmsl": 0})
    kinds = {text: {candidate[:2] for candidate in found(tables, text, 1)} for text in ("nmsl", "fuuuck", "fu<k", "操")}
    assert kinds["nmsl"] == {(FOUND_INITIALS, 0)}
    assert kinds["fuuuck"] == {(FOUND_REPEATED, 1)}
    assert kinds["操"] == set()
    assert {kind for _, kind in kinds["fu<k"]} <= {FOUND_LEET, 1}


def test_a_cue_says_that_there_may_be_private_data() -> None:
    tables = tables_of(["微信"], CUE)
    counts = [kernel.compiled()(tables, text.encode(), scratch_for(99), NOTHING, 1) for text in ("微信", "微博", "")]
    assert counts == [PRIVATE, 0, 0]


def test_room_for_too_few_takes_the_first() -> None:
    tables = tables_of(["傻逼"])
    room = np.full((3, kernel.COLUMNS), CANARY, dtype=np.int32)
    text = ("傻逼" * 10).encode()
    assert kernel.compiled()(tables, text, scratch_for(len(text)), room, 0) == 10
    assert room[:, :4].tolist() == [[FOUND_RAW, 0, start, start + 2] for start in (0, 2, 4)]


def test_every_code_point_is_skipped_or_ends_a_match_as_it_folds() -> None:
    search, room, tables = kernel.compiled(), scratch_for(16), tables_of(["ab", "傻逼"])
    folded = FOLDING.fold("".join(map(chr, range(sys.maxunicode + 1))))
    for code, to in enumerate(folded):
        text = f"傻{chr(code)}逼".encode("utf-8", "surrogatepass")
        count = search(tables, text, room, NOTHING, 0) & (PRIVATE - 1)
        assert count == (to in SKIPPED or to in "傻逼"), hex(code)


EXTREME = {
    "one character": ("傻" * 333_334, 0),
    "one letter": ("a" * 1_000_000, 0),
    "combining marks": ("傻" + "\u0336" * 32_768 + "逼", 1),
    "marks on each letter": ("".join(letter + "\u0336" * 1000 for letter in "kill your self"), 1),
    "NUL": ("\x00" * 100_000 + "傻逼", 1),
    "surrogates": ("\ud800" * 100_000 + "傻\udfff逼傻逼", 1),
    "terms": ("傻逼" * 50_000, 50_000),
    "words": ("ass " * 50_000, 50_000),
    "separators": ("傻" + ".-" * 250_000 + "逼", 1),
    "all of Unicode": ("".join(map(chr, range(sys.maxunicode + 1))), 0),
}


@pytest.mark.parametrize(("text", "count"), EXTREME.values(), ids=EXTREME)
def test_extreme_texts(text: str, count: int) -> None:
    candidates = found(TABLES, text)
    assert len(candidates) == count
    assert all(0 <= start < end <= len(text) for _, _, start, end in candidates)


REPEATED = [
    "傻",
    "a",
    "sha",
    "女子",
    "\ud800",
    "\u0336",
    "\x00",
    "🐴",
    "4",
    "氵",
    "ass ",
    "fu<k",
    "沙壁",
    "傻逼",
    "nmsl ",
    "5",
]


@pytest.mark.parametrize("unit", REPEATED, ids=ascii)
def test_time_is_linear_in_the_length(unit: str) -> None:
    """What is counted is linear to the number; a text eight times as long may take twice its share of time."""
    tables = Scanner.shipped().survey_data[0]
    search = kernel.compiled()
    texts = [(unit * count).encode("utf-8", "surrogatepass") for count in (20_000, 160_000)]
    scratch = scratch_for(len(texts[1]))

    def cost(text: bytes) -> tuple[float, int]:
        began = time.process_time()
        count = search(tables, text, scratch, NOTHING, 1) & (PRIVATE - 1)
        return time.process_time() - began, count

    for _ in range(3):
        (short, few), (long, many) = (min(cost(text) for _ in range(3)) for text in texts)
        if long < 16 * short:
            break
    assert long < 16 * short
    assert many <= 8 * few + 64


def words_of_shipped() -> list[str]:
    return [term.text for term in Lexicon.shipped().terms]


@given(st.lists(st.sampled_from(words_of_shipped()) | st.text(max_size=4), max_size=6).map("".join))
@settings(max_examples=150, deadline=None)
def test_the_shipped_terms_are_found_as_the_naive_search_finds_them(text: str) -> None:
    scanner, terms = Scanner.shipped(), Lexicon.shipped().terms
    folded = FOLDING.fold(text)
    plain = {(*span, term.text) for term in terms for span in oracle.occurrences(term.text, folded)}
    assert {(start, end, term.text) for start, end, term in scanner._matches(text) if term is not None} == plain


def test_a_search_among_200000_terms_costs_at_most_three_times_one_among_1000() -> None:
    terms = many_terms(200_000)
    few, many = (tables_of(terms[:count]) for count in (1_000, 200_000))
    drawn, draw = "".join(map(FOLDING.letters, terms)), random.Random(1)
    texts = ["".join(draw.choices(drawn, k=30)).encode() for _ in range(10_000)]
    search, scratch = kernel.compiled(), scratch_for(1000)

    def cost(tables: Tables) -> float:
        began = time.process_time()
        for text in texts:
            search(tables, text, scratch, NOTHING, 0)
        return time.process_time() - began

    ratios = sorted(cost(many) / cost(few) for _ in range(9))
    print(f"\na search among 200,000 terms costs {ratios[4]:.1f} times one among 1,000")
    assert ratios[4] < 3


# In bounds.

RANDOM_BYTES = """
import random, sys
import numpy as np
from filters import kernel, rows, survey
from tests.filters.mutants import Bench, Mutants

data = Bench().scanner.survey_data
search, look = kernel.compiled(), survey.compiled()
draw, mutants = random.Random(3), Mutants(3)
leads = [bytes([byte]) for byte in (0xC2, 0xE4, 0xEF, 0xF0, 0xF4, 0xF7, 0xFF, 0x80, 0xBF)]
for number in range(int(sys.argv[1])):
    if number % 2:
        utf8 = draw.randbytes(draw.randint(0, 40))
    else:
        utf8 = mutants.text().encode("utf-8", "surrogatepass")
        utf8 = utf8[draw.randint(0, 3) : draw.randint(0, len(utf8))] + draw.choice(leads)
        place = draw.randrange(len(utf8))
        utf8 = utf8[:place] + draw.choice(leads) + utf8[place:]
    scratch = survey.scratch_for(len(utf8))
    look(data, utf8, scratch, survey.NOTHING)
    for viewed in (0, 1):
        found = np.full((4, kernel.COLUMNS), -7, dtype=np.int32)
        count = search(data[0], utf8, scratch, found, viewed) & (kernel.PRIVATE - 1)
        assert (found[min(count, 4) :] == -7).all(), utf8
        assert all(0 <= start < end <= len(utf8) for _, _, start, end, *_ in found[:count].tolist()), utf8
print("in bounds")
try:
    search(data[0], b"abc" * 9, np.zeros((rows.STACK, 4), np.int32), survey.NOTHING, 0)
except IndexError:
    print("bounds are checked")
"""
"""With too small a scratch at the end: so the test could fail."""


def checked(*arguments: str) -> str:
    """What a process prints in which every access of every kernel is checked."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1"},
        capture_output=True,
        check=True,
        text=True,
        timeout=300,
    ).stdout


def test_any_bytes_are_read_within_bounds() -> None:
    assert checked("-c", RANDOM_BYTES, "10000") == "in bounds\nbounds are checked\n"


def test_mutants_are_judged_as_by_the_naive_scanner_and_within_bounds() -> None:
    """`make fuzz` runs a million of them."""
    hits = int(checked("-m", "tests.filters.mutants", "3000").split()[0])
    assert hits > 1000


@given(st.binary(max_size=60), st.integers(0, 1))
@settings(max_examples=300, deadline=None)
def test_bytes_that_are_no_text_have_spans_all_the_same(data: bytes, viewed: int) -> None:
    for _, number, start, end in found(Scanner.shipped().survey_data[0], data, viewed):
        assert number >= 0
        assert 0 <= start < end <= len(data)


def test_a_text_may_end_within_any_character() -> None:
    tables = tables_of(["傻逼"])
    text = "傻逼😀傻逼é".encode()
    counts = [len(found(tables, text[:end])) for end in range(len(text) + 1)]
    assert counts == [0] * 6 + [1] * 10 + [2] * 3


def test_the_index_may_be_a_map_that_cannot_be_written() -> None:
    words: Words = Scanner.shipped()._words
    assert not words.flags.writeable
    assert mutants.Bench().check("你是沙壁") == 1
