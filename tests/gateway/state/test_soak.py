"""The short soak; `make soak` is the long one. And whether it would notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.state.soak import PEOPLE, STALENESS_S, Deed, Sight, possible, soak, too_old

HISTORY = [Deed(None, -9, -9), Deed(1.0, 10, 11), Deed(2.0, 20), Deed(3.0, 30, 31)]


@pytest.mark.req("P1")
async def test_after_flips_and_faults_all_replicas_equal_the_store_and_none_was_old_unknowingly(tmp_path: Path) -> None:
    outcome = await soak(tmp_path, 1200, seed=5, stop_s=1.5 * STALENESS_S)
    assert outcome.wrong == []
    assert min(outcome.faults.values()) > 0
    assert outcome.answered > 600
    assert outcome.stale_sights > 0, "who was stopped has said so"


@pytest.mark.parametrize(
    ("answered_by", "asked_by", "values"),
    [(0, 9, {None}), (0, 10, {None, 1.0}), (12, 12, {1.0}), (12, 25, {1.0, 2.0}), (40, 40, {3.0})],
)
def test_what_may_be_seen(answered_by: float, asked_by: float, values: set[float | None]) -> None:
    assert possible(HISTORY, answered_by, asked_by) == values


def test_an_old_sight_is_excused_only_where_it_was_called_stale() -> None:
    history = dict.fromkeys(PEOPLE, HISTORY)
    seen = (1.0,) * len(PEOPLE)
    in_time, late = 31 + 0.9 * STALENESS_S, 31 + 1.1 * STALENESS_S
    assert too_old(Sight(12, in_time, True, seen), history) == []
    assert len(too_old(Sight(12, late, True, seen), history)) == len(PEOPLE)
    assert too_old(Sight(12, late, False, seen), history) == []
