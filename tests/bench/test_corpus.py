"""The corpus: distinct, of the length and the share it claims, the same every time, and nobody's traffic."""

from __future__ import annotations

import statistics
import unicodedata

import pytest

from bench import corpus, peers
from bench.corpus import Language, Message, lexicon, messages, synthetic_file
from filters.folding import Folding
from filters.lexicon import Lexicon
from filters.scanner import Scanner


@pytest.fixture(scope="module", params=Language)
def texts(request: pytest.FixtureRequest) -> list[Message]:
    language: Language = request.param
    return messages(language=language)


def test_messages_and_accounts_are_ten_thousand_distinct_ones(texts: list[Message]) -> None:
    assert len({message.text for message in texts}) == len({message.account for message in texts}) == 10_000


def test_messages_have_thirty_characters_in_the_mean(texts: list[Message]) -> None:
    lengths = [len(message.text) for message in texts]
    assert (min(lengths), max(lengths)) == corpus.LENGTHS
    assert 29.5 < statistics.mean(lengths) < 30.5


def test_one_in_twenty_holds_a_shipped_term(texts: list[Message]) -> None:
    assert sum(bool(message.planted) for message in texts) == len(texts) // 20
    assert all(message.planted in message.text for message in texts)
    assert {message.planted for message in texts} - {""} <= {term.text for term in Lexicon.shipped().terms}


def test_the_scanner_judges_95_of_100_clean(texts: list[Message]) -> None:
    scanner = Scanner.shipped()
    clean = sum(not scanner.scan(message.text).hits for message in texts)
    assert 0.94 < clean / len(texts) < 0.96


def test_chinese_messages_have_the_full_width_marks_of_chinese() -> None:
    marked = sum(unicodedata.normalize("NFKC", message.text) != message.text for message in messages())
    assert 0.75 < marked / corpus.MESSAGES < 0.95


def test_it_is_the_same_every_time() -> None:
    assert messages(50) == messages(50) == messages(100)[:50]
    assert synthetic_file(50) == synthetic_file(50)
    assert synthetic_file(100)[1].startswith(synthetic_file(50)[1])


def test_no_message_is_a_line_of_the_bank_as_it_stands() -> None:
    from filters import samples

    assert {sample.text for sample in samples.load()}.isdisjoint(message.text for message in messages())


def test_a_lexicon_has_as_many_terms_as_asked_for() -> None:
    shipped = Lexicon.shipped().terms
    assert lexicon(1000).terms == shipped[:1000]
    larger = lexicon(len(shipped) + 500)
    assert larger.terms[: len(shipped)] == shipped
    assert len(larger.terms) == len(shipped) + 500
    letters = Folding.shipped().letters
    assert len({letters(term.text) for term in larger.terms}) == len(larger.terms)


@pytest.mark.parametrize("matcher", [peers.ahocorasick, peers.folded_ahocorasick])
def test_the_peers_find_what_is_planted(matcher: object) -> None:
    assert callable(matcher)
    match = matcher([term.text for term in Lexicon.shipped().terms])
    planted = [message for message in messages() if message.planted]
    assert all(match(message.text) for message in planted)
    assert match("abcd") == []


def test_the_folded_peer_sees_through_width_and_case() -> None:
    match = peers.folded_ahocorasick(["fuck you"])
    assert len(match("ＦＵＣＫ　you")) == 1
    assert peers.ahocorasick(["fuck you"])("FUCK you") == []
