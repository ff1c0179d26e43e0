"""Reminders and ends of protections, on several workers over one real store (requirement P1)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest

from gateway.lapses import Lapses
from gateway.state.engine import Engine
from gateway.state.partitions import Keys, encode
from gateway.state.replica import Change, Noun
from gateway.state.state import State
from protection.notices import Notice, Topic
from protection.protections import ONE_KEY, Protection, Switch
from tests.gateway.state.conftest import OpenState, engine, open_states
from tests.gateway.state.waiting import until

pytestmark = pytest.mark.req("P1")
__all__ = ["engine", "open_states"]

SOON_S, LATER_S = 0.15, 2.0
WORKERS = 3
DMS = frozenset({Switch.DM})


class Told:
    """What one worker would have told the people on its sockets."""

    def __init__(self, state: State) -> None:
        self.notices: list[tuple[str, Notice]] = []
        state.subscribe(self._hear)

    def _hear(self, change: Change) -> None:
        if change.noun is Noun.NOTICE and change.value is not None:
            self.notices.append((change.id, msgspec.json.decode(change.value, type=Notice)))


@contextlib.asynccontextmanager
async def running(*states: State) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(Lapses(state).run()) for state in states]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def recorded(state: State, person: str) -> list[Notice]:
    """What the store has on record of what a person was told."""
    keys = Keys(64)
    entries = await state.store.command("XRANGE", keys.of_partition(keys.partition(person), "notices"), "-", "+")
    told = [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in entries]
    mine = [entry[b"notice"] for entry in told if entry[b"person"] == encode(person)]
    return [msgspec.json.decode(notice, type=Notice) for notice in mine]


async def test_each_reminder_and_each_end_comes_about_once_on_any_number_of_workers(open_states: OpenState) -> None:
    states = [await open_states(f"w{number}") for number in range(WORKERS)]
    told = [Told(state) for state in states]
    people = [f"p{number}" for number in range(8)]
    async with running(*states):
        now = states[0].now()
        closed = Protection(ONE_KEY, now + LATER_S, "one-key", now + SOON_S)
        await asyncio.gather(*(states[0].engage(person, closed) for person in people))
        await until(lambda: all(len(each.notices) >= len(people) for each in told))
        assert states[0].now() < closed.until, "reminded before the end"
        await until(lambda: all(len(each.notices) == 2 * len(people) for each in told))
        await until(lambda: not any(list(state.protections()) for state in states))
    for person in people:
        topics = [notice.topic for notice in await recorded(states[0], person)]
        assert topics == [Topic.PROTECTION_ENDING, Topic.PROTECTION_ENDED]
        for each in told:
            assert [notice.topic for other, notice in each.notices if other == person] == topics


async def test_former_settings_come_back_and_are_kept_again(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    settings = Protection(DMS, here.now() + 3600)
    await here.engage("alice", settings)
    await there.engage("alice", Protection.lasting(ONE_KEY, there.now(), LATER_S, "one-key"))
    covered = here.protection_of("alice")
    assert covered is not None
    assert (covered.kinds, covered.former) == (ONE_KEY, settings)
    await until(lambda: here.protection_of("alice") == settings)
    assert here.kept_protection_of("alice") != settings, "in force by the time alone"
    async with running(here, there):
        await until(lambda: here.kept_protection_of("alice") == there.kept_protection_of("alice") == settings)
    assert [notice.topic for notice in await recorded(here, "alice")] == [Topic.PROTECTION_ENDED]


async def test_a_change_made_meanwhile_survives_the_end(open_states: OpenState) -> None:
    """Also one that comes between the look at what is due and the carrying out: the swap finds something else."""
    state = await open_states("a")
    await state.engage("alice", Protection.lasting(ONE_KEY, state.now(), SOON_S, "one-key"))
    ended = state.kept_protection_of("alice")
    assert ended is not None
    await until(lambda: state.now() > ended.until)
    read, go_on = asyncio.Event(), asyncio.Event()
    command = state.store.command

    def slow(*arguments: object) -> object:
        async def answer() -> object:
            found = await command(*arguments)  # type: ignore[arg-type]
            read.set()
            await go_on.wait()
            return found

        return asyncio.ensure_future(answer())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state.store, "command", slow)
        lapsing = asyncio.create_task(state.lapse("alice"))
        await read.wait()
    wanted = Protection(DMS, state.now() + 3600)
    await state.engage("alice", wanted)
    go_on.set()
    assert not await lapsing
    assert state.kept_protection_of("alice") == wanted
    assert await recorded(state, "alice") == []


async def test_engaging_at_the_same_time_loses_nobodys_settings(open_states: OpenState) -> None:
    states = [await open_states(f"w{number}") for number in range(WORKERS)]
    settings = Protection(DMS, states[0].now() + 3600)
    presets = [state.engage("alice", Protection.lasting(ONE_KEY, state.now(), 600, "one-key")) for state in states]
    await asyncio.gather(states[0].engage("alice", settings), *presets)
    kept = states[0].kept_protection_of("alice")
    assert kept is not None
    assert settings in (kept, kept.former)


async def test_what_became_due_while_nobody_looked_is_found_at_the_start(open_states: OpenState) -> None:
    state = await open_states("a")
    await state.engage("alice", Protection(ONE_KEY, state.now() - 1, "one-key"))
    async with running(state):
        await until(lambda: not list(state.protections()))
    assert [notice.topic for notice in await recorded(state, "alice")] == [Topic.PROTECTION_ENDED]


async def test_the_store_being_away_delays_and_does_not_lose(engine: Engine, open_states: OpenState) -> None:
    state = await open_states("a")
    await state.engage("alice", Protection.lasting(ONE_KEY, state.now(), LATER_S, "one-key"))
    async with running(state):
        await engine.__aexit__(None, None, None)
        assert list(state.protections()), "it has not ended yet"
        calls = state.store.refused_by_breaker
        await until(lambda: state.store.refused_by_breaker > calls)
        async with Engine(engine.data_dir) as again:
            assert again.url == engine.url
            await until(lambda: not list(state.protections()))
            assert [notice.topic for notice in await recorded(state, "alice")] == [Topic.PROTECTION_ENDED]
