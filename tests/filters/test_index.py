"""The index: what each code point is to the search, that no sieve keeps a pattern away, and what 200,000 terms cost."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import index, kernel
from filters.folding import SKIPPED, Folding, is_word
from filters.index import (
    BEGIN_MULTIPLIERS,
    BEGINS,
    BEGINS_MASK,
    BOUND,
    DETOUR,
    ENTRIES,
    ENTRY,
    INITIALS,
    INITIALS_MASK,
    INITIALS_MULTIPLIER,
    JOINTS,
    KIND,
    LATIN,
    LENGTH,
    LETTERS,
    OUTPUT_OF,
    PAGES,
    PRICE,
    RAW,
    ROW,
    SKIP,
    SPLIT,
    SPLIT_SECOND,
    SYMBOL,
    TRAIT,
    UNITS,
    UNSPACED,
    VIEWED,
    WHOLE,
    WORD,
    Entry,
    build,
    packed,
)
from filters.lexicon import parse
from filters.reading import Pattern
from filters.scanner import Scanner
from filters.survey import NOTHING, scratch_for
from filters.trie import BASE, CHECK, UNIT, Words
from filters.views import spelling
from filters.views.words import bigrams, hashed
from tests.filters.many import many_terms

FOLDING = Folding.shipped()
LETTERS_OF_TERMS = "abc傻逼沙壁贱人见你妈4é"


def entries(texts: list[str], kind: int = RAW | VIEWED) -> list[Entry]:
    return [Entry(Pattern.of(text, FOLDING), kind) for text in texts]


def row(words: Words, code: int) -> list[int]:
    begin = words[PAGES + (code >> 8)] + ENTRY * (code & 0xFF)
    values: list[int] = words[begin : begin + ENTRY].tolist()
    return values


def symbols(words: Words, letters: str) -> list[int]:
    return [row(words, ord(letter))[SYMBOL] for letter in letters]


def has(words: Words, begin: int, bit: int) -> bool:
    return bool(int(words[begin + (bit >> 5)]) >> (bit & 31) & 1)


def passes_sieves(words: Words, letters: str) -> bool:
    """May the search look for a pattern where these letters stand?"""
    first, second, *others = symbols(words, letters)
    if not others:
        bound = words[BOUND]
        return has(words, words[WHOLE] + min(first, bound) * words[ROW], min(second, bound))
    one, two, three = BEGIN_MULTIPLIERS
    return has(words, words[BEGINS], first * one + second * two + others[0] * three & int(words[BEGINS_MASK]))


def ends_in(words: Words, letters: str) -> list[int]:
    """The entries that end where these letters lead in the trie."""
    state = 0
    for symbol in symbols(words, letters):
        after = (words[words[UNITS] + UNIT * state + BASE] >> 1) + symbol
        if words[words[UNITS] + UNIT * after + CHECK] != state:
            return []
        state = after
    if words[words[UNITS] + UNIT * state + BASE] & 1 == 0:
        return []
    output = words[words[OUTPUT_OF] + state]
    numbers: list[int] = words[output + 1 : output + 1 + words[output]].tolist()
    return numbers


def test_every_code_point_is_to_the_search_what_it_folds_to() -> None:
    words = build(entries(["ab", "傻逼", "éö"], RAW), {})
    folded = FOLDING.fold("".join(map(chr, range(sys.maxunicode + 1))))
    for code, to in enumerate(folded):
        symbol, trait, letter, _ = row(words, code)
        if to in SKIPPED:
            assert symbol == SKIP, hex(code)
            continue
        assert symbol == row(words, ord(to))[SYMBOL], hex(code)
        assert (trait & WORD != 0) == is_word(to), hex(code)
        assert (trait & LATIN != 0) == ("a" <= to <= "z"), hex(code)
        if symbol or trait:
            assert letter == ord(to), hex(code)


def test_what_no_entry_holds_has_no_symbol_unless_it_is_a_syllable_or_latin() -> None:
    words = build(entries(["傻逼"]), {})
    assert symbols(words, "я😀") == [0, 0]
    assert all(symbol > 0 for symbol in symbols(words, "az傻沙的"))
    assert symbols(words, "傻") == symbols(words, "沙") != symbols(words, "逼")


texts = st.lists(
    st.text(st.sampled_from(LETTERS_OF_TERMS), min_size=2, max_size=6).filter(lambda text: len(text) > 1), max_size=25
)


@given(texts)
@settings(max_examples=40, deadline=None)
def test_every_entry_passes_the_sieves_and_ends_where_it_leads(drawn: list[str]) -> None:
    made = entries(drawn)
    words = build(made, {})
    for number, entry in enumerate(made):
        letters = entry.pattern.letters
        assert passes_sieves(words, letters)
        assert number in ends_in(words, letters)
        record = words[words[ENTRIES] + ENTRY * number :][:ENTRY]
        assert record[LENGTH] == len(letters)
        assert record[KIND] & (1 << PRICE) - 1 == entry.kind
        stored = words[record[LETTERS] :][: len(letters)].tolist()
        assert "".join(map(chr, stored)) == letters
        joints = [bool(int(record[JOINTS]) >> at & 1) for at in range(len(letters) - 1)]
        assert joints == [joint is False for joint in entry.pattern.joints]


@given(texts)
@settings(max_examples=20, deadline=None)
def test_every_way_to_read_a_letter_leads_into_a_term(drawn: list[str]) -> None:
    words = build(entries(drawn), {})
    wanted = {symbol for text in drawn for symbol in symbols(words, FOLDING.letters(text))}
    for char in "4嗨氵亻🐴国贱壁妈二行":
        _, trait, _, detours = row(words, ord(char))
        assert (trait & DETOUR != 0) == (detours > 0)
        if detours:
            others = words[detours + 1 : detours + 1 + words[detours]].tolist()
            assert set(others) <= wanted
            assert others == sorted(set(others))


def test_of_a_long_pattern_only_the_first_joints_are_kept() -> None:
    words = build(entries(["a" * 100]), {})
    assert words[words[ENTRIES] + JOINTS] == (1 << UNSPACED - 1) - 1


def test_characters_written_apart_are_known_by_their_first_two_letters() -> None:
    traits = [row(build(entries([term]), {}), ord("亻"))[TRAIT] for term in ("你妈", "贱人")]
    assert [trait >> SPLIT & 1 for trait in traits] == [1, 0]
    second = row(build(entries(["你妈"]), {}), ord("尔"))[TRAIT]
    assert second >> SPLIT_SECOND & 1


@given(st.dictionaries(st.text(st.sampled_from("abz"), min_size=3, max_size=12), st.integers(0, 9), max_size=60))
@settings(max_examples=30, deadline=None)
def test_runs_of_initials_are_found_again_and_no_others(initials: dict[str, int]) -> None:
    words = build(entries(["你妈死了"]), initials)
    asked = [*initials, "aaaz" * 3, "zzzzz", "bab"]
    for run in asked:
        high, low = packed(run[:6]), packed(run[6:])
        slot = high * INITIALS_MULTIPLIER + low >> 8
        while True:
            at = words[INITIALS] + 4 * (slot & int(words[INITIALS_MASK]))
            if words[at] == 0 or (words[at] == high and words[at + 1] == low):
                break
            slot += 1
        assert words[at + 2] == (initials[run] + 1 if run in initials else 0)


def test_what_is_read_four_words_at_a_time_begins_at_a_multiple_of_four() -> None:
    for some in ([], ["ab"], ["傻逼", "abc", "你妈死了"]):
        words = build(entries(some), {"abc": 0} if some else {})
        assert words[UNITS] % 4 == 0
        assert all(words[PAGES + page] % 4 == 0 for page in range(0x1100))


def test_an_empty_index_finds_nothing() -> None:
    words = build([], {})
    assert not words.flags.writeable
    text = "你是 fuck 沙壁 nmsl"
    tables = words, hashed(), bigrams(), spelling.table()
    assert kernel.compiled()(tables, text.encode(), scratch_for(99), NOTHING, 1) == 0


@pytest.fixture(scope="module")
def terms() -> list[str]:
    return many_terms(200_000)


@pytest.mark.req("W1")
def test_200000_terms_compile_in_ten_seconds_and_bounded_memory(terms: list[str]) -> None:
    Scanner.shipped()  # what every process prepares once
    content = "\n".join(["shieldwire-lexicon 1", "[insult serious]", *terms])
    began = time.process_time()
    scanner = Scanner.compile(parse([("many.lexicon", content)]))
    took = time.process_time() - began
    size = sum(array.nbytes for array in scanner.to_artifact().values())
    print(f"\n{len(terms):,} terms: {took:.1f} s of processor time, {size / 1e6:.0f} MB in all views")
    assert took < 10
    assert size < 400e6
    assert [hit.why for hit in scanner.scan(f"啊，{terms[-1]}，").hits] == [terms[-1]]


def test_ten_times_the_terms_are_at_most_ten_times_the_index(terms: list[str]) -> None:
    empty, few, many = (len(build(entries(terms[:count]), {})) for count in (0, 20_000, 200_000))
    print(f"\n20,000 terms: {4 * few / 1e6:.1f} MB, 200,000: {4 * many / 1e6:.1f} MB")
    assert many - empty < 10 * (few - empty)


def test_the_symbols_of_syllables_are_the_same_in_every_index() -> None:
    one, other = build(entries(["傻逼"]), {}), build(entries(["abc", "éö", "😀的"]), {})
    chars = "傻沙逼的我女略a" + "z"
    assert symbols(one, chars) == symbols(other, chars)
    assert max(index.syllables().values()) == len(index.syllables())
