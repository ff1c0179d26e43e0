"""The estimate of the store's clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.state.clock import GOOD_ROUND_TRIP_S, StoreClock


@given(
    offset=st.floats(-1e6, 1e6),
    there=st.floats(0, GOOD_ROUND_TRIP_S / 2),
    back=st.floats(0, GOOD_ROUND_TRIP_S / 2),
)
def test_an_answer_is_wrong_by_half_its_round_trip_at_most(offset: float, there: float, back: float) -> None:
    clock = StoreClock(wall_s=0, steady_s=0)
    clock.sample(100.0, 100.0 + there + back, store_s=100.0 + there + offset)
    assert abs(clock.now(200.0) - (200.0 + offset)) <= (there + back) / 2 + 1e-6


def test_before_the_first_answer_the_local_clock_counts() -> None:
    assert StoreClock(wall_s=1_000_000.0, steady_s=5.0).now(15.0) == 1_000_010.0


def test_a_slow_answer_counts_only_while_there_is_no_better() -> None:
    clock = StoreClock(wall_s=0, steady_s=0)
    clock.sample(0.0, 6.0, store_s=1006.0)
    assert clock.now(10.0) == 1013.0
    clock.sample(10.0, 10.0, store_s=1010.0)
    assert clock.now(20.0) == 1020.0
    clock.sample(20.0, 25.0, store_s=1025.0)  # the pause of a stopped process
    assert clock.now(30.0) == 1030.0
