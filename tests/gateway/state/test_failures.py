"""What fails, and what holds then: nothing protected opens, nothing durable is lost, chat goes on, one line says so."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filters.hits import CLEAN
from gateway.settings import StateSettings
from gateway.state.errors import StoreUnavailable
from gateway.state.partitions import Keys
from gateway.state.state import State, open_state
from gateway.state.store import TIMEOUT_S
from protection.events import Event, Kind
from protection.pipeline import decide
from protection.policy import Limits, Policy
from protection.protections import ONE_KEY, Protection, Switch
from protection.sanctions import Measure, Sanction
from ratelimit.rate import Rate
from tests.gateway.state.servers import Detour, Process, cluster
from tests.gateway.state.waiting import eventually, until

POLICY = Policy(limits=Limits(flood=Rate(1000, 10), dm_flood=Rate(1000, 10)))
COMMENT = Event(Kind.COMMENT, "stranger", "hello", target="alice")
CHAT = Event(Kind.CHAT, "bob", "hello", room="r")
PACE_S = 0.002
"""Between two messages: what is under test needs a part of the processor, too."""
BACK_S = 1.0
"""So soon after the store's return all is well again."""


@contextlib.asynccontextmanager
async def worker(url: str, name: str = "worker", staleness_s: float = 1.0) -> AsyncIterator[State]:
    settings = StateSettings(url=url, staleness_s=staleness_s)
    async with open_state(settings, lambda: POLICY, name, url) as state:
        await until(lambda: state.status().fresh)
        yield state


def protection(until_s: float = 2e9) -> Protection:
    return Protection(ONE_KEY, until=until_s)


async def reason(state: State, event: Event) -> str:
    return decide(event, await state.load(event), CLEAN, POLICY).reason


class Traffic:
    """Messages without pause, until stopped: chat that must pass, and a stranger's comments, which must not."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.sent = 0
        self.opened = 0
        self.refused: list[str] = []
        self.slowest_s = 0.0

    async def __aenter__(self) -> Traffic:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def more(self, count: int = 20) -> None:
        """Wait until so many more have been judged."""
        sent = self.sent
        await until(lambda: self.sent >= sent + count, 20)

    async def _run(self) -> None:
        while True:
            started = time.monotonic()
            said = await reason(self._state, Event(Kind.CHAT, f"chatter-{self.sent}", "hello", room="r"))
            if said:
                self.refused.append(said)
            self.opened += await reason(self._state, COMMENT) != "protected"
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)
            self.sent += 1
            await asyncio.sleep(PACE_S)


def said(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.getMessage() for record in caplog.records)


@pytest.mark.req("P1")
async def test_killed_under_load_and_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with Process(tmp_path) as server, worker(server.url) as state, Traffic(state) as traffic:
        assert (await state.engage("alice", protection())).durable
        await traffic.more()
        traffic.opened = 0
        server.kill()
        await until(lambda: not state.store.connected)
        await traffic.more(100)
        server.start()
        await server.serving()
        assert await until(lambda: state.status().connected and state.status().fresh) < BACK_S
        await traffic.more()
        assert (traffic.opened, traffic.refused) == (0, [])
        assert (said(caplog, "store down"), said(caplog, "store is back")) == (1, 1)
        assert (state.counters()["outages"], state.counters()["reconnects"]) == (1, 1)


@pytest.mark.req("P1")
async def test_a_slow_store_is_a_lost_one_and_costs_nobody_its_slowness(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        Process(tmp_path) as server, Detour(server) as detour,
        worker(detour.url) as state, Traffic(state) as traffic,
    ):  # fmt: skip
        await state.engage("alice", protection())
        await traffic.more()
        traffic.opened, traffic.slowest_s = 0, 0.0
        detour.delay_s = 0.2
        await until(lambda: state.counters()["timeouts"] > 0)
        await traffic.more(100)
        detour.delay_s = 0.0
        assert await until(lambda: state.status().connected and state.status().fresh) < 2 * BACK_S
        assert (traffic.opened, traffic.refused) == (0, [])
        assert traffic.slowest_s < 5 * TIMEOUT_S
        assert said(caplog, "store down") == state.counters()["outages"] <= 3


@pytest.mark.req("P1")
async def test_a_store_without_memory_refuses_changes_and_chat_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Process(tmp_path) as server, worker(server.url) as state, Traffic(state) as traffic:
        await state.engage("alice", protection())
        await traffic.more()
        traffic.opened = 0
        await server.call("CONFIG", "SET", "maxmemory", 1)
        await until(lambda: state.counters()["refused"] > 0)
        await traffic.more(100)
        with pytest.raises(StoreUnavailable):
            await state.engage("bob", protection())
        assert state.status().fresh, "what can be read is still read"
        await server.call("CONFIG", "SET", "maxmemory", 0)
        started = time.monotonic()
        await eventually(lambda: engages(state, "bob"))
        assert time.monotonic() - started < BACK_S
        await traffic.more()
        assert (traffic.opened, traffic.refused) == (0, [])
        assert said(caplog, "the store refuses: OOM") == 1


async def engages(state: State, person: str) -> bool:
    with contextlib.suppress(StoreUnavailable):
        return (await state.engage(person, protection())).epoch > 0
    return False


@pytest.mark.req("P1")
async def test_a_store_that_has_become_a_replica_is_away_until_it_is_promoted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        Process(tmp_path / "a") as server, Process(tmp_path / "b") as other,
        worker(server.url) as state, Traffic(state) as traffic,
    ):  # fmt: skip
        await state.engage("alice", protection())
        await traffic.more()
        traffic.opened = 0
        await server.call("CONFIG", "SET", "replica-serve-stale-data", "yes")
        await server.call("REPLICAOF", "127.0.0.1", other.port)
        await until(lambda: not state.store.connected)
        await traffic.more(100)
        with pytest.raises(StoreUnavailable):
            await state.release("alice")
        await server.call("REPLICAOF", "NO", "ONE")
        assert await until(lambda: state.status().connected and state.status().fresh) < BACK_S
        await traffic.more()
        assert state.protection_of("alice") == protection(), "the other server was empty: it was put back"
        assert (traffic.opened, traffic.refused) == (0, [])
        assert said(caplog, "store down") == 1


@pytest.mark.req("P1", "D2")
async def test_a_promoted_replica_is_told_what_it_lacks_and_nothing_that_was_taken_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mute = Sanction(Measure.MUTE, until=2e9, reason="insult", by="moderator")
    async with (
        Process(tmp_path / "a") as primary,
        Detour(primary) as replication,
        Process(tmp_path / "b", "--replicaof", f"127.0.0.1 {replication.port}") as replica,
        Detour(primary) as detour,
        worker(detour.url, "a") as here, worker(detour.url, "b") as there,
        Traffic(here) as traffic,
    ):  # fmt: skip
        await until(lambda: here.status().workers == 2)
        await eventually(lambda: in_sync(primary))
        await here.engage("alice", protection())
        await here.engage("carol", protection(1e9 + 1))
        await here.engage("dora", protection())
        await here.engage("emma", Protection(frozenset({Switch.DM}), until=3e9))  # longer, but it closes less
        assert (await here.release("dora")).durable
        replication.server = replica  # what is written now, it will never have
        await replication.cut()
        await asyncio.gather(
            here.engage("bob", protection()),
            here.sanction("troll", mute),
            here.engage("carol", protection()),
            here.engage("emma", protection()),
        )
        await until(lambda: there.sanctions_of("troll") == (mute,) and there.protection_of("bob") is not None)
        await until(lambda: there.protection_of("emma") == here.protection_of("emma") == protection())
        await traffic.more()
        traffic.opened = 0
        primary.kill()
        await replica.call("REPLICAOF", "NO", "ONE")
        detour.server = replica
        assert await until(lambda: all(s.status().connected and s.status().fresh for s in (here, there))) < 2 * BACK_S
        await traffic.more()
        known = ("alice", "bob", "carol", "dora", "emma")
        async with worker(replica.url, "late") as newcomer:
            for state in (here, there, newcomer):
                assert {person: state.protection_of(person) for person in known} == {
                    "alice": protection(), "bob": protection(), "carol": protection(), "dora": None,
                    "emma": protection(),
                }  # fmt: skip
                assert state.sanctions_of("troll") == (mute,)
            assert (await newcomer.release("bob")).applied == 3
            assert here.protection_of("bob") is there.protection_of("bob") is None
        assert here.counters()["reasserted"] + there.counters()["reasserted"] == 4
        assert traffic.opened == 0
        assert 1 <= said(caplog, "which were put back") <= 4


async def in_sync(primary: Process) -> bool:
    return "online" in str(await primary.call("INFO", "replication"))


@pytest.mark.req("P1")
@pytest.mark.parametrize("trimmed", [False, True])
async def test_a_release_that_a_node_has_missed_is_not_undone_by_it(tmp_path: Path, trimmed: bool) -> None:
    """The store restarts while one worker is cut off; what was released meanwhile stays released."""
    async with (
        Process(tmp_path / "a") as server, Process(tmp_path / "b") as gone, Detour(server) as detour,
        worker(server.url, "a") as here, worker(detour.url, "b") as behind,
    ):  # fmt: skip
        gone.kill()
        await here.engage("alice", protection())
        await until(lambda: behind.protection_of("alice") is not None)
        detour.server = gone
        await detour.cut()
        await here.release("alice")
        if trimmed:
            keys = Keys(64)
            await server.call("XTRIM", keys.of_partition(keys.partition("alice"), "changes"), "MAXLEN", 0)
        server.kill()
        server.start()
        await server.serving()
        await until(lambda: here.status().connected)
        detour.server = server
        await until(lambda: behind.status().connected and behind.status().fresh)
        assert (here.protection_of("alice"), behind.protection_of("alice")) == (None, None)
        assert behind.counters()["reasserted"] == 0


@pytest.mark.req("P1", "P3")
@pytest.mark.parametrize("off_s", [120.0, -120.0])
async def test_a_node_whose_clock_is_off_goes_by_the_stores(tmp_path: Path, off_s: float) -> None:
    """Were it to go by its own, a minute's protection would have ended for it, or last two minutes longer."""
    async with Process(tmp_path) as server, worker(server.url) as state:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.gateway.state.wrong_clock", server.url, str(off_s),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert float(await process.stdout.readline()) == pytest.approx(off_s, abs=5), "its clock is off"
        await state.engage("alice", protection(state.now() + 60))
        await state.engage("bob", protection(state.now() - 60))
        process.stdin.write(b"alice\nbob\n")
        assert [await process.stdout.readline() for _ in range(2)] == [b"protected\n", b"\n"]
        process.stdin.close()
        await process.wait()


@pytest.mark.req("P1", "P3")
async def test_a_cluster_is_resharded_under_load(tmp_path: Path) -> None:
    keys = Keys(64)
    people = [f"person-{number}" for number in range(60)]
    async with cluster(tmp_path) as (url, members), worker(url) as state, Traffic(state) as traffic:
        await asyncio.gather(*(state.engage(person, protection()) for person in [*people, "alice"]))
        await traffic.more()
        traffic.opened = 0
        store = state.store
        assert store._topology is not None
        by_port = {member.port: member for member in members}
        moved = sorted({store._topology.slot(keys.of("circle", person)) for person in (*people[:8], "alice", "r")})
        flips = asyncio.create_task(flip_and_flip(state, people))
        for slot in moved:
            source = by_port[store._topology.holder(slot).port]
            await move_slot(slot, source, next(member for member in members if member is not source))
        await traffic.more()
        flips.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await flips
        assert await until(lambda: state.status().connected and state.status().fresh) < 2 * BACK_S
        answers = await asyncio.gather(*(state.engage(person, protection()) for person in people))
        assert {(answer.applied, answer.of) for answer in answers} == {(1, 1)}
        assert {state.protection_of(person) for person in people} == {protection()}
        assert (traffic.opened, traffic.refused) == (0, [])
        assert state.counters()["redirects"] > 0


async def flip_and_flip(state: State, people: list[str]) -> None:
    """Changes without pause; those that meet a partition on its way are refused, and may be repeated."""
    while True:
        for person in people:
            with contextlib.suppress(StoreUnavailable):
                await state.engage(person, protection())
            await asyncio.sleep(PACE_S)


async def move_slot(slot: int, source: Process, target: Process) -> None:
    """As redis-cli --cluster reshard does it: key by key, with ASK for what has gone before the slot has."""
    names = [await member.call("CLUSTER", "MYID") for member in (source, target)]
    await target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", names[0])
    await source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", names[1])
    while keys := await source.call("CLUSTER", "GETKEYSINSLOT", slot, 1):
        await source.call("MIGRATE", "127.0.0.1", target.port, keys[0], 0, 1000)
    for member in (target, source):
        await member.call("CLUSTER", "SETSLOT", slot, "NODE", names[1])
