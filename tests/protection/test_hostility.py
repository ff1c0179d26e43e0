"""How hostile a crowd's words are."""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protection.hostility import DOUBT, ORDINARY, Remark, content_hostility

pytestmark = pytest.mark.req("W4")

REMARKS = st.lists(
    st.builds(
        Remark, st.sampled_from(["a", "b", " A", "", "\t"]), st.sampled_from("xyz"), st.floats(0, 1, allow_nan=False)
    )
)


def said(*hostility: float) -> list[Remark]:
    """So many different texts of different senders."""
    return [Remark(f"text {number}", f"sender {number}", one) for number, one in enumerate(hostility)]


def test_by_hand() -> None:
    expected = sqrt((0.9**2 + 0.1**2 + DOUBT * ORDINARY**2) / (2 + DOUBT))
    assert content_hostility(said(0.9, 0.1)) == pytest.approx(expected)


def test_of_nothing_it_is_ordinary() -> None:
    assert content_hostility([]) == content_hostility([Remark(" \n", "x", 1.0)]) == pytest.approx(ORDINARY)


@given(REMARKS, st.randoms())
def test_it_is_a_share_whatever_the_order(remarks: list[Remark], chance: Random) -> None:
    found = content_hostility(remarks)
    assert 0 <= found <= 1
    shuffled = list(remarks)
    chance.shuffle(shuffled)
    assert content_hostility(shuffled) == found


def test_more_of_the_same_kind_is_believed_more() -> None:
    levels = [content_hostility(said(*[0.9] * count)) for count in (1, 3, 10, 100)]
    assert levels == sorted(levels)
    assert levels[0] < 0.6
    assert levels[-1] > 0.88


def test_a_harmless_slogan_hides_no_insults() -> None:
    insults = said(*[0.9] * 10)
    slogan = [Remark("支持", f"fan {number}", 0.1) for number in range(300)]
    assert content_hostility(insults + slogan) > content_hostility(said(*[0.9] * 10, *[0.1] * 300)) + 0.2


def test_the_same_insult_by_many_is_more_than_by_one() -> None:
    bland = said(*[0.3] * 10)
    by_one = [Remark("go away", "x", 0.9)] * 100
    by_many = [Remark("go  AWAY", f"x {number}", 0.9) for number in range(100)]
    once = content_hostility([*bland, by_one[0]])
    assert content_hostility(bland + by_one) == once
    assert content_hostility(bland + by_many) > once + 0.1
