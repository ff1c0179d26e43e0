"""The memo of circle answers."""

from __future__ import annotations

import pytest

from gateway.state.circle import CircleMemo

pytestmark = pytest.mark.req("P6")


def test_an_answer_holds_until_the_circle_changes() -> None:
    memo = CircleMemo()
    memo.remember("alice", "bob", memo.count("alice"), True)
    memo.remember("alice", "carol", memo.count("alice"), False)
    assert (memo.known("alice", "bob"), memo.known("alice", "carol"), memo.known("bob", "alice")) == (True, False, None)
    memo.changed("alice")
    assert (memo.known("alice", "bob"), memo.known("alice", "carol")) == (None, None)


def test_a_change_that_overtakes_an_answer_voids_it() -> None:
    memo = CircleMemo()
    count = memo.count("alice")
    memo.changed("alice")
    memo.remember("alice", "bob", count, True)
    assert memo.known("alice", "bob") is None


def test_when_changes_may_have_been_missed_nothing_is_known() -> None:
    memo = CircleMemo()
    count = memo.count("alice")
    memo.remember("alice", "bob", count, True)
    memo.forget()
    assert memo.known("alice", "bob") is None
    memo.remember("alice", "bob", count, True)  # asked before
    assert memo.known("alice", "bob") is None
