"""Changes: in force everywhere, durable, and answered with how many have applied them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from gateway.settings import StateSettings
from gateway.state.changes import ANSWER_S, MOST_MEMBERS
from gateway.state.engine import Engine
from gateway.state.errors import PartitionsDiffer
from gateway.state.partitions import Keys
from gateway.state.replica import Change, Noun
from gateway.state.state import State, open_state
from protection.modes import Room, RoomMode
from protection.protections import ONE_KEY, Protection, Switch
from protection.sanctions import Measure, Sanction
from tests.gateway.state.conftest import POLICY, OpenState
from tests.gateway.state.waiting import until

ODD_IDS = ["alice", "{p00}:x", "a:b", "1:a:b", "sw:{p01}:circle:a", "}{", " ", "用户\r\n", "\0", "\ud800", "mute:x"]
MUTE = Sanction(Measure.MUTE, until=2_000_000_000.0, reason="insult", by="moderator")


def protection(state: State, *switches: Switch) -> Protection:
    return Protection(frozenset(switches) or ONE_KEY, until=state.now() + 3600)


@contextlib.asynccontextmanager
async def worker_process(engine: Engine, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.state.worker", engine.url, str(engine.data_dir), name,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"open\n"
        yield process
    finally:
        process.stdin.close()
        await process.wait()


@pytest.mark.req("P1")
async def test_a_flip_is_in_force_on_every_worker_when_it_is_answered(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    told: list[Change] = []
    there.subscribe(told.append)
    await until(lambda: here.status().workers == 2)
    engaged = protection(here, Switch.DM)
    answer = await here.engage("alice", engaged)
    assert (answer.applied, answer.of, answer.durable) == (2, 2, True)
    assert there.protection_of("alice") == here.protection_of("alice") == engaged
    assert told == [Change(Noun.PROTECTION, "alice", answer.epoch)]
    released = await there.release("alice")
    assert (released.epoch, released.applied) == (answer.epoch + 1, 2)
    assert here.protection_of("alice") is None


@pytest.mark.req("P1")
async def test_workers_in_other_processes_count(engine: Engine, state: State) -> None:
    async with worker_process(engine, "other") as other:
        assert other.stdout is not None
        answer = await state.engage("alice", protection(state))
        assert (answer.applied, answer.of) == (2, 2)
        assert await other.stdout.readline() == b"protection alice\n"
        other.send_signal(signal.SIGSTOP)
        try:
            started = time.monotonic()
            answer = await state.release("alice")
            assert (answer.applied, answer.of) == (1, 2)
            assert time.monotonic() - started < ANSWER_S + 0.5
        finally:
            other.send_signal(signal.SIGCONT)
        assert await other.stdout.readline() == b"protection alice\n"
    answer = await state.engage("alice", protection(state))
    assert (answer.applied, answer.of) == (1, 1), "a worker that left is not waited for"


async def test_a_worker_that_died_is_counted_no_longer_than_its_registration(engine: Engine, state: State) -> None:
    async with worker_process(engine, "other") as other:
        other.kill()
        await other.wait()
        assert (await state.engage("alice", protection(state))).of == 2
        await until(lambda: state.status().workers == 1)
        answer = await state.engage("alice", protection(state))
        assert (answer.applied, answer.of) == (1, 1)
    async with redis.asyncio.from_url(engine.url) as client:
        keys = Keys(64)
        reports = await client.hgetall(keys.of_partition(keys.partition("alice"), "applied"))
        assert set(reports) == {b"worker"}, "nothing is left of it"


@pytest.mark.req("S3")
async def test_rooms(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    told: list[tuple[str, str]] = []
    stop = there.subscribe(lambda change: told.append((change.noun, change.id)))
    assert there.room("r") is None
    await here.set_owner("r", "alice")
    await here.set_mode("r", RoomMode.SLOW, until=2e9, slow_s=30)
    assert there.room("r") == Room("alice", RoomMode.SLOW, 2e9, 30)
    await here.clear_mode("r")
    assert there.room("r") == Room("alice")
    await here.set_owner("r", "")
    assert there.room("r") is None
    assert told == [("owner", "r"), ("mode", "r"), ("mode", "r"), ("owner", "r")]
    stop()
    await here.set_mode("r", RoomMode.SHUT)
    assert len(told) == 4


@pytest.mark.req("D2")
async def test_sanctions(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    await here.sanction("troll", MUTE)
    assert there.sanctions_of("troll") == (MUTE,)
    await here.lift("troll", Measure.MUTE)
    assert there.sanctions_of("troll") == ()


@pytest.mark.req("P6")
async def test_circles_in_bulk(state: State) -> None:
    friends = [f"friend-{number}" for number in range(2 * MOST_MEMBERS + 1)]
    answer = await state.tie("alice", friends)
    assert (answer.epoch, answer.applied, answer.of) == (3, 1, 1)
    assert await state.is_trusted("alice", friends[0])
    assert await state.is_trusted("alice", friends[-1])
    assert not await state.is_trusted("alice", "bob")
    assert not await state.is_trusted(friends[0], "alice")
    await state.untie("alice", friends[1:])
    assert await state.is_trusted("alice", friends[0])
    assert not await state.is_trusted("alice", friends[-1])
    assert (await state.tie("alice", [])).applied == 1


@pytest.mark.req("P1")
async def test_ids_may_hold_anything(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    await asyncio.gather(
        *(here.engage(odd, Protection(ONE_KEY, until=1000.0 + index)) for index, odd in enumerate(ODD_IDS)),
        *(here.set_owner(odd, odd) for odd in ODD_IDS),
        *(here.sanction(odd, MUTE) for odd in ODD_IDS),
        *(here.tie(odd, [odd]) for odd in ODD_IDS),
    )
    for index, odd in enumerate(ODD_IDS):
        assert there.protection_of(odd) == Protection(ONE_KEY, until=1000.0 + index)
        assert there.room(odd) == Room(odd)
        assert there.sanctions_of(odd) == (MUTE,)
        assert [other for other in ODD_IDS if await there.is_trusted(odd, other)] == [odd]


@pytest.mark.parametrize("until_s", [float("inf"), float("nan")])
async def test_an_end_that_is_no_time_is_the_callers_error(state: State, until_s: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        await state.engage("alice", Protection(ONE_KEY, until=until_s))
    with pytest.raises(ValueError, match="finite"):
        await state.set_mode("r", RoomMode.SLOW, until=until_s)


@pytest.mark.req("P1")
async def test_what_was_answered_durable_survives_the_stores_death(engine: Engine, open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    run, snapshots = there.status().run_id, there.reader.snapshots
    answered: list[str] = []

    async def keep_writing() -> None:
        with contextlib.suppress(Exception):
            for number in range(10_000):
                if (await here.engage(f"person-{number}", Protection(ONE_KEY, until=2e9))).durable:
                    answered.append(f"person-{number}")

    writers = [asyncio.create_task(keep_writing()) for _ in range(3)]
    await until(lambda: len(answered) >= 10)
    os.kill(engine.pid, signal.SIGKILL)
    await asyncio.gather(*writers)
    assert await until(lambda: there.status().run_id not in ("", run) and there.status().connected) < 2.0
    assert there.reader.snapshots > snapshots
    assert [person for person in answered if there.protection_of(person) is None] == []
    settings = StateSettings(data_dir=str(engine.data_dir))
    async with open_state(settings, lambda: POLICY, "late", engine.url) as late:
        assert [person for person in answered if late.protection_of(person) is None] == []


async def test_missed_changes_bring_a_new_image_and_are_told(engine: Engine, state: State) -> None:
    await state.engage("alice", protection(state))
    keys = Keys(64)
    partition = keys.partition("alice")
    told: list[Change] = []
    state.subscribe(told.append)
    async with redis.asyncio.from_url(engine.url) as client:  # as if the stream had been cut before it was read
        await client.hdel(keys.of_partition(partition, "protection"), "alice")
        await client.incrby(keys.of_partition(partition, "epoch"), 7)
        entry = {"epoch": 8, "noun": "circle", "id": "x"}
        await client.xadd(keys.of_partition(partition, "changes"), entry)  # type: ignore[arg-type]
    await until(lambda: state.protection_of("alice") is None)
    assert state.reader.gaps == 1
    assert told == [Change(Noun.PROTECTION, "alice", 8)]


async def test_a_store_that_was_emptied_is_noticed(engine: Engine, state: State) -> None:
    await state.engage("alice", protection(state))
    async with redis.asyncio.from_url(engine.url) as client:
        await client.flushall()
    neighbour = next(f"n{i}" for i in range(10_000) if Keys(64).partition(f"n{i}") == Keys(64).partition("alice"))
    answer = await state.engage(neighbour, protection(state))
    assert answer.epoch == 1
    await until(lambda: state.protection_of(neighbour) is not None and state.protection_of("alice") is None)


async def test_a_listener_at_fault_does_not_stop_the_replica(state: State, caplog: pytest.LogCaptureFixture) -> None:
    def fail(change: Change) -> None:
        raise LookupError(change.id)

    state.subscribe(fail)
    assert (await state.engage("alice", protection(state))).applied == 1
    assert (await state.release("alice")).applied == 1
    assert "a listener failed" in caplog.text


async def test_a_store_made_with_other_partitions_is_refused(engine: Engine, state: State) -> None:
    assert state.status().loaded
    settings = StateSettings(data_dir=str(engine.data_dir), partitions=32)
    with pytest.raises(PartitionsDiffer, match="made with 64 partitions, the settings say 32"):
        async with open_state(settings, lambda: POLICY, "other", engine.url):
            pass
