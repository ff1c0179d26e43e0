"""GCRA against a naive bucket, and against what it promises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit import gcra
from ratelimit.rate import MICROSECONDS, Rate, RateError

rates = st.builds(Rate, st.integers(1, 50), st.integers(1, 100))
waits_us = st.lists(st.integers(0, 20 * MICROSECONDS), max_size=60)


class Bucket:
    """The limit as one would explain it: every event pours one interval into a bucket of one period, time drains it."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.level_us = 0
        self.at_us = 0

    def charge(self, now_us: int, quantity: int) -> bool:
        self.level_us = max(0, self.level_us - (now_us - self.at_us))
        self.at_us = now_us
        poured = self.level_us + quantity * self.rate.interval_us
        if poured > self.rate.period_us:
            return False
        self.level_us = poured
        return True


@pytest.mark.req("P3")
@given(rates, st.lists(st.tuples(st.integers(0, 20 * MICROSECONDS), st.integers(1, 50)), max_size=60))
def test_agrees_with_a_bucket(rate: Rate, charges: list[tuple[int, int]]) -> None:
    bucket, tat, now = Bucket(rate), 0, 1_000 * MICROSECONDS
    for wait, quantity in charges:
        now += wait
        quantity = min(quantity, rate.limit)
        free = gcra.free(tat, now, rate)
        allowance = gcra.charge(tat, now, rate, quantity)
        assert allowance.allowed is bucket.charge(now, quantity)
        assert allowance.allowed is (quantity <= free)
        tat = allowance.tat_us


@pytest.mark.req("P3")
@given(rates, waits_us)
def test_any_window_admits_at_most_a_burst_and_what_the_rate_brings_forth(rate: Rate, waits: list[int]) -> None:
    tat, now = 0, 1_000 * MICROSECONDS
    admitted: list[int] = []
    for wait in waits:
        now += wait
        allowance = gcra.charge(tat, now, rate)
        tat = allowance.tat_us
        if allowance.allowed:
            admitted.append(now)
    for first, start in enumerate(admitted):
        for last, end in enumerate(admitted[first:], first):
            assert last - first + 1 <= rate.limit + (end - start) // rate.interval_us


@given(rates, waits_us)
def test_a_refused_sender_is_told_the_first_moment_that_works(rate: Rate, waits: list[int]) -> None:
    tat, now = 0, 1_000 * MICROSECONDS
    for wait in waits:
        now += wait % rate.interval_us
        allowance = gcra.charge(tat, now, rate)
        if not allowance.allowed:
            assert allowance.tat_us == tat
            assert gcra.charge(tat, now + allowance.retry_after_us, rate).allowed
            assert not gcra.charge(tat, now + allowance.retry_after_us - 1, rate).allowed
        tat = allowance.tat_us


@given(rates, waits_us)
def test_whoever_keeps_to_the_pace_is_never_refused(rate: Rate, waits: list[int]) -> None:
    tat, now = 0, 1_000 * MICROSECONDS
    for wait in waits:
        now += rate.interval_us + wait
        allowance = gcra.charge(tat, now, rate)
        assert allowance.allowed
        tat = allowance.tat_us


@given(rates, waits_us)
def test_a_refund_at_once_undoes_the_charge(rate: Rate, waits: list[int]) -> None:
    tat, now = 0, 1_000 * MICROSECONDS
    for wait in waits:
        now += wait
        allowance = gcra.charge(tat, now, rate)
        if allowance.allowed:
            undone = gcra.refund(allowance.tat_us, rate)
            assert gcra.free(undone, now, rate) == gcra.free(tat, now, rate)
        tat = allowance.tat_us


@pytest.mark.parametrize("quantity", [0, -1, 6])
def test_a_quantity_that_could_never_be_allowed_is_the_callers_error(quantity: int) -> None:
    with pytest.raises(ValueError, match=r"outside 1\.\.5"):
        gcra.charge(0, 0, Rate(5, 1), quantity)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("20/10s", Rate(20, 10)),
        ("5/m", Rate(5, 60)),
        ("100/2h", Rate(100, 7200)),
        ("3/d", Rate(3, 86_400)),
    ],
)
def test_rates_are_read_as_written(written: str, rate: Rate) -> None:
    assert Rate.parse(written) == rate


@pytest.mark.parametrize("written", ["", "20", "20/", "/s", "0/s", "5/0s", "-1/s", "1.5/s", "5/w", "2000000/s", "5/s "])
def test_what_is_no_rate_is_refused(written: str) -> None:
    with pytest.raises(RateError):
        Rate.parse(written)


@pytest.mark.req("O3")
def test_a_limit_that_was_full_under_a_slower_rate_is_full_and_no_more_than_full() -> None:
    slow, fast, now_us = Rate(1, 3600), Rate(10, 10), 1_000 * MICROSECONDS
    kept = gcra.charge(0, now_us, slow).tat_us
    first = gcra.charge(kept, now_us, fast)
    assert (first.allowed, first.retry_after_us) == (False, fast.interval_us)
    assert gcra.charge(first.tat_us, now_us + fast.interval_us, fast).allowed
