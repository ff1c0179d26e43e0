"""The Lua inside a real store against the pure GCRA, step for step."""

from __future__ import annotations

from importlib.resources import files
from itertools import count
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from ratelimit import gcra
from ratelimit.rate import MICROSECONDS, Rate

GCRA = files("ratelimit").joinpath("gcra.lua").read_text(encoding="utf-8")

CHARGE_AT = (
    GCRA
    + """
    local limits = {}
    for i, key in ipairs(KEYS) do
      local at = 1 + (i - 1) * 4
      limits[i] = { key = key, interval = tonumber(ARGV[at + 1]), period = tonumber(ARGV[at + 2]),
                    least = tonumber(ARGV[at + 3]), most = tonumber(ARGV[at + 4]) }
    end
    local reply = { gcra_charge(tonumber(ARGV[1]), limits) and 1 or 0 }
    for _, limit in ipairs(limits) do
      reply[#reply + 1] = { limit.taken, limit.tat, limit.retry_after }
    end
    return reply
    """
)
REFUND_AT = GCRA + "gcra_refund(tonumber(ARGV[1]), KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3]))"
NOW = GCRA + "return gcra_now()"

DAY_US = 86_400 * MICROSECONDS
rates = st.builds(Rate, st.integers(1, 60), st.integers(1, 366 * 86_400))
fresh = count()


class Charging:
    """One step: how long after the one before, and how many events at least and at most."""

    def __init__(self, wait_us: int, least: int, more: int) -> None:
        self.wait_us = wait_us
        self.least = least
        self.more = more

    def __repr__(self) -> str:
        return f"Charging({self.wait_us}, {self.least}, {self.more})"


chargings = st.lists(
    st.builds(Charging, st.integers(0, 30 * DAY_US), st.integers(1, 60), st.integers(0, 60)), max_size=12
)


def charge(store: redis.Redis, now: int, keys: list[str], limits: list[tuple[Rate, int, int]]) -> Any:
    arguments = [n for rate, least, most in limits for n in (rate.interval_us, rate.period_us, least, most)]
    return store.eval(CHARGE_AT, len(keys), *keys, str(now), *map(str, arguments))


@pytest.mark.req("P3")
@settings(deadline=None, max_examples=150)
@given(rate=rates, steps=chargings)
def test_one_limit(store: redis.Redis, rate: Rate, steps: list[Charging]) -> None:
    # A time of its own far ahead of the store's clock keeps the keys from expiring in mid-test.
    key, tat, now = f"one:{next(fresh)}", 0, 4_000_000_000 * MICROSECONDS
    for step in steps:
        now += step.wait_us
        least = min(step.least, rate.limit)
        most = min(least + step.more, rate.limit)
        quantity = min(most, max(least, gcra.free(tat, now, rate)))
        expected = gcra.charge(tat, now, rate, quantity)
        allowed, (taken, new_tat, retry_after) = charge(store, now, [key], [(rate, least, most)])
        assert allowed == expected.allowed
        assert (taken, new_tat) == (quantity if expected.allowed else 0, expected.tat_us)
        assert retry_after == gcra.charge(tat, now, rate, least).retry_after_us
        tat = new_tat


@pytest.mark.req("P3")
@settings(deadline=None, max_examples=100)
@given(limits=st.lists(rates, min_size=2, max_size=4), waits=st.lists(st.integers(0, 3 * DAY_US), max_size=12))
def test_several_limits_are_charged_all_or_none(store: redis.Redis, limits: list[Rate], waits: list[int]) -> None:
    run = next(fresh)
    keys = [f"all:{run}:{i}" for i in range(len(limits))]
    tats, now = [0] * len(limits), 4_000_000_000 * MICROSECONDS
    for wait in waits:
        now += wait
        allowances = [gcra.charge(tat, now, rate) for tat, rate in zip(tats, limits, strict=True)]
        allowed, *each = charge(store, now, keys, [(rate, 1, 1) for rate in limits])
        assert allowed == all(allowance.allowed for allowance in allowances)
        if allowed:
            tats = [allowance.tat_us for allowance in allowances]
        assert [tat for _, tat, _ in each] == tats
        assert [retry for *_, retry in each] == [allowance.retry_after_us for allowance in allowances]


@settings(deadline=None, max_examples=50)
@given(rate=rates, charged=st.integers(1, 60), back=st.integers(1, 60))
def test_refunds(store: redis.Redis, rate: Rate, charged: int, back: int) -> None:
    key, now = f"refund:{next(fresh)}", 4_000_000_000 * MICROSECONDS
    charged = min(charged, rate.limit)
    back = min(back, charged)
    tat = charge(store, now, [key], [(rate, charged, charged)])[1][1]
    store.eval(REFUND_AT, 1, key, str(now), str(rate.interval_us), str(back))
    kept = int(store.get(key) or 0)
    assert (
        gcra.free(kept, now, rate) == gcra.free(gcra.refund(tat, rate, back), now, rate) == rate.limit - charged + back
    )


def test_the_clock_is_the_stores(store: redis.Redis) -> None:
    before, now, after = store.time(), store.eval(NOW, 0), store.time()
    assert before[0] * MICROSECONDS + before[1] <= now <= after[0] * MICROSECONDS + after[1]


def test_an_idle_limit_leaves_no_key(store: redis.Redis) -> None:
    rate = Rate(1000, 1)
    now = store.eval(NOW, 0)
    charge(store, now, ["idle"], [(rate, 1, 1)])
    assert 0 < store.pttl("idle") <= 1 or not store.exists("idle")
