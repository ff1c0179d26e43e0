"""The store away: what is protected stays protected, everything else goes on, and nobody waits."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from filters.hits import CLEAN
from gateway.settings import StateSettings
from gateway.state.engine import Engine
from gateway.state.errors import StoreUnavailable
from gateway.state.partitions import Keys
from gateway.state.state import State, open_state
from gateway.state.store import TIMEOUT_S
from protection.blocklist import Blocklist
from protection.events import Event, Kind
from protection.pipeline import decide
from protection.policy import Limits, Policy
from protection.protections import ONE_KEY, Protection
from protection.snapshot import Scope, Snapshot
from ratelimit.rate import Rate
from tests.gateway.state.conftest import OpenState
from tests.gateway.state.waiting import until

TIGHT = Policy(limits=Limits(flood=Rate(4, 3600), stranger_dm=Rate(2, 3600), strangers_dm=Rate(3, 3600)))
COMMENT = Event(Kind.COMMENT, "bob", "hello", target="alice")
CHAT = Event(Kind.CHAT, "bob", "hello", room="r")


def verdict(event: Event, snapshot: Snapshot, policy: Policy = TIGHT) -> str:
    return decide(event, snapshot, CLEAN, policy).reason


@pytest.mark.req("P1")
async def test_no_store_at_start_opens_nothing_and_lets_ordinary_chat_go_on(engine: Engine) -> None:
    settings = StateSettings(data_dir=str(engine.data_dir))
    async with open_state(settings, lambda: TIGHT, "worker", engine.url + ".missing") as state:
        status = state.status()
        assert (status.connected, status.loaded, status.fresh, status.age_s) == (False, False, False, None)
        snapshot = await state.load(COMMENT)
        assert not snapshot.fresh
        assert verdict(COMMENT, snapshot) == "protected"
        assert [verdict(CHAT, await state.load(CHAT)) for _ in range(5)] == ["", "", "", "", "flood"]
        assert abs(state.now() - time.time()) < 1
        with pytest.raises(StoreUnavailable):
            await state.engage("alice", Protection(ONE_KEY, until=2e9))
        with pytest.raises(StoreUnavailable):
            await state.ping()


@pytest.mark.req("P7")
async def test_without_the_store_nobody_new_counts_as_a_member_of_a_circle(engine: Engine, state: State) -> None:
    await state.tie("alice", ["friend", "other"])
    assert await state.ties_or_stranger("alice", "friend")
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        assert not await state.ties_or_stranger("alice", "other")
        await until(lambda: not state.status().fresh)
        assert not await state.ties_or_stranger("alice", "friend")
    finally:
        os.kill(engine.pid, signal.SIGCONT)


@pytest.mark.req("P5")
async def test_blocked_words_stand_without_the_store_and_over_its_restart(
    engine: Engine, open_states: OpenState
) -> None:
    state = await open_states("worker", TIGHT)
    assert (await state.set_blocklist("alice", Blocklist(("hello",)))).durable
    os.kill(engine.pid, signal.SIGKILL)
    await until(lambda: not state.store.connected)
    assert verdict(COMMENT, await state.load(COMMENT)) == "own-word"
    await until(lambda: state.status().connected and state.status().fresh)
    assert verdict(COMMENT, await state.load(COMMENT)) == "own-word"
    late = await open_states("late", TIGHT)
    assert verdict(COMMENT, await late.load(COMMENT)) == "own-word"


@pytest.mark.req("P1", "P3")
async def test_a_store_lost_in_mid_run(engine: Engine, open_states: OpenState) -> None:
    state = await open_states("worker", TIGHT, staleness_s=0.4)
    await state.engage("alice", Protection(ONE_KEY, until=state.now() + 3600))
    await state.tie("alice", ["bob"])
    assert verdict(COMMENT, await state.load(COMMENT)) == ""
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        slowest = 0.0
        stale = False
        deadline = time.monotonic() + 10
        while not stale:
            assert time.monotonic() < deadline
            started = time.monotonic()
            snapshot = await state.load(COMMENT)
            slowest = max(slowest, time.monotonic() - started)
            stale = not snapshot.fresh and not state.status().fresh
            await asyncio.sleep(0.01)
        assert slowest < 10 * TIMEOUT_S  # one timeout, on a machine that has other things to do
        assert verdict(COMMENT, snapshot) == "protected", "whether bob is a friend cannot be known now"
        chats = [await state.load(Event(Kind.CHAT, "carol", "hello", room="r")) for _ in range(6)]
        assert [verdict(CHAT, chat) for chat in chats] == ["", "", "", "", "flood", "flood"]
        dms = [await state.load(Event(Kind.DM, sender, "hello", target="dave")) for sender in ("s", "s", "s", "t", "u")]
        assert [[c.scope for c in dm.charges if not c.allowance.allowed] for dm in dms] == [
            [], [], [Scope.STRANGER_PAIR], [], [Scope.STRANGERS],
        ]  # fmt: skip
        started = time.monotonic()
        for _ in range(200):
            await state.load(COMMENT)
        assert time.monotonic() - started < 20 * TIMEOUT_S, "once it is known to be down, nobody waits"
    finally:
        os.kill(engine.pid, signal.SIGCONT)
    assert await until(lambda: state.status().connected and state.status().fresh) < 1.0
    snapshot = await state.load(COMMENT)
    assert snapshot.fresh
    assert verdict(COMMENT, snapshot) != "protected"


@pytest.mark.req("P1")
async def test_a_killed_store_never_opens_what_is_protected(engine: Engine, state: State) -> None:
    await state.engage("alice", Protection(ONE_KEY, until=state.now() + 3600))
    os.kill(engine.pid, signal.SIGKILL)
    killed, loads = time.monotonic(), 0
    while not (engine.starts == 2 and state.status().connected and state.status().fresh and loads > 100):
        started = time.monotonic()
        snapshot = await state.load(COMMENT)
        assert time.monotonic() - started < 10 * TIMEOUT_S
        assert decide(COMMENT, snapshot, CLEAN, Policy()).reason == "protected"
        loads += 1
        assert time.monotonic() - killed < 10
        await asyncio.sleep(0)


async def test_a_paused_worker_knows_that_it_is_stale_the_moment_it_wakes(state: State) -> None:
    await until(lambda: state.status().fresh)
    time.sleep(2.1)  # noqa: ASYNC251 - the pause: nothing of this process runs
    assert not state.status().fresh
    await until(lambda: state.status().fresh)


@pytest.mark.req("P3")
async def test_a_retry_behind_a_timeout_charges_only_what_the_store_took(
    engine: Engine, open_states: OpenState
) -> None:
    """A charge whose answer was lost is not sent again by us: the limit moves by one event a message at most."""
    state = await open_states(
        "worker", Policy(limits=Limits(strangers_dm=Rate(100, 3600), stranger_dm=Rate(100, 3600)))
    )
    for number in range(20):
        if number % 5 == 2:
            os.kill(engine.pid, signal.SIGSTOP)
        await state.load(Event(Kind.DM, "bob", "hello", target="alice"))
        if number % 5 == 2:
            os.kill(engine.pid, signal.SIGCONT)
            await until(lambda: state.store.connected)
    key = Keys(64).of("dm-strangers", "alice")
    tat = int(await state.store.command("GET", key))
    seconds, microseconds = await state.store.command("TIME")
    charged = (tat - int(seconds) * 1_000_000 - int(microseconds)) / Rate(100, 3600).interval_us
    assert 16 - 1 < charged <= 20
