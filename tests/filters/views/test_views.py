"""The views: which disguises are seen through, what stays clean, and that the search misses nothing."""

from __future__ import annotations

import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import kernel
from filters.classes import Harm
from filters.folding import Folding
from filters.hits import CLEAN, Severity
from filters.lexicon import Lexicon, Term
from filters.scanner import Scanner
from filters.views.compiled import refusal
from filters.views.evidence import View
from filters.views.letters import Letters
from filters.views.readings import spellings
from filters.views.words import Words
from tests.filters.views import oracle

TERMS = ["傻逼", "贱人", "废物", "你妈死了", "操你妈", "死全家", "国蝻", "狗东西", "垃圾人"]


@cache
def scanner() -> Scanner:
    return Scanner(lexicon(TERMS))


def lexicon(terms: list[str]) -> Lexicon:
    return Lexicon(tuple(Term(term, Harm.INSULT, Severity.SERIOUS, (), "x", line) for line, term in enumerate(terms)))


DISGUISED = {
    "你是沙壁吗": (View.HOMOPHONE, "傻逼", "沙壁"),
    "真是个贱任": (View.HOMOPHONE, "贱人", "贱任"),
    "你妈4了": (View.HOMOPHONE, "你妈死了", "你妈4了"),
    "沙 * 壁": (View.HOMOPHONE, "傻逼", "沙 * 壁"),
    "操你🐴": (View.EMOJI, "操你妈", "操你🐴"),
    "ni shi sha bi": (View.PINYIN, "傻逼", "sha bi"),
    "nishishabi": (View.PINYIN, "傻逼", "shabi"),
    "你是sha逼": (View.PINYIN, "傻逼", "sha逼"),
    "操ＮＩ妈": (View.PINYIN, "操你妈", "操ＮＩ妈"),
    "nmsl": (View.INITIALS, "你妈死了", "nmsl"),
    "你m死了": (View.INITIALS, "你妈死了", "你m死了"),
    "你是个氵𠂎圾人": None,
    "亻吏人": None,
    "人贱就是你": (View.SHUFFLED, "贱人", "人贱"),
    "你妈歹匕了": (View.SPLIT, "你妈死了", "你妈歹匕了"),
    "😀操亻尔妈": (View.SPLIT, "操你妈", "操亻尔妈"),
    "你妈毙丬了": None,
}

CLEAN_TEXTS = [
    "看见人们在跑",
    "我见人就说",
    "有女子走过",
    "国男是什么意思",
    "women and men can see the band",
    "this shabby hotel",
    "他妈妈死后四年",
    "我的手机是13寸的",
    "狗和东西方文化",
    "全家去死海玩",
    "😀😀😀",
    "",
]


@pytest.mark.req("P5", "W3")
@pytest.mark.parametrize("text", [text for text, found in DISGUISED.items() if found])
def test_a_disguise_is_seen_through_and_its_place_is_that_in_the_original(text: str) -> None:
    (hit,) = scanner().scan(text).hits
    assert (hit.view, hit.why, text[hit.start : hit.end]) == DISGUISED[text]


@pytest.mark.req("W3")
@pytest.mark.parametrize("text", CLEAN_TEXTS + [text for text, found in DISGUISED.items() if not found])
def test_clean_text_stays_clean(text: str) -> None:
    assert scanner().scan(text) == CLEAN


def test_a_raw_match_is_nothing_else_besides() -> None:
    assert [hit.view for hit in scanner().scan("你是傻逼，沙壁").hits] == [View.RAW, View.HOMOPHONE]


def test_a_term_says_in_which_views_it_is_not_looked_for() -> None:
    reasons = {view: refusal("贱人", view) for view in View if refusal("贱人", view)}
    assert reasons == {View.INITIALS: "fewer than 3 initials"}
    assert refusal("傻b", View.HOMOPHONE) == "fewer than two Chinese letters"
    assert refusal("我们", View.PINYIN) == "spells an English word"


ALPHABET = "傻沙逼笔壁贱见人任你妈死了四操女子亻尔氵歹匕嘿黑shabinmsldejr4🐴😀, .是的在a"


@given(st.text(st.sampled_from(ALPHABET), max_size=10))
@settings(max_examples=150, deadline=None)
def test_the_search_misses_nothing_that_the_naive_views_find(text: str) -> None:
    found = [hit for hit in scanner().scan(text).hits if hit.view != "private"]
    naive = list(oracle.sightings(TERMS, text))
    for sighting in naive:
        assert any(hit.start < sighting.end and sighting.start < hit.end for hit in found), sighting
    known = {(sighting.start, sighting.end, TERMS[sighting.term], sighting.view) for sighting in naive}
    assert {(hit.start, hit.end, hit.why, hit.view) for hit in found if hit.view != View.RAW} <= known


@given(st.binary(max_size=40))
@settings(deadline=None)
def test_the_survey_stays_within_bounds_on_any_bytes(data: bytes) -> None:
    scratch = np.zeros((kernel.STACK + len(data), 3), dtype=np.int32)
    found = np.full((4, 4), -7, dtype=np.int32)
    count = kernel.compiled_survey()(*scanner()._data, data, scratch, found) & (kernel.PRIVATE - 1)
    assert count >= 0
    assert (found[min(count, 4) :] == -7).all()


@pytest.mark.parametrize(
    "text",
    [
        "沙" * 1_000_000,
        "sha" * 300_000,
        "女" * 500_000 + "子",
        "\ud800" * 100_000,
        "沙" + "\u0336" * 65_536 + "壁",
        "\x00" * 100_000,
        "🐴" * 100_000,
        "".join(map(chr, range(sys.maxunicode + 1))),
    ],
    ids=["one character", "one syllable", "components", "surrogates", "marks", "NUL", "emoji", "all of Unicode"],
)
def test_extreme_texts_are_read_to_their_end(text: str) -> None:
    hits = scanner().scan(text + ",你是沙壁").hits
    assert hits[-1].end == len(text) + 5


def test_ordinary_words_cost_less_than_the_same_letters_in_disorder() -> None:
    words = Words.shipped()
    assert words.cost(list("我们今天去公园"))[-1] < words.cost(list("园公去天今们我"))[-1]


def test_the_letters_of_a_text_know_their_places_and_runs() -> None:
    letters = Letters.of("你a\u200bb 12。C", Folding.shipped())
    assert letters.chars == "你ab12,c"
    assert list(letters.places) == [0, 1, 3, 5, 6, 7, 8]
    assert list(letters.runs) == [0, 1, 1, 2, 2, 3, 4]


@pytest.mark.parametrize(("run", "whole"), [("nishishabi", True), ("xian", True), ("fuck", False), ("", True)])
def test_a_run_is_spelled_if_it_is_syllables_only(run: str, whole: bool) -> None:
    assert spellings(run) is whole
