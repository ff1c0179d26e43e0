"""The memo of circle answers."""

from __future__ import annotations

import pytest

from gateway.state.circle import CircleMemo
from protection.circle import STRANGER, Tie

pytestmark = pytest.mark.req("P6")


def test_an_answer_holds_until_the_circle_changes() -> None:
    memo = CircleMemo()
    memo.remember("alice", "bob", memo.count("alice"), Tie.FRIEND)
    memo.remember("alice", "carol", memo.count("alice"), STRANGER)
    assert (memo.known("alice", "bob"), memo.known("alice", "carol")) == (Tie.FRIEND, STRANGER)
    assert memo.known("bob", "alice") is None
    memo.changed("alice")
    assert (memo.known("alice", "bob"), memo.known("alice", "carol")) == (None, None)


def test_a_change_that_overtakes_an_answer_voids_it() -> None:
    memo = CircleMemo()
    count = memo.count("alice")
    memo.changed("alice")
    memo.remember("alice", "bob", count, Tie.FRIEND)
    assert memo.known("alice", "bob") is None


def test_when_changes_may_have_been_missed_nothing_is_known() -> None:
    memo = CircleMemo()
    count = memo.count("alice")
    memo.remember("alice", "bob", count, Tie.FRIEND)
    memo.forget()
    assert memo.known("alice", "bob") is None
    memo.remember("alice", "bob", count, Tie.FRIEND)  # asked before
    assert memo.known("alice", "bob") is None
