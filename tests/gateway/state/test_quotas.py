"""Leases and refusals in a worker's purse, and its strict limits of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.quotas import LocalQuotas, Purse
from ratelimit.lease import Terms
from ratelimit.rate import MICROSECONDS, Rate

pytestmark = pytest.mark.req("P3")


def test_what_was_bought_is_spent_then_asked_for_again() -> None:
    purse = Purse()
    assert purse.spend(b"k", 0) is None
    assert purse.begin(b"k", Terms(3, 100)) == 3
    purse.end(b"k", bought=3, lapses_us=100)
    spent = [purse.spend(b"k", 50) for _ in range(3)]
    assert [allowance is not None and allowance.allowed for allowance in spent] == [True, True, False]


def test_a_lease_lapses() -> None:
    purse = Purse()
    purse.begin(b"k", Terms(3, 100))
    purse.end(b"k", bought=3, lapses_us=100)
    assert purse.spend(b"k", 100) is None


def test_two_purchases_at_once_never_make_two_leases() -> None:
    purse = Purse()
    assert [purse.begin(b"k", Terms(3, 100)) for _ in range(3)] == [3, 1, 1]
    assert purse.begin(b"other", Terms(3, 100)) == 3
    purse.end(b"k", bought=0, lapses_us=100)
    assert purse.begin(b"k", Terms(3, 100)) == 3


def test_a_refusal_is_repeated_while_it_must_stand() -> None:
    purse = Purse()
    purse.refuse(b"k", 1000, 500)
    refusal = purse.spend(b"k", 1200)
    assert refusal is not None
    assert (refusal.allowed, refusal.retry_after_us) == (False, 300)
    assert purse.spend(b"k", 1500) is None
    assert purse.refused(b"other", 1200) is None


@given(st.builds(Rate, st.integers(1, 30), st.integers(1, 60)), st.integers(0, 8))
def test_workers_alone_together_admit_no_more_than_the_rate(rate: Rate, workers: int) -> None:
    now = 1_000 * MICROSECONDS
    admitted = 0
    for quotas in [LocalQuotas() for _ in range(max(1, workers))]:
        while quotas.charge([(b"k", rate)], now, workers)[0].allowed:
            admitted += 1
    assert admitted <= max(rate.limit, workers)


def test_local_limits_are_charged_all_or_none_and_can_be_given_back() -> None:
    quotas, now = LocalQuotas(), 1_000 * MICROSECONDS
    limits = [(b"pair", Rate(2, 60)), (b"all", Rate(3, 60))]
    assert [all(a.allowed for a in quotas.charge(limits, now, 1)) for _ in range(3)] == [True, True, False]
    assert [quotas.charge(limits[1:], now, 1)[0].allowed for _ in range(2)] == [True, False]
    quotas.refund(limits, 1)
    assert all(allowance.allowed for allowance in quotas.charge(limits, now, 1))
    assert not quotas.charge(limits, now, 1)[0].allowed


def test_a_lease_that_is_forgotten_is_void_for_whoever_still_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.state.quotas.MOST_KEYS", 1)
    purse = Purse()
    purse.end(b"k", bought=5, lapses_us=100)
    lease = purse.lease(b"k")
    assert lease is not None
    assert lease.left == 4
    purse.end(b"other", bought=5, lapses_us=100)
    assert purse.lease(b"k") is None
    assert lease.left == 0
