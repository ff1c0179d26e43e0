"""The bench of state: it counts windows rightly, and measures everything that has a budget on a real store."""

from __future__ import annotations

import pytest

from bench import state, state_memory
from bench.report import budgets_of, report
from ratelimit.rate import Rate

FOUR_IN_TWO = Rate(4, 2)


@pytest.mark.parametrize(
    ("times", "excess"),
    [
        ([], 0),
        ([0, 0, 0, 0], 0),
        ([0, 0, 0, 0, 0], 1),
        ([0, 0, 0, 0, 0.6, 1.1], 0),
        ([0, 0, 0, 0, 0.3, 0.35], 2),
        ([0, 9, 9, 9, 9, 9, 9, 9], 3),
    ],
)
def test_the_worst_window_is_found(times: list[float], excess: int) -> None:
    assert state.worst_excess(times, FOUR_IN_TWO) == excess


def test_all_that_has_a_budget_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"FLIPS": 10, "FLOOD_S": 0.5, "SENDERS": 64, "DMS": 64, "ROUNDS": 1, "PROCESSES": 2, "ATTEMPTS": 400}
    for name, value in small.items():
        monkeypatch.setattr(state, name, value)
    metrics = state.measure()
    counted = ("quota_excess", "lease_excess_over_bound", "store_commands_per_public_message", "dm_roundtrips")
    outcomes = {outcome.metric: outcome.ok for outcome in report("state", metrics, budgets_of("state")).budgets}
    assert [name for name in counted if not outcomes[name]] == []
    assert min(metrics[name] for name in ("flip_p50_ms", "dm_check_client_us", "dm_check_vs_limits")) > 0


def test_the_memory_of_many_protected_people_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_memory, "PEOPLE", 20_000)
    assert set(state_memory.measure()) == {"store_mb_1m", "worker_mb_1m", "snapshot_s_1m"}
