"""Leases: nodes that spend what they bought from one shared limit, simulated, against the stated bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit import gcra
from ratelimit.lease import Lease, Terms, excess_bound, terms
from ratelimit.rate import MICROSECONDS, Rate

START_US = 1_000 * MICROSECONDS


class Nodes:
    """N nodes and the limit they share."""

    def __init__(self, rate: Rate, lease: Terms, nodes: int) -> None:
        self.rate = rate
        self.lease = lease
        self.tat_us = 0
        self.purses = [Lease(0, 0) for _ in range(nodes)]

    def ask(self, node: int, now_us: int) -> bool:
        if self.purses[node].spend(now_us):
            return True
        quantity = min(self.lease.quantity, gcra.free(self.tat_us, now_us, self.rate))
        if quantity == 0:
            return False
        self.tat_us = gcra.charge(self.tat_us, now_us, self.rate, quantity).tat_us
        self.purses[node] = Lease(quantity - 1, now_us + self.lease.life_us)
        return True


def worst_excess(rate: Rate, admitted: list[int]) -> int:
    """By how many the admitted exceed, in their worst window, what the rate alone could have admitted there."""
    worst = 0
    for first, start in enumerate(admitted):
        for last, end in enumerate(admitted[first:], first):
            worst = max(worst, last - first + 1 - rate.limit - (end - start) // rate.interval_us)
    return worst


@pytest.mark.req("P3", "S1")
@given(
    rate=st.builds(Rate, st.integers(1, 40), st.integers(1, 20)),
    quantity=st.integers(1, 10),
    life_us=st.integers(1, 10 * MICROSECONDS),
    nodes=st.integers(1, 5),
    asks=st.lists(st.tuples(st.integers(0, 4), st.integers(0, MICROSECONDS)), max_size=120),
)
def test_over_admission_stays_within_the_bound(
    rate: Rate, quantity: int, life_us: int, nodes: int, asks: list[tuple[int, int]]
) -> None:
    lease = Terms(min(quantity, rate.limit), life_us)
    simulated, now, admitted = Nodes(rate, lease, nodes), START_US, []
    for node, wait in asks:
        now += wait
        if simulated.ask(node % nodes, now):
            admitted.append(now)
    assert worst_excess(rate, admitted) <= excess_bound(rate, lease, nodes)


def test_the_bound_is_reached() -> None:
    """Nodes that each keep back all but one event, and spend it when the limit is full again."""
    rate, lease, nodes = Rate(20, 10), Terms(5, 100 * MICROSECONDS), 3
    simulated, admitted = Nodes(rate, lease, nodes), []
    assert all(simulated.ask(node, START_US) for node in range(nodes))
    later = START_US + 20 * MICROSECONDS
    for node in (*range(nodes), *range(nodes)):
        while simulated.purses[node].left or simulated.tat_us < later + rate.period_us:
            assert simulated.ask(node, later)
            admitted.append(later)
    assert worst_excess(rate, admitted) == nodes * (lease.quantity - 1) == excess_bound(rate, lease, nodes)


@pytest.mark.req("P3")
@given(st.builds(Rate, st.integers(1, 40), st.integers(1, 20)), st.lists(st.integers(0, 5 * MICROSECONDS), max_size=80))
def test_unspent_leases_never_add_up_against_a_sender_who_keeps_to_the_pace(rate: Rate, waits: list[int]) -> None:
    simulated, now = Nodes(rate, terms(rate), 1), START_US
    for wait in waits:
        now += rate.interval_us + wait
        assert simulated.ask(0, now)


@given(st.builds(Rate, st.integers(1, 10_000), st.integers(1, 86_400)), st.integers(1, 1000))
def test_the_shipped_terms_admit_at_most_one_lease_too_many(rate: Rate, nodes: int) -> None:
    lease = terms(rate)
    assert 1 <= lease.quantity <= rate.limit
    assert excess_bound(rate, lease, nodes) <= lease.quantity


def test_a_lease_is_spent_to_the_last_and_lapses_in_time() -> None:
    lease = Lease(2, lapses_us=100)
    assert [lease.spend(99), lease.spend(99), lease.spend(99)] == [True, True, False]
    lapsed = Lease(2, lapses_us=100)
    assert not lapsed.spend(100)
    assert lapsed.left == 2
