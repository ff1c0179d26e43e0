"""The views: which disguises are seen through, what stays clean, and that the search misses nothing."""

from __future__ import annotations

import re
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters import kernel
from filters.classes import Harm
from filters.folding import Folding
from filters.hits import CLEAN, Severity
from filters.lexicon import Lexicon, Term
from filters.rows import STACK
from filters.scanner import Scanner
from filters.views.evidence import View, refusal
from filters.views.letters import Letters, is_hanzi
from filters.views.readings import spellings
from filters.views.sounds import Sounds
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


@pytest.mark.req("W3")
@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("今天中午吃什么", "无耻"),  # 中午 is the likelier word
        ("怎么都不敢出声", "畜牲"),  # 出声 is a word, if a rare one
        ("商家没有装够东西", "狗东西"),  # 东西 is ordinary, so is 够
        ("我每天看 CNN Fox 新闻", "操你娘"),  # a name among English words
        ("made in China的东西", "马德"),
        ("去买个tv看", "他妈"),  # spelled like English
        ("R·R 是什么", "嚷嚷"),  # two runs
    ],
)
def test_what_has_an_ordinary_reading_is_no_disguise(text: str, term: str) -> None:
    assert Scanner(lexicon([term])).scan(text) == CLEAN


@pytest.mark.req("W3")
@pytest.mark.parametrize(
    ("text", "term", "view"),
    [
        ("这就是被di yu黑了", "地域", View.PINYIN),
        ("那个hr又来了", "黑人", View.INITIALS),
        ("你个莎比", "傻逼", View.HOMOPHONE),
        ("都是嘿鬼干的", "黑鬼", View.HOMOPHONE),
        ("佯鬼来了", "洋鬼", View.HOMOPHONE),
    ],
)
def test_a_short_disguise_among_chinese_is_seen_through(text: str, term: str, view: View) -> None:
    (hit,) = Scanner(lexicon([term])).scan(text).hits
    assert (hit.why, hit.view) == (term, view)


def test_rare_words_are_known_and_have_no_cost() -> None:
    words = Words.shipped()
    assert words.knows("出声")
    assert "出声" not in words.chinese
    assert words.knows("我们")
    assert not words.knows("声出")
    assert not words.knows("我")
    assert all(
        words.knows(run[at : at + size]) for size, run in enumerate(words.rare, 2) for at in (0, len(run) - size)
    )


def test_a_raw_match_is_nothing_else_besides() -> None:
    assert [hit.view for hit in scanner().scan("你是傻逼，沙壁").hits] == [View.RAW, View.HOMOPHONE]


def test_a_term_says_why_it_is_not_looked_for_in_latin_letters_alone() -> None:
    assert refusal("贱人", View.INITIALS) == "fewer than 3 initials"
    assert refusal("地域", View.PINYIN) == "spelled in fewer than 5 letters"
    assert refusal("我们", View.PINYIN) == "spells an English word"
    assert refusal("贱人", View.PINYIN) is None


WRITTEN = {
    "傻": ["沙", "莎", "洒", "sha", "s"],
    "逼": ["壁", "笔", "bi", "b"],
    "贱": ["见", "贝戋", "溅", "jian", "j"],
    "人": ["任", "仁", "ren", "r"],
    "操": ["草", "cao", "c"],
    "你": ["亻尔", "泥", "ni", "n"],
    "妈": ["🐴", "马", "女马", "ma", "m"],
    "死": ["4", "四", "歹匕", "si", "s"],
    "了": ["le", "l"],
    "国": ["囯", "囗玉", "guo", "g"],
    "蝻": ["男", "虫南", "nan", "n"],
    "狗": ["勾", "苟", "犭句", "gou", "g"],
    "东": ["冬", "咚", "dong", "d"],
    "西": ["犀", "嘻", "xi", "x"],
}
"""Letters of terms, and what may be written for them."""
FILLERS = ["的", "是", "在", "看", "都", "人们", "国", "a", "so", "women", "4", "😀", ",", ". ", " ", "*", "\u200b"]


def disguised(term: str) -> st.SearchStrategy[str]:
    """The term with each letter in any writing, in any order that is near, joined in any way."""
    letters = [st.sampled_from([letter, *WRITTEN.get(letter, [])]) for letter in term]
    orders = st.sampled_from([letters, letters, letters, letters[::-1], [*letters[1::-1], *letters[2:]]])
    written = orders.flatmap(lambda ordered: st.tuples(*ordered))
    return st.tuples(written, st.sampled_from(["", "", "", " ", "*"])).map(lambda both: both[1].join(both[0]))


TEXTS = st.lists(st.sampled_from(FILLERS) | st.sampled_from(TERMS).flatmap(disguised), max_size=4).map("".join)

NOT_SEEN = re.compile(r"[4🐴][ *]?[a-z]|[a-z][ *]?[4🐴]")
"""Initials beside what is no letter itself may be a name, as in 4s: the search does not take them for initials."""


@pytest.mark.req("W3")
@given(TEXTS)
@example("家全4s全家")
@settings(max_examples=1000, deadline=None)
def test_the_search_finds_what_the_naive_views_find_and_nothing_else(text: str) -> None:
    found = [hit for hit in scanner().scan(text).hits if hit.view != "private"]
    naive = list(oracle.sightings(TERMS, text))
    for sighting in naive:
        around = text[max(0, sighting.start - 2) : sighting.end + 2]
        if sighting.view is not View.INITIALS or not NOT_SEEN.search(around):
            assert any(hit.start < sighting.end and sighting.start < hit.end for hit in found), sighting
    known = {(sighting.start, sighting.end, sighting.term, sighting.view) for sighting in naive}
    assert {(hit.start, hit.end, hit.why, hit.view) for hit in found if hit.view != View.RAW} <= known


@cache
def alike(letter: str) -> list[str]:
    """The characters that may be read like a letter, itself among them."""
    readings = Sounds.shipped().readings
    return [char for char, sounds in readings.items() if is_hanzi(char) and readings[letter][0] in sounds]


@cache
def words_that_sound_like_terms() -> list[str]:
    """Ordinary words, most of them rare, in which a term could be read by its sound."""
    words = Words.shipped()
    rare = [run[at : at + size] for size, run in enumerate(words.rare, 2) for at in range(0, len(run), size)]
    sounding = re.compile("|".join("".join(f"[{''.join(alike(letter))}]" for letter in term) for term in TERMS))
    return [word for word in (*words.chinese, *rare) if sounding.search(word)]


def homophones(term: str) -> st.SearchStrategy[str]:
    """The term with each letter as one of its sound."""
    return st.tuples(*(st.sampled_from(alike(letter)) for letter in term)).map("".join)


@pytest.mark.req("W3")
@given(st.data())
@settings(max_examples=1000, deadline=None)
def test_what_is_measured_in_machine_code_is_what_the_evidence_measures(data: st.DataObject) -> None:
    words = st.sampled_from(words_that_sound_like_terms())
    disguises = st.sampled_from(TERMS).flatmap(homophones)
    pieces = words | disguises | st.sampled_from([*"我的是人有看，a4", "他们", "今天"])
    text = "".join(data.draw(st.lists(pieces, min_size=1, max_size=5)))
    found = [hit for hit in scanner().scan(text).hits if hit.view != "private"]
    naive = {(one.start, one.end, one.term, one.view) for one in oracle.sightings(TERMS, text)}
    assert {(hit.start, hit.end, hit.why, hit.view) for hit in found if hit.view != View.RAW} <= naive
    assert all(any(hit.start < end and start < hit.end for hit in found) for start, end, _, _ in naive)


@given(st.binary(max_size=40))
@settings(deadline=None)
def test_the_search_stays_within_bounds_on_any_bytes(data: bytes) -> None:
    scratch = np.zeros((STACK + len(data) + 2, 4), dtype=np.int32)
    found = np.full((4, kernel.COLUMNS), -7, dtype=np.int32)
    count = kernel.compiled()(scanner().survey_data[0], data, scratch, found, 1) & (kernel.PRIVATE - 1)
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
