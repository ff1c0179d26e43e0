"""Calls to a real store: together, briefly, or not at all."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from gateway.state.address import Login, Server
from gateway.state.engine import Engine
from gateway.state.errors import StoreRefused, StoreUnavailable
from gateway.state.link import MOST_CHECKS, Link
from gateway.state.scripts import CHARGE, Script
from gateway.state.store import TIMEOUT_S, Store
from tests.gateway.state.waiting import until

ONE_CHARGE = ([b"limit"], (1_000_000, 10_000_000, 1, 1))
ECHO = Script("return ARGV[1]")


@pytest.fixture
async def store(engine: Engine) -> AsyncIterator[Store]:
    async with Store(engine.url) as opened:
        yield opened


async def reads(store: Store) -> int:
    """How often the store has read from its sockets."""
    facts = dict(line.split(":") for line in (await store.command("INFO", "stats")).decode().split() if ":" in line)
    return int(facts["total_reads_processed"])


async def test_the_calls_of_one_turn_arrive_together_and_are_answered_in_order(store: Store) -> None:
    before = await reads(store)
    answers = await asyncio.gather(*(store.run(ECHO, (), (str(number),)) for number in range(100)))
    assert answers == [str(number).encode() for number in range(100)]
    # One for the first question, at most two for a hundred calls (16 KiB are read at once), one for the last question;
    # the scripts that were not known came once more.
    assert await reads(store) - before <= 5


async def test_a_script_the_store_has_forgotten_is_sent_in_full(store: Store) -> None:
    await store.run(CHARGE, *ONE_CHARGE)
    await store.command("SCRIPT", "FLUSH")
    charge, echo, again = await asyncio.gather(
        store.run(CHARGE, *ONE_CHARGE), store.run(ECHO, (), ("x",)), store.run(CHARGE, *ONE_CHARGE)
    )
    assert (charge[0], echo, again[0]) == (1, b"x", 1)
    assert again[2] - charge[2] == 1_000_000  # charged once each


@pytest.mark.req("P3")
async def test_the_checks_of_one_turn_are_one_command_and_each_gets_its_own_answer(store: Store) -> None:
    await asyncio.gather(*(store.run(CHARGE, [b"warm"], ONE_CHARGE[1]) for _ in range(2)))
    before = store.sent
    keys = [b"limit-%d" % (number % 30) for number in range(50)]
    answers = await asyncio.gather(*(store.run(CHARGE, [key], ONE_CHARGE[1]) for key in keys), store.command("PING"))
    assert store.sent - before == 2
    first, second = answers[:20], answers[30:50]
    assert [later[2] - earlier[2] for earlier, later in zip(first, second, strict=True)] == [1_000_000] * 20
    await asyncio.gather(*(store.run(CHARGE, [b"many"], (1, 10_000_000, 1, 1)) for _ in range(2 * MOST_CHECKS + 2)))
    assert store.sent - before == 2 + 3
    await store.run(CHARGE, *ONE_CHARGE)
    assert store.sent - before == 2 + 3 + 2, "one alone goes as the script that it is, which was not known"


async def test_a_check_that_fails_disturbs_no_other_of_its_turn(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    await store.command("HSET", "no-limit", "a", "b")
    fine, wrong, also_fine = (store.run(CHARGE, [key], ONE_CHARGE[1]) for key in (b"x", b"no-limit", b"y"))
    assert (await fine)[0] == (await also_fine)[0] == 1
    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        await wrong
    assert (store.refused, caplog.text.count("the store refuses: WRONGTYPE")) == (1, 1)


async def test_an_error_reply_fails_its_own_call_only(store: Store) -> None:
    fine, wrong, also_fine = store.command("PING"), store.command("INCR"), store.command("PING")
    assert await fine == await also_fine == b"PONG"
    with pytest.raises(StoreRefused, match="wrong number of arguments"):
        await wrong
    assert store.connected


async def test_a_hung_store_costs_one_timeout_then_nothing(engine: Engine, store: Store) -> None:
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        answers = await asyncio.gather(*(store.command("PING") for _ in range(50)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        assert TIMEOUT_S <= time.monotonic() - started < 10 * TIMEOUT_S, "fifty calls wait no longer than one"
        started = time.monotonic()
        for _ in range(1000):
            with pytest.raises(StoreUnavailable):
                store.command("PING")
        assert time.monotonic() - started < 10 * TIMEOUT_S
        assert (store.timeouts, store.refused_by_breaker) == (1, 1000)
    finally:
        os.kill(engine.pid, signal.SIGCONT)
    assert await until(lambda: store.connected) < 1.0
    assert await store.command("PING") == b"PONG"


async def test_a_killed_store_fails_at_once_and_is_back_within_a_second(engine: Engine, store: Store) -> None:
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(StoreUnavailable):
        await store.command("PING")
    assert store.timeouts == 0, "a broken connection is noticed, not waited out"
    await until(lambda: engine.starts == 2)
    assert await until(lambda: store.connected) < 1.0
    assert await store.command("PING") == b"PONG"
    assert store.reconnects == 1


async def test_a_store_that_is_not_there_yet_is_waited_for_by_nobody(engine: Engine) -> None:
    missing = engine.url + ".missing"
    started = time.monotonic()
    async with Store(missing) as store:
        with pytest.raises(StoreUnavailable):
            store.command("PING")
        with pytest.raises(StoreUnavailable):
            await store.run_durably(ECHO, (), ("x",))
    assert time.monotonic() - started < 1.0


async def test_a_server_that_takes_connections_and_says_nothing_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(StoreUnavailable, match="no answer in time"):
        await Link.open(Server("127.0.0.1", silent.getsockname()[1]), Login(), 1.0, 0.05)


async def test_a_pause_of_this_process_is_not_taken_for_a_hung_store(store: Store) -> None:
    reply = store.command("PING")
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # sent
    time.sleep(2 * TIMEOUT_S)  # noqa: ASYNC251 - that is the pause
    assert await reply == b"PONG"
    assert store.timeouts == 0


async def test_a_caller_who_gives_up_disturbs_nobody(store: Store) -> None:
    given_up = store.command("PING")
    given_up.cancel()
    assert await store.command("ECHO", "next") == b"next"


async def test_what_is_durable_is_in_the_file_before_it_is_synced(engine: Engine) -> None:
    folder = engine.data_dir / "engine" / "appendonlydir"
    seen = []

    def sync() -> bool:
        seen.append(b"".join(file.read_bytes() for file in folder.glob("*.aof")))
        return True

    script = Script("return redis.call('SET', KEYS[1], ARGV[1])")
    async with Store(engine.url, sync) as store:
        for number in range(5):
            answer, durable = await store.run_durably(script, (b"key",), (f"must-not-be-lost-{number}",))
            assert (answer, durable) == (b"OK", True)
            assert f"must-not-be-lost-{number}".encode() in seen[-1]


async def test_without_an_append_only_file_nothing_is_called_durable(engine: Engine) -> None:
    async with redis.asyncio.from_url(engine.url) as client:
        await client.config_set("appendonly", "no")
    async with Store(engine.url) as store:
        assert await store.run_durably(ECHO, (), ("done",)) == (b"done", False)


async def test_a_store_over_tcp_with_a_password(engine: Engine, unused_tcp_port: int) -> None:
    async with redis.asyncio.from_url(engine.url) as client:
        await client.config_set("port", unused_tcp_port)
        await client.config_set("requirepass", "pa:ss/word")
    address = f"127.0.0.1:{unused_tcp_port}"
    async with Store(f"redis://:pa%3Ass%2Fword@{address}") as store:
        assert await store.command("PING") == b"PONG"
    async with Store(f"redis://:wrong@{address}") as store:
        with pytest.raises(StoreUnavailable):
            store.command("PING")


@pytest.mark.parametrize("url", ["", "localhost:6379", "http://localhost", "redis://localhost:port"])
def test_what_is_no_store_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Store(url)
