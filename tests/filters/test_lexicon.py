"""The lexicon's file format: what it says, and the exact message for each way to get it wrong."""

from __future__ import annotations

import pytest

from filters.classes import Harm
from filters.guards import Guard
from filters.hits import Severity
from filters.lexicon import Lexicon, LexiconError, Term, parse
from filters.scanner import Scanner

HEADER = "shieldwire-lexicon 1\n"
CLASSES = (
    "insult, defamation, mockery, threat, privacy, pile-on, self-harm, distress, hatred, sexual, rumour, marketing"
)


def lines(*content: str) -> str:
    return HEADER + "\n".join(content)


BAD = {
    "empty": ("", 'x.lexicon:1: the first line must be "shieldwire-lexicon 1"'),
    "another version": ("shieldwire-lexicon 2\n", 'x.lexicon:1: the first line must be "shieldwire-lexicon 1"'),
    "section in another shape": (lines("[insult]"), "x.lexicon:2: a section is written [class severity]"),
    "unclosed section": (lines("[insult mild"), "x.lexicon:2: a section is written [class severity]"),
    "unknown class": (lines("", "[rudeness mild]"), f'x.lexicon:3: unknown class "rudeness"; known: {CLASSES}'),
    "unknown severity": (
        lines("[insult harsh]"),
        'x.lexicon:2: unknown severity "harsh"; known: mild, serious, severe',
    ),
    "term before any section": (lines("贱人"), 'x.lexicon:2: the term "贱人" stands before any [class severity]'),
    "no letters": (lines("[insult mild]", "..."), 'x.lexicon:3: "..." has no letters'),
    "clause punctuation": (
        lines("[insult mild]", "去死，吧"),
        'x.lexicon:3: "去死，吧" can never be found: no match runs across punctuation that ends a clause',
    ),
    "one character": (lines("[insult mild]", "死"), 'x.lexicon:3: "死" is too short: one character is no term'),
    "two Latin letters": (
        lines("[insult mild]", "sb"),
        'x.lexicon:3: "sb" is too short: a term without Chinese needs 3 letters',
    ),
    "the same term": (
        lines("[insult mild]", "贱人", "[threat mild]", "贱人"),
        'x.lexicon:5: "贱人" is already a term in x.lexicon:3',
    ),
    "the same term, written otherwise": (
        lines("[insult mild]", "贱人", "賤-人"),
        'x.lexicon:4: "賤-人" is already a term in x.lexicon:3',
    ),
    "a term that was called harmless": (
        lines("[sexual mild]", "口交", "allow: 路口交通", "路口交通"),
        'x.lexicon:5: "路口交通" is called harmless in x.lexicon:4',
    ),
    "a harmless phrase that is a term": (
        lines("[sexual mild]", "路口交通", "口交", "allow: 路口交通"),
        'x.lexicon:5: "路口交通" cannot be harmless: it is a term in x.lexicon:3',
    ),
    "a phrase without its term": (
        lines("[sexual mild]", "口交", "allow: 路口通畅"),
        'x.lexicon:4: "路口通畅" does not contain its term "口交"',
    ),
    "a phrase before any term": (
        lines("[sexual mild]", "allow: 路口交通"),
        'x.lexicon:3: "allow:" must follow the term that the phrase contains',
    ),
    "a phrase after a new section": (
        lines("[sexual mild]", "口交", "[sexual serious]", "allow: 路口交通"),
        'x.lexicon:5: "allow:" must follow the term that the phrase contains',
    ),
    "an unknown guard": (
        lines("[insult mild]", "贱人", "guard: irony"),
        'x.lexicon:4: unknown guard "irony"; known: negation, quotation, self-reference, second-person, none',
    ),
    "a guard before any section": (
        lines("guard: none"),
        'x.lexicon:2: "guard:" must follow the term or the [class severity] that it guards',
    ),
    "a guard that excuses nothing of the class": (
        lines("[rumour mild]", "不转不是中国人", "guard: quotation"),
        'x.lexicon:4: no quotation excuses the class "rumour"',
    ),
    "an empty phrase": (lines("[sexual mild]", "口交", "allow:"), 'x.lexicon:4: nothing stands after "allow:"'),
    "a phrase with nothing to allow": (
        lines("[insult mild]", "ass", "allow: classic"),
        'x.lexicon:3: "ass" never fires in "classic": there is nothing to allow',
    ),
    "a term that hides a graver one": (
        lines("[threat severe]", "杀了你", "[insult mild]", "我杀了你的马"),
        'x.lexicon:5: "我杀了你的马" hides the graver "杀了你" of x.lexicon:3',
    ),
}


@pytest.mark.req("W1", "O3")
@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_a_bad_lexicon_is_refused_with_file_line_and_reason(content: str, message: str) -> None:
    with pytest.raises(LexiconError) as refusal:
        Scanner.compile(parse([("x.lexicon", content)]))
    assert str(refusal.value) == message


@pytest.mark.req("W1")
def test_reads_classes_severities_terms_and_harmless_phrases() -> None:
    content = lines(
        "# in front",
        "[insult serious]",
        "贱人   # behind",
        "  allow: 贱人矫情",
        "allow: 贫贱人家",
        "",
        "[self-harm severe]",
        "kill your self",
    )
    assert parse([("a.lexicon", content)]) == Lexicon(
        (
            Term("贱人", Harm.INSULT, Severity.SERIOUS, ("贱人矫情", "贫贱人家"), "a.lexicon", 4, WORDS),
            Term("kill your self", Harm.SELF_HARM, Severity.SEVERE, (), "a.lexicon", 9, DEEDS),
        )
    )


WORDS = frozenset({Guard.NEGATION, Guard.QUOTATION, Guard.SELF_REFERENCE})
DEEDS = frozenset({Guard.NEGATION, Guard.QUOTATION})


@pytest.mark.req("W1", "W3")
def test_guards_are_those_of_the_class_of_the_section_and_of_the_term() -> None:
    content = lines(
        "[insult serious]",
        "贱人",
        "[insult mild]",
        "guard: second-person",
        "垃圾",
        "废物",
        "guard: none",
        "蠢货",
        "[privacy severe]",
        "guard: none",
        "开盒他",
        "人肉她",
        "guard: negation",
    )
    aimed = WORDS | {Guard.SECOND_PERSON}
    assert {term.text: term.guards for term in parse([("a.lexicon", content)]).terms} == {
        "贱人": WORDS,
        "垃圾": aimed,
        "废物": frozenset(),
        "蠢货": aimed,
        "开盒他": frozenset(),
        "人肉她": frozenset({Guard.NEGATION}),
    }


def test_windows_line_ends_are_line_ends() -> None:
    content = lines("[insult mild]", "贱人", "").replace("\n", "\r\n")
    assert [term.text for term in parse([("a.lexicon", content)]).terms] == ["贱人"]


def test_terms_may_not_repeat_across_files() -> None:
    content = lines("[insult mild]", "贱人")
    with pytest.raises(LexiconError, match=r'^b\.lexicon:3: "贱人" is already a term in a\.lexicon:3$'):
        parse([("a.lexicon", content), ("b.lexicon", content)])


def test_distress_may_hide_what_it_contains() -> None:
    content = lines("[self-harm severe]", "去死吧", "[distress mild]", "我去死吧")
    scan = Scanner.compile(parse([("x.lexicon", content)])).scan("我去死吧")
    assert [hit.harm for hit in scan.hits] == [Harm.DISTRESS]


def test_an_empty_lexicon_finds_nothing() -> None:
    assert Scanner.compile(Lexicon(())).scan("anything").hits == ()
