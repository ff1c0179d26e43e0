"""Entries of a lexicon that act on each other: which are refused, with what message, and how long looking takes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.hits import Severity
from filters.lexicon import LexiconError, parse, review
from filters.overlap import Match, longest
from filters.scanner import Scanner
from tests.filters.many import many_terms


def lines(*entries: str) -> str:
    return "\n".join(["shieldwire-lexicon 1", *entries])


def faults(content: str) -> list[str]:
    """Everything that is wrong with a lexicon: its form, or else its entries among each other."""
    lexicon, malformed = review([("x.lexicon", content)])
    return [str(fault) for fault in malformed or Scanner(lexicon).conflicts(lexicon)]


CONFLICTS = {
    "a term hides graver ones": (
        lines(
            "[threat severe]",
            "杀了你",
            "弄死你",
            "[insult mild]",
            "我杀了你再弄死你",
            "[distress mild]",
            "杀了你我也不活了",
        ),
        [
            'x.lexicon:6: "我杀了你再弄死你" hides the graver "杀了你" of x.lexicon:3',
            'x.lexicon:6: "我杀了你再弄死你" hides the graver "弄死你" of x.lexicon:4',
        ],
    ),
    "what a phrase excuses anyway is not hidden": (
        lines("[threat severe]", "杀了你", "allow: 杀了你的马", "[insult mild]", "我杀了你的马吧"),
        [],
    ),
    "a phrase excuses a graver term than its own": (
        lines("[sexual mild]", "口交", "allow: 路口交通杀了你", "[threat severe]", "杀了你"),
        ['x.lexicon:3: "路口交通杀了你", harmless for "口交", would also excuse the graver "杀了你" of x.lexicon:6'],
    ),
    "unless it is called harmless for that term too": (
        lines("[sexual mild]", "口交", "allow: 路口交通杀了你", "[threat severe]", "杀了你", "allow: 路口交通杀了你"),
        [],
    ),
    "a phrase with nothing to allow": (
        lines("[insult mild]", "ass", "allow: classic", "allow: pass it"),
        [
            'x.lexicon:3: "ass" never fires in "classic": there is nothing to allow',
            'x.lexicon:3: "ass" never fires in "pass it": there is nothing to allow',
        ],
    ),
    "a term and a phrase that run across the end of a sentence": (
        lines("[insult mild]", "go. away", "傻逼", "allow: 大傻逼. 好"),
        [
            'x.lexicon:3: "go. away" is never found where it stands as written: a sentence ends in it',
            'x.lexicon:4: "大傻逼. 好" is never found where it stands as written: a sentence ends in it',
        ],
    ),
    "a term that allows itself": (
        lines("[insult mild]", "贱人", "allow: 贱 人"),
        ['x.lexicon:4: "贱 人" cannot be harmless: it is a term in x.lexicon:3'],
    ),
    "two terms that allow each other": (
        lines("[insult mild]", "贱人", "allow: 小贱人", "小贱人", "allow: 贱人"),
        ['x.lexicon:5: "小贱人" is called harmless in x.lexicon:4'],
    ),
    "a circle of three": (
        lines("[insult mild]", "甲乙", "allow: 甲乙丙", "甲乙丙", "allow: 甲乙丙丁", "甲乙丙丁", "allow: 甲乙"),
        [
            'x.lexicon:5: "甲乙丙" is called harmless in x.lexicon:4',
            'x.lexicon:8: "甲乙" cannot be harmless: it is a term in x.lexicon:3',
        ],
    ),
}


@pytest.mark.req("W1", "O3")
@pytest.mark.parametrize(("content", "messages"), CONFLICTS.values(), ids=CONFLICTS)
def test_entries_that_undo_each_other_are_all_named(content: str, messages: list[str]) -> None:
    assert faults(content) == messages


def test_every_fault_of_the_form_is_named_and_its_consequences_are_not() -> None:
    content = lines("贱人", "[insult rude]", "[insult mild]", "死", "allow: 死机", "傻逼", "allow: 傻瓜", "傻逼")
    assert faults(content) == [
        'x.lexicon:2: the term "贱人" stands before any [class severity]',
        'x.lexicon:3: unknown severity "rude"; known: mild, serious, severe',
        'x.lexicon:5: "死" is too short: one character is no term',
        'x.lexicon:8: "傻瓜" does not contain its term "傻逼"',
        'x.lexicon:9: "傻逼" is already a term in x.lexicon:7',
    ]


def test_compiling_raises_the_first_of_them() -> None:
    content = lines("[insult mild]", "ass", "allow: classic")
    with pytest.raises(LexiconError, match="there is nothing to allow"):
        Scanner.compile(parse([("x.lexicon", content)]))


WORDS = st.text(st.sampled_from("ab傻逼"), min_size=3, max_size=7)
ENTRIES = st.lists(
    st.tuples(st.sampled_from(list(Severity)), WORDS, st.lists(st.tuples(WORDS, WORDS), max_size=2)), max_size=6
)


@given(ENTRIES)
@settings(max_examples=40, deadline=None)
def test_a_lexicon_without_conflicts_excuses_what_it_says_and_hides_nothing_graver(
    entries: list[tuple[Severity, str, list[tuple[str, str]]]],
) -> None:
    written: list[str] = []
    for severity, text, around in entries:
        written += [f"[threat {severity.name.lower()}]", text]
        written += [f"allow: {before}{text}{after}" for before, after in around]
    lexicon, malformed = review([("x.lexicon", lines(*written))])
    if malformed or list((scanner := Scanner(lexicon)).conflicts(lexicon)):
        return
    for term in lexicon.terms:
        assert max(hit.severity for hit in scanner.scan(term.text).hits) == term.severity
        for phrase in term.allow:
            assert scanner.scan(phrase).hits == ()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)).map(lambda m: (m[0], m[0] + m[1], None)), unique=True))
def test_the_longest_matches_are_those_in_no_longer_one(matches: list[Match]) -> None:
    inside = [m for m in matches for o in matches if o != m and o[0] <= m[0] and m[1] <= o[1]]
    assert longest(matches) == sorted((m for m in matches if m not in inside), key=lambda match: match[:2])


@pytest.mark.req("W1")
def test_100000_terms_with_100000_harmless_phrases_are_checked_in_good_time() -> None:
    entries = [entry for term in many_terms(100_000) for entry in (term, f"allow: 甲{term}乙")]
    began = time.process_time()
    lexicon, malformed = review([("x.lexicon", lines("[insult mild]", *entries))])
    conflicts = list(Scanner(lexicon).conflicts(lexicon))
    took = time.process_time() - began
    assert (malformed, conflicts) == ([], [])
    assert took < 10


def test_a_term_with_very_many_harmless_phrases_is_read_in_good_time() -> None:
    phrases = [f"allow: 贱人{chr(0x4E00 + number // 100)}{chr(0x5E00 + number % 100)}" for number in range(20_000)]
    began = time.process_time()
    faults(lines("[insult mild]", "贱人", *phrases))
    assert time.process_time() - began < 5
