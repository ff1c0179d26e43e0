"""The scanner: what fires, what must not, where, and that it agrees with the naive one."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.classes import Harm
from filters.folding import Folding
from filters.hits import CLEAN, Hit, Severity
from filters.lexicon import Lexicon, Term, parse
from filters.scanner import MOST_CANDIDATES, Scanner
from tests.filters import oracle

LEXICON = parse(
    [
        (
            "x.lexicon",
            "\n".join(
                [
                    "shieldwire-lexicon 1",
                    "[insult serious]",
                    "傻逼",
                    "贱人",
                    "allow: 贱人矫情",
                    "你sb",
                    "ass",
                    "fuck",
                    "fuck you",
                    "cnm",
                    "[self-harm severe]",
                    "怎么还不去死",
                    "kill your self",
                    "[distress mild]",
                    "我怎么还不去死",
                    "[sexual mild]",
                    "口交",
                    "allow: 路口交通",
                ]
            ),
        )
    ]
)
SCANNER = Scanner.compile(LEXICON)

FIRES = {
    "傻逼": "傻逼",
    "你真是个傻逼啊": "傻逼",
    "傻 逼": "傻 逼",
    "傻　逼": "傻　逼",
    "傻*_-|逼": "傻*_-|逼",
    "傻\u200b\u200d逼": "傻\u200b\u200d逼",
    "傻“逼”": "傻“逼",
    "賤人": "賤人",
    "你SB吗": "你SB",
    "ＡＳＳ": "ＡＳＳ",
    "ass!": "ass",
    "你ass的": "ass",
    "a.s-s": "a.s-s",
    "a s s": "a s s",
    "a\u0336s\u0336s\u0336": "a\u0336s\u0336s",
    "F U C K  Y O U": "F U C K  Y O U",
    "FUCK YOU": "FUCK YOU",
    "fuckyou": "fuckyou",
    "fuck-you": "fuck-you",
    "fuck    you": "fuck    you",
    "nm cnm": "cnm",
    "kill yourself": "kill yourself",
    "kill your self": "kill your self",
    "路 口交 通，口交": "口交",
}

PASSES = [
    "",
    "他是个大傻，逼我请客",
    "大傻\n逼我请客",
    "傻. 逼我请客",
    "大傻@逼哥",
    "大傻x逼",
    "class assess bass passage Scunthorpe",
    "as such",
    "as s",
    "a ss",
    "pass",
    "ass1",
    "cl\u200bass",
    "ass\u200bure",
    "ässe",
    "mass-ive as-signed",
    "fucked",
    "cnmxx",
    "acnm",
    "你sbs",
    "kill. Yourself",
    "kill - yourself",
    "路口交通",
    "路-口 交通",
    "贱人矫情",
]


@pytest.mark.parametrize(("text", "span"), FIRES.items())
def test_fires_with_its_place_in_the_original(text: str, span: str) -> None:
    (hit,) = SCANNER.scan(text).hits
    assert text[hit.start : hit.end] == span


@pytest.mark.parametrize(
    ("text", "span", "view"),
    [
        ("ｋill your self", "ｋill your self", "raw"),
        ("fuck ﬀ", "fuck", "raw"),
        ("ki㏐ yourself, ki㏐", None, ""),
        ("he said aß", None, ""),
        ("quﬁck", None, ""),
        ("you f0ck, fu0ck", None, ""),
        ("oh fvck, f_ck", None, ""),
        ("what a$$ is that", None, ""),
        ("ki1l yourself", None, ""),
        ("k1ll yourself now", "k1ll yourself", "leet"),
        ("he is a fuuuuck", "fuuuuck", "repeated"),
        ("fffuuuccckkk", "fffuuuccckkk", "repeated"),
        ("kill youuuurself", "kill youuuurself", "repeated"),
        ("asssss", "asssss", "repeated"),
        ("glaasss", None, ""),
    ],
)
def test_letters_written_as_other_signs(text: str, span: str | None, view: str) -> None:
    hits = SCANNER.scan(text).hits
    assert [(text[hit.start : hit.end], hit.view) for hit in hits] == ([] if span is None else [(span, view)])


def test_a_code_point_that_stands_for_several_letters() -> None:
    scanner = Scanner.compile(parse([("x.lexicon", "shieldwire-lexicon 1\n[threat severe]\ndie in a fire\nfind you")]))
    text = "I will ﬁnd you, die in a ﬁre"
    assert [(text[hit.start : hit.end], hit.view) for hit in scanner.scan(text).hits] == [
        ("ﬁnd you", "raw"),
        ("die in a ﬁre", "raw"),
    ]
    assert not scanner.scan("unﬁnd you").hits


@pytest.mark.req("W3")
@pytest.mark.parametrize("text", PASSES)
def test_passes(text: str) -> None:
    assert SCANNER.scan(text) == CLEAN


def test_a_hit_says_what_where_how_grave_and_why() -> None:
    (hit,) = SCANNER.scan("滚吧賤 人").hits
    assert hit == Hit(Harm.INSULT, 2, 5, Severity.SERIOUS, "raw", "贱人")


def test_hits_come_in_the_order_of_their_places() -> None:
    hits = SCANNER.scan("贱人 fuck 傻逼").hits
    assert [(hit.start, hit.why) for hit in hits] == [(0, "贱人"), (3, "fuck"), (8, "傻逼")]


def test_offsets_count_code_points_beyond_the_basic_plane() -> None:
    (hit,) = SCANNER.scan("😀é\ud800傻逼").hits
    assert (hit.start, hit.end) == (3, 5)


@pytest.mark.req("W3")
def test_a_phrase_allows_only_what_lies_wholly_inside_it() -> None:
    hits = SCANNER.scan("路口交通口交贱人矫情贱人").hits
    assert [(hit.start, hit.why) for hit in hits] == [(4, "口交"), (10, "贱人")]


@pytest.mark.req("S5")
def test_a_longer_term_is_the_better_reading() -> None:
    assert [hit.harm for hit in SCANNER.scan("我怎么还不去死").hits] == [Harm.DISTRESS]
    assert [hit.harm for hit in SCANNER.scan("他怎么还不去死").hits] == [Harm.SELF_HARM]


def test_score_grows_with_severity_and_number_and_leaves_distress_out() -> None:
    texts = ["你好", "我怎么还不去死", "口交", "贱人", "贱人贱人", "怎么还不去死"]
    scores = [SCANNER.scan(text).score for text in texts]
    assert scores == [0.0, 0.0, 0.3, 0.7, 0.91, 0.9]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("傻" * 1_000_000, 0),
        ("傻" + "." * 1_000_000 + "逼", 1),
        ("a" + "\u0336" * 65_536 + "ss", 1),
        ("\x00" * 100_000 + "傻逼", 1),
        ("傻逼" * 50_000, 256),
        ("ass " * 50_000, MOST_CANDIDATES),
        ("\u200bass\u200b " * 50_000, MOST_CANDIDATES),
        ("".join(map(chr, range(sys.maxunicode + 1))), 0),
    ],
    ids=[
        "one character",
        "long gap",
        "combining marks",
        "NUL",
        "many hits",
        "many words",
        "many ghosts",
        "all of Unicode",
    ],
)
def test_extreme_texts(text: str, found: int) -> None:
    assert sum(hit.view == "raw" for hit in SCANNER.scan(text).hits) == found


ALPHABET = (
    "傻逼贱賤人我你口交路通怎么还不去死矫情 assfuckyoucnmkillyourself.-*,，。\u200b\u0336\n\u3000ＡＳａ1é😀\ud800"
)


@given(st.text(st.sampled_from(ALPHABET), max_size=24))
@settings(max_examples=500)
def test_agrees_with_the_naive_scanner(text: str) -> None:
    hits = [hit for hit in SCANNER.scan(text).hits if hit.view == "raw"]
    assert set(hits) == oracle.scan(LEXICON, text)
    assert len(hits) == len(set(hits))


def terms() -> st.SearchStrategy[Lexicon]:
    """Lexicons over a few letters, so that terms and phrases overlap, contain and follow each other."""
    words = st.text(st.sampled_from("ab傻逼 "), min_size=2, max_size=5).map(str.strip)
    letters = Folding.shipped().letters
    usable = words.filter(lambda word: len(letters(word)) >= 2)

    def lexicon(drawn: list[str]) -> Lexicon:
        half = len(drawn) // 2
        phrases = tuple(drawn[half:])
        made = [Term(word, Harm.INSULT, Severity.MILD, (), "x", line) for line, word in enumerate(drawn[:half])]
        return Lexicon((Term("傻傻傻", Harm.INSULT, Severity.MILD, phrases, "x", 0), *made))

    unique = st.lists(usable, max_size=8, unique_by=letters)
    return unique.filter(lambda drawn: all(letters(word) != "傻傻傻" for word in drawn)).map(lexicon)


@given(terms(), st.lists(st.text(st.sampled_from("ab傻逼 .-,\u200b"), max_size=12), min_size=5, max_size=5))
@settings(max_examples=60, deadline=None)
def test_agrees_with_the_naive_scanner_on_any_lexicon(lexicon: Lexicon, texts: list[str]) -> None:
    scanner = Scanner(lexicon)
    for text in texts:
        assert {hit for hit in scanner.scan(text).hits if hit.view == "raw"} == oracle.scan(lexicon, text)


@pytest.mark.parametrize("unit", ["沙壁，", "傻逼", "操亻尔妈 ", "sha bi "])
def test_a_text_of_nothing_but_hits_is_bounded_and_hit_to_its_end(unit: str) -> None:
    text = unit * 3000
    hits = Scanner.shipped().scan(text).hits
    assert 0 < len(hits) <= MOST_CANDIDATES
    assert hits[-1].end == len(text)


@pytest.mark.req("W3")
@pytest.mark.parametrize(
    "text",
    [
        *("据CNN报道", "今晚LGD打EDG", "GHN1和SYB58", "BJN5WCR", "error code 0x43BA", "flat 43 ba"),
        *("the Canon F4G lens", "My plate reads 5LU7 and yours TW4T.", "go tooo. Hell is here", "That $uck. My d1ck"),
    ],
)
def test_codes_and_ends_of_sentences_are_no_disguise(text: str) -> None:
    assert not Scanner.shipped().scan(text).hits


def test_a_sign_that_stands_for_letters_hides_no_word_beside_it() -> None:
    assert [hit.why for hit in SCANNER.scan("fuck you™").hits] == ["fuck you"]
    assert [hit.why for hit in SCANNER.scan("№ass").hits] == ["ass"]


@pytest.mark.parametrize("text", ["kill. yourself ﬁrst", "fuck. oﬀ he goes", "fuck - oﬀ", "fuck — oﬀ"])
def test_a_code_point_that_stands_for_several_letters_joins_nothing_across_marks(text: str) -> None:
    scanner = Scanner.compile(
        parse([("x.lexicon", "shieldwire-lexicon 1\n[insult serious]\nfuck off\nkill your self")])
    )
    assert not scanner.scan(text).hits
