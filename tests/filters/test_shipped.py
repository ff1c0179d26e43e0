"""The shipped lexicon and the sample bank: they cover the standard, and each is held to the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from opencc import OpenCC

from filters import samples
from filters.classes import Harm
from filters.folding import Folding, is_word
from filters.guards import Guard
from filters.lexicon import Lexicon, Term
from filters.samples import Sample
from filters.scanner import Scanner

LEXICON = Lexicon.shipped()
SCANNER = Scanner.shipped()
BANK = samples.load()

WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}


@pytest.mark.req("W1")
@pytest.mark.parametrize("file", ["chinese.lexicon", "english.lexicon"])
def test_every_class_has_terms(file: str) -> None:
    assert {term.harm for term in LEXICON.terms if term.file == file} == set(Harm)


@cache
def traditional() -> dict[str, str]:
    """The terms in traditional script."""
    terms = [term.text for term in LEXICON.terms]
    return dict(zip(terms, OpenCC("s2t").convert("\n".join(terms)).split("\n"), strict=True))


def letters(term: Term) -> str:
    return Folding.shipped().letters(term.text)


DISGUISES: dict[str, Callable[[Term], str]] = {
    "as written": lambda term: term.text,
    "upper case": lambda term: term.text.upper(),
    "full width": lambda term: term.text.translate(WIDE),
    "traditional": lambda term: traditional()[term.text],
    "spelled out": lambda term: "  ".join(letters(term)),
    "zero width": lambda term: "\u200b".join(term.text),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_every_term_is_found_in_disguise(disguise: str) -> None:
    missed = []
    for term in LEXICON.terms:
        before = "。您太" if Guard.SECOND_PERSON in term.guards else "。"
        text = f"{before}{DISGUISES[disguise](term)}。"
        found = {(hit.why, hit.start, hit.end) for hit in SCANNER.scan(text).hits}
        if (term.text, len(before), len(text) - 1) not in found:
            missed.append(text)
    assert missed == []


@pytest.mark.req("W3")
def test_words_that_merely_contain_a_latin_term_pass() -> None:
    words = [term.text for term in LEXICON.terms if all(map(is_word, letters(term)))]
    assert len(words) > 400
    assert [word for word in words if SCANNER.scan(f"x{word}").hits and not SCANNER.scan(word).hits] == []
    assert [word for word in words if any(hit.why == word for hit in SCANNER.scan(f"x{word}x").hits)] == []


@pytest.mark.req("W3")
def test_no_harmless_phrase_fires() -> None:
    phrases = [phrase for term in LEXICON.terms for phrase in term.allow]
    assert [phrase for phrase in phrases if SCANNER.scan(phrase).hits] == []


@pytest.mark.req("W2", "W3")
@pytest.mark.parametrize("sample", BANK, ids=lambda sample: sample.text)
def test_the_bank_knows_what_is_caught(sample: Sample) -> None:
    hits = SCANNER.scan(sample.text).hits
    assert any(sample.harm in (hit.harm, None) for hit in hits) == sample.caught


@pytest.mark.req("S5")
def test_distress_is_never_taken_for_abuse() -> None:
    cries = [sample.text for sample in BANK if sample.harm is Harm.DISTRESS]
    assert len(cries) >= 10
    assert [cry for cry in cries if any(hit.harm is not Harm.DISTRESS for hit in SCANNER.scan(cry).hits)] == []


@pytest.mark.req("W2")
def test_the_bank_holds_abuse_of_every_class_and_counter_examples() -> None:
    assert {sample.harm for sample in BANK if sample.abusive} == set(Harm) - {Harm.DISTRESS}
    ordinary = [sample for sample in BANK if sample.harm is None]
    assert len(ordinary) >= 75
    assert sum(sample.caught for sample in ordinary) <= len(ordinary) * 0.03  # known false alarms: quoted terms


def test_warm_up_leaves_the_scanner_as_it_was() -> None:
    before = SCANNER.scan("傻 逼")
    SCANNER.warm_up()
    assert SCANNER.scan("傻 逼") == before


def test_one_scanner_is_shared() -> None:
    assert Scanner.shipped() is SCANNER
