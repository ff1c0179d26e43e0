"""Own words: what a person may rule out, where it is found, and that it agrees with a naive search."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.folding import BREAK, Folding
from filters.own_words import LONGEST_WORD, MOST_WORDS, OwnWordHit, OwnWords, OwnWordsError
from tests.filters import oracle

FIRES = {
    "西瓜": ["西瓜", "我买了西 瓜", "西*瓜太郎", "西\u200b瓜"],
    "賤人": ["贱人", "這個賤人"],
    "丑": ["真丑", "醜"],
    "melon": ["MELON!", "my ｍｅｌｏｎ", "m e l o n", "你melon"],
    "my ex": ["my ex", "myex", "about my ex again"],
}

PASSES = {"西瓜": ["西，瓜", "东瓜", ""], "melon": ["watermelon", "melons"], "my ex": ["my exam", "dummy ex"]}


@pytest.mark.req("P5")
@pytest.mark.parametrize(("word", "text"), [(word, text) for word, texts in FIRES.items() for text in texts])
def test_fires(word: str, text: str) -> None:
    (hit,) = OwnWords.parse([word]).find(text)
    assert hit.word == word
    assert Folding.shipped().letters(text[hit.start : hit.end]) == Folding.shipped().letters(word)


@pytest.mark.req("P5")
@pytest.mark.parametrize(("word", "text"), [(word, text) for word, texts in PASSES.items() for text in texts])
def test_passes(word: str, text: str) -> None:
    assert OwnWords.parse([word]).find(text) == ()


@pytest.mark.req("P5")
def test_overlapping_words_are_all_found_in_the_order_of_their_places() -> None:
    words = OwnWords.parse(["西瓜", "瓜", "瓜皮", "西瓜皮"])
    assert [(hit.start, hit.end, hit.word) for hit in words.find("吃西瓜皮")] == [
        (1, 3, "西瓜"),
        (1, 4, "西瓜皮"),
        (2, 3, "瓜"),
        (2, 4, "瓜皮"),
    ]


@pytest.mark.req("P5")
def test_the_same_word_counts_once_as_it_was_written_first() -> None:
    words = OwnWords.parse(["贱人", "賤-人", "贱 人"])
    assert len(words) == 1
    assert words.find("賤人") == (OwnWordHit(0, 2, "贱人"),)


BAD = {
    "too many": (["西瓜"] * (MOST_WORDS + 1), "at most 200 words"),
    "too long": (["瓜" * 33], f'"{"瓜" * 32}…" is too long: a word has at most 32 characters'),
    "empty": ([""], '"" has no letters'),
    "marks only": (["..."], '"..." has no letters'),
    "two clauses": (
        ["去吧，瓜"],
        '"去吧，瓜" can never be found: no match runs across punctuation that ends a clause',
    ),
    "one letter": (["a"], '"a" is too short: a single letter stands in every text'),
}


@pytest.mark.req("P5")
@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_a_bad_list_is_refused_with_the_reason(words: list[str], message: str) -> None:
    with pytest.raises(OwnWordsError) as refusal:
        OwnWords.parse(words)
    assert str(refusal.value) == message


def test_no_words_find_nothing() -> None:
    assert OwnWords.parse([]).find("西瓜") == ()


@pytest.mark.req("P5")
def test_the_first_occurrence_is_the_one_that_ends_first() -> None:
    words = OwnWords.parse(["西瓜皮", "瓜", "melon"])
    assert words.first("watermelon 西瓜皮") == OwnWordHit(12, 13, "瓜")
    assert words.first("watermelon 东方") is None
    assert words.first("") is None


@pytest.mark.req("P5")
def test_a_stored_list_is_indexed_as_far_as_it_can_be_found() -> None:
    """The rules on what may be sent can change; a list sent before must not stop a message."""
    words = OwnWords(["", "...", "瓜" * (LONGEST_WORD + 1), "a", "西瓜", "西 瓜"])
    assert words.words == ("a", "西瓜")
    assert [hit.word for hit in words.find("西瓜 a，b")] == ["西瓜", "a"]


@pytest.mark.parametrize("text", ["\ud800西瓜\udfff", "\0西瓜", "\U0010ffff西瓜", "西瓜" + "\U000e0041" * 9])
def test_whatever_stands_around_a_word_it_is_found_in_its_place(text: str) -> None:
    hit = OwnWords.parse(["西瓜"]).first(text)
    assert hit is not None
    assert text[hit.start : hit.end] == "西瓜"


def test_a_full_list_of_the_longest_words_reads_a_long_text() -> None:
    words = OwnWords.parse(["瓜" * length for length in range(1, LONGEST_WORD + 1)])
    assert len(words.find("瓜" * 1_000)) == sum(1_000 - length + 1 for length in range(1, LONGEST_WORD + 1))


LETTERS = Folding.shipped().letters
WORDS = (
    st.text(st.sampled_from("ab西瓜 -"), min_size=1, max_size=5)
    .map(str.strip)
    .filter(lambda word: LETTERS(word) not in ("", "a", "b") and BREAK not in LETTERS(word))
)


@given(st.lists(WORDS, max_size=8, unique_by=LETTERS), st.text(st.sampled_from("abＡ西瓜 .-,\u200b1"), max_size=16))
@settings(max_examples=400, deadline=None)
def test_agrees_with_the_naive_search(words: list[str], text: str) -> None:
    folded = Folding.shipped().fold(text)
    expected = {OwnWordHit(*span, word) for word in words for span in oracle.occurrences(word, folded)}
    own = OwnWords.parse(words)
    hits = own.find(text)
    assert set(hits) == expected
    assert len(hits) == len(expected)
    first = own.first(text)
    assert (first and first.end) == min((hit.end for hit in expected), default=None)
