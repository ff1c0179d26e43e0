"""Near-duplicates: found as the plain definition says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.near_duplicates import ALIKE, NearDuplicates

pytestmark = pytest.mark.req("W2")

TEXTS = st.lists(st.text("ab c", max_size=9), max_size=8)


def indexed(*texts: str) -> NearDuplicates:
    index = NearDuplicates()
    for number, text in enumerate(texts):
        assert index.add(text) == number
    return index


def plain_runs(text: str) -> set[str]:
    text = text.replace(" ", "").lower()
    return {text[at : at + 3] for at in range(len(text)) if at + 3 <= len(text)} or {text}


@given(TEXTS, st.text("ab c", max_size=9))
def test_it_is_the_jaccard_index_of_runs_of_three(texts: list[str], text: str) -> None:
    own = plain_runs(text)
    alike = [
        number for number, other in enumerate(map(plain_runs, texts)) if len(own & other) / len(own | other) > ALIKE
    ]
    assert indexed(*texts).find(text) == min(alike, default=None)


def test_white_space_and_case_make_no_difference() -> None:
    index = indexed("you are a waste of TIME", "主播真的很菜，别播了")
    assert index.find("You are a waste  of time") == 0
    assert index.find("主播真的很菜 ，别播了！") == 1
    assert index.find("主播真的很好") is None


def test_short_texts_are_alike_only_if_they_are_the_same() -> None:
    assert indexed("废物").find("废物") == 0
    assert indexed("废物").find("废柴") is None
