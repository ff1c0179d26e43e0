"""Incidents become cases."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import msgspec
import pytest
import redis.asyncio

from gateway.state.casebook import CASES, KEPT_S, LATEST, STREAM
from gateway.state.engine import Engine
from gateway.state.errors import StoreUnavailable
from gateway.state.state import State
from protection.cases import Case, Incident
from protection.events import Kind
from protection.policy import CaseRules, Policy
from protection.verdicts import Disposition
from tests.gateway.state.conftest import OpenState
from tests.gateway.state.waiting import until

pytestmark = pytest.mark.req("S5", "W6")


def incident(
    state: State, number: int = 0, subject: str = "alice", *, severe: bool = False, ago_s: float = 0
) -> Incident:
    return Incident(
        subject=subject,
        sender=f"sender-{number}",
        kind=Kind.BARRAGE,
        text="废物 {p00} \0 'quoted'",
        reason="threat" if severe else "insult",
        disposition=Disposition.REJECT,
        severe=severe,
        at=round(state.now() - ago_s, 6),
        id=str(number),
        room="r",
    )


@contextlib.asynccontextmanager
async def following(state: State) -> AsyncIterator[list[Case]]:
    """Collects the cases that ``follow_cases`` brings."""
    seen: list[Case] = []

    async def collect() -> None:
        async for case in await state.follow_cases():
            seen.append(case)

    task = asyncio.create_task(collect())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_severe_incident_opens_a_case_at_once(state: State) -> None:
    severe = incident(state, severe=True)
    (case,) = await state.record([severe])
    assert msgspec.structs.replace(case, id="") == Case(
        id="", subject="alice", room="r", opened=severe.at, updated=severe.at, severe=True, incidents=1, senders=1,
        reasons=("threat",), latest=(severe,),
    )  # fmt: skip
    assert await state.cases() == [case]


async def test_repeated_incidents_within_the_window_open_one(state: State) -> None:
    told = [incident(state, number) for number in range(3)]
    assert await state.record(told[:2]) == []
    (case,) = await state.record(told[2:])
    assert (case.incidents, case.senders, case.severe) == (3, 3, False)
    assert case.latest == tuple(reversed(told))


async def test_incidents_far_apart_open_none(open_states: OpenState) -> None:
    state = await open_states("worker", Policy(cases=CaseRules(repeated=3, window_s=60)))
    apart = [incident(state, number, ago_s=200 - 50 * number) for number in range(4)]
    assert await state.record(apart) == []
    assert await state.record([incident(state, 8)]) == []
    (case,) = await state.record([incident(state, 9)])
    assert case.incidents == 3, "the one of fifty seconds ago, and these two"


async def test_incidents_of_different_people_are_different_matters(state: State) -> None:
    subjects = ["alice", "bob", "room:r", "{cases}:open:alice"]
    assert await state.record([incident(state, n, subject) for n in range(2) for subject in subjects]) == []
    cases = await state.record([incident(state, 5, subject) for subject in subjects])
    assert [case.subject for case in cases] == subjects
    assert len({case.id for case in cases}) == 4


async def test_further_incidents_join_and_the_latest_twenty_are_kept(state: State) -> None:
    opened = (await state.record([incident(state, 0, severe=True)]))[0]
    more = [incident(state, number) for number in range(1, 31)]
    (joined,) = await state.record(more)
    assert (joined.id, joined.incidents, joined.senders) == (opened.id, 31, 31)
    assert joined.reasons == ("threat", "insult")
    assert joined.latest == tuple(reversed(more))[:LATEST]
    assert joined.severe
    assert joined.updated == more[-1].at > joined.opened


async def test_newest_first_and_no_more_than_asked_for(state: State) -> None:
    for number in range(4):
        await state.record([incident(state, number, f"person-{number}", severe=True)])
    assert [case.subject for case in await state.cases(3)] == ["person-3", "person-2", "person-1"]
    assert await state.cases(0) == []


async def test_a_repeated_call_counts_once(state: State) -> None:
    told = [incident(state, number) for number in range(5)]
    (first,) = await state.record(told)
    (second,) = await state.record(told)
    assert first == second
    assert (first.incidents, first.senders) == (5, 5)


async def test_cases_are_followed_live_over_a_restart_of_the_store(engine: Engine, state: State) -> None:
    await state.record([incident(state, 0, "earlier", severe=True)])
    async with following(state) as seen:
        await until_followed(state, seen)
        (case,) = await state.record([incident(state, 1, severe=True)])
        await until(lambda: case in seen)
        os.kill(engine.pid, signal.SIGKILL)
        await until(lambda: engine.starts == 2 and state.store.connected)
        joined: list[Case] = []
        with contextlib.suppress(StoreUnavailable):
            joined = await state.record([incident(state, 2)])
        await until(lambda: bool(joined) and joined[0] in seen)
        assert joined[0].id == case.id
    assert "earlier" not in {case.subject for case in seen}


async def until_followed(state: State, seen: list[Case]) -> None:
    """The follower listens from when it is connected: poke until it hears."""
    for number in range(1000):
        await state.record([incident(state, number, "poke", severe=True)])
        with contextlib.suppress(AssertionError):
            await until(lambda: bool(seen), within_s=0.05)
            return
    raise AssertionError("never followed")


async def test_everything_has_an_end(engine: Engine, state: State) -> None:
    await state.record([incident(state, number, "early") for number in range(2)])
    await state.record([incident(state, number, severe=True) for number in range(2)])
    async with redis.asyncio.from_url(engine.url) as client:
        without_end = {key async for key in client.scan_iter(CASES + b"*") if await client.ttl(key) < 0}
        assert without_end == {CASES + b"index", CASES + b"last-id", STREAM}
        assert all([await client.ttl(key) <= KEPT_S async for key in client.scan_iter(CASES + b"*")])
        long_ago = round((state.now() - KEPT_S - 60) * 1000)
        await client.delete(STREAM)
        for number in range(300):  # a stream is cut in whole nodes of a hundred entries
            await client.xadd(STREAM, {"case": "0"}, id=f"{long_ago + number}-0")
        await client.zadd(CASES + b"index", {"0": long_ago / 1000})
        await state.record([incident(state, 9, severe=True)])
        assert await client.xlen(STREAM) < 150
        assert await client.zscore(CASES + b"index", "0") is None
