"""Limits of one sender everywhere, and limits that change while messages pass (requirements P3, S1, O3)."""

from __future__ import annotations

import asyncio

import pytest

from gateway.state.engine import Engine
from gateway.state.state import State
from protection.circle import Tie
from protection.policy import Limits, Policy
from protection.protections import ONE_KEY, Protection
from protection.sanctions import Measure, Sanction
from protection.snapshot import Scope
from ratelimit.rate import MICROSECONDS, Rate
from tests.gateway.state.conftest import OpenState
from tests.gateway.state.test_loading import allowed, chat, dm, refused
from tests.gateway.state.waiting import until

pytestmark = pytest.mark.req("P3")

FEW = Policy(limits=Limits(strangers_reached=Rate(3, 3600), dm_flood=Rate(1000, 60)))


@pytest.mark.req("S1")
async def test_a_flood_spread_over_rooms_is_a_flood(open_states: OpenState) -> None:
    policy = Policy(limits=Limits(flood=Rate(5, 3600), sender_flood=Rate(12, 3600)))
    here, there = await open_states("a", policy), await open_states("b", policy)
    answers = [await (here, there)[n % 2].load(chat("bob", f"r{n % 6}")) for n in range(30)]
    passed = sum(map(allowed, answers))
    assert 12 - 6 <= passed <= 12, "leases that are not spent lie with the workers"
    assert refused(answers[-1]) == [Scope.SENDER_FLOOD]
    assert allowed(await here.load(chat("carol", "r1")))


async def test_one_account_writes_to_so_many_strangers_on_all_workers_together(open_states: OpenState) -> None:
    here, there = await open_states("a", FEW), await open_states("b", FEW)
    for number, state in enumerate((here, there, here)):
        for _ in range(2):
            assert allowed(await state.load(dm("bob", f"victim{number}"))), "again to the same one costs nothing"
    one_more = await there.load(dm("bob", "victim3"))
    assert refused(one_more) == [Scope.STRANGERS_REACHED]
    (charge,) = [charge for charge in one_more.charges if charge.scope is Scope.STRANGERS_REACHED]
    assert 3590 * MICROSECONDS < charge.allowance.retry_after_us <= 3600 * MICROSECONDS
    assert allowed(await here.load(dm("bob", "victim0")))
    assert allowed(await here.load(dm("carol", "victim3")))


async def test_places_are_exact_under_concurrency(open_states: OpenState) -> None:
    states = [await open_states(f"w{number}", FEW) for number in range(3)]
    loads = [state.load(dm("bob", f"victim{number}")) for number in range(12) for state in states]
    reached = {s.concerned[0].person for s in await asyncio.gather(*loads) if allowed(s)}
    assert len(reached) == 3


async def test_who_has_the_sender_in_their_circle_is_no_stranger_to_them(open_states: OpenState) -> None:
    state = await open_states("a", FEW)
    for number in range(6):
        await state.tie(f"friend{number}", ["bob"], Tie.FOLLOWED)
    for _ in range(2):  # the first time it is asked for, the second time remembered
        for number in range(6):
            snapshot = await state.load(dm("bob", f"friend{number}"))
            assert allowed(snapshot)
            assert [charge.scope for charge in snapshot.charges] == [Scope.DM_FLOOD]
    assert [refused(await state.load(dm("bob", f"victim{number}"))) for number in range(4)] == [
        [], [], [], [Scope.STRANGERS_REACHED],
    ]  # fmt: skip


async def test_one_stranger_too_many_is_charged_nothing_of_what_they_leave_to_others(open_states: OpenState) -> None:
    policy = Policy(limits=Limits(strangers_reached=Rate(1, 3600), strangers_dm=Rate(1, 3600), dm_flood=Rate(1000, 60)))
    state = await open_states("a", policy)
    assert allowed(await state.load(dm("bob", "somebody")))
    assert refused(await state.load(dm("bob"))) == [Scope.STRANGERS_REACHED]
    async with asyncio.timeout(5):  # it is given back behind the answer
        while not allowed(await state.load(dm("carol"))):
            pass


async def test_places_free_up_with_time(open_states: OpenState) -> None:
    state = await open_states("a", Policy(limits=Limits(strangers_reached=Rate(1, 1), dm_flood=Rate(1000, 60))))
    assert allowed(await state.load(dm("bob", "one")))
    assert refused(await state.load(dm("bob", "two"))) == [Scope.STRANGERS_REACHED]
    started = state.now()
    await until(lambda: state.now() > started + 1.1)
    assert allowed(await state.load(dm("bob", "two")))


async def test_without_the_store_every_dm_counts_as_one_to_a_stranger_more(
    engine: Engine, open_states: OpenState
) -> None:
    state = await open_states("a", FEW)
    await engine.__aexit__(None, None, None)
    await until(lambda: not state.status().connected)
    answers = [refused(await state.load(dm("bob", f"victim{number % 2}"))) for number in range(5)]
    assert [Scope.STRANGERS_REACHED in answer for answer in answers] == [False, False, False, True, True]


@pytest.mark.req("O3")
async def test_limits_change_on_every_worker_at_once_and_a_refusal_under_the_former_ones_ends(
    open_states: OpenState,
) -> None:
    policy = Policy(limits=Limits(dm_flood=Rate(1, 3600), flood=Rate(2, 3600)))
    here, there = await open_states("a", policy), await open_states("b", policy)
    await until(lambda: here.status().workers == 2)
    for state in (here, there):
        await state.load(dm("bob"))
        await state.load(dm("bob"))
    assert refused(await here.load(dm("bob"))) == [Scope.DM_FLOOD]
    answer = await here.set_limits({"dm_flood": Rate(1000, 1), "unheard-of": Rate(1, 1)})
    assert (answer.applied, answer.of) == (2, 2)
    assert there.limits() == Limits(dm_flood=Rate(1000, 1), flood=Rate(2, 3600))
    async with asyncio.timeout(5):  # what was full under the former limit is full, and free again in a thousandth
        for state in (here, there):
            while Scope.DM_FLOOD in refused(await state.load(dm("bob", "carol"))):
                pass
    await there.set_limits({})
    assert here.limits() == policy.limits


@pytest.mark.req("D2")
@pytest.mark.parametrize("measure", Measure)
async def test_a_dm_that_a_measure_keeps_away_costs_the_target_nothing(
    open_states: OpenState, measure: Measure
) -> None:
    state = await open_states("a", Policy(limits=Limits(strangers_dm=Rate(1, 3600))))
    await state.sanction("troll", Sanction(measure, state.now() + 60, "abuse", "mod"))
    assert [charge.scope for charge in (await state.load(dm("troll"))).charges] == [Scope.DM_FLOOD]
    assert allowed(await state.load(dm("stranger")))


async def test_a_protected_target_still_counts_as_a_stranger_reached(open_states: OpenState) -> None:
    state = await open_states("a", FEW)
    for number in range(4):
        await state.engage(f"victim{number}", Protection(ONE_KEY, state.now() + 60))
    scopes = [refused(await state.load(dm("bob", f"victim{number}"))) for number in range(4)]
    assert scopes == [[], [], [], [Scope.STRANGERS_REACHED]]


async def test_ids_may_hold_anything(state: State) -> None:
    for odd in ("{p00}", "a:b", "\ud800", "x" * 5000):
        assert allowed(await state.load(dm("bob", odd)))
        assert allowed(await state.load(dm(odd, "alice")))
