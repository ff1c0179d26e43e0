"""The embedded engine: kept, restarted, never shared, never left behind."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import stat
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import pytest
import redis.asyncio
from redis.exceptions import ConnectionError as NotConnected

from gateway.state.engine import Engine
from gateway.state.errors import DataDirInUse, EngineError
from gateway.state.supervisor import MAX_SOCKET_PATH, find_binary
from tests.gateway.state.waiting import alive, until

GATEWAY = """
import asyncio, sys
from gateway.state.engine import Engine

async def main():
    async with Engine(sys.argv[1]) as engine:
        print(engine.pid, engine._supervisor.pid, engine.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def socket_path(engine: Engine) -> Path:
    return Path(unquote(engine.url.removeprefix("unix://")))


async def wait_for(engine: Engine, key: str) -> bytes | None:
    """Read a key, from the moment on at which the engine answers."""
    async with redis.asyncio.from_url(engine.url) as client:
        deadline = time.monotonic() + 10
        while True:
            try:
                value = await client.get(key)
                assert not isinstance(value, str)
                return value
            except NotConnected:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.005)


async def test_what_was_written_is_there_at_the_next_start(tmp_path: Path) -> None:
    async with Engine(tmp_path) as engine, redis.asyncio.from_url(engine.url) as client:
        await client.set("key", "value")
    assert not alive(engine.pid)
    async with Engine(tmp_path) as again:
        assert await wait_for(again, "key") == b"value"


async def test_only_its_user_reaches_it(engine: Engine) -> None:
    path = socket_path(engine)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    async with redis.asyncio.from_url(engine.url) as client:
        assert await client.config_get("port") == {"port": "0"}


async def test_it_stands_apart_from_ctrl_c_in_the_terminal(engine: Engine) -> None:
    assert os.getsid(engine.pid) != os.getsid(0)


@pytest.mark.parametrize("depth", [1, 12])
async def test_a_path_too_long_for_a_socket_is_no_hindrance(tmp_path: Path, depth: int) -> None:
    folder = tmp_path.joinpath(*["directory-深"] * depth)
    async with Engine(folder) as engine:
        path = socket_path(engine)
        assert len(os.fsencode(path)) <= MAX_SOCKET_PATH
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert await wait_for(engine, "nothing") is None
    assert path.is_relative_to(folder) or not path.parent.exists()


async def test_killed_it_is_back_at_once_with_its_data(engine: Engine) -> None:
    async with redis.asyncio.from_url(engine.url) as client:
        await client.set("key", "value")
    first = engine.pid
    os.kill(first, signal.SIGKILL)
    killed = time.monotonic()
    await until(lambda: engine.starts == 2)
    assert time.monotonic() - killed < 1.0  # some 50 ms on an idle machine
    assert engine.pid != first
    assert await wait_for(engine, "key") == b"value"


async def test_a_second_user_of_the_directory_is_told_who_has_it(engine: Engine) -> None:
    with pytest.raises(DataDirInUse, match=str(engine.data_dir)) as refusal:
        async with Engine(engine.data_dir):
            pass
    assert alive(refusal.value.pid)
    assert str(refusal.value.pid) in str(refusal.value)
    assert await wait_for(engine, "nothing") is None  # the first user noticed nothing


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_killed_gateway_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    gateway = await asyncio.create_subprocess_exec(
        sys.executable, "-c", GATEWAY, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert gateway.stdout is not None
    engine, supervisor, url = (await gateway.stdout.readline()).decode().split()
    async with redis.asyncio.from_url(url) as client:
        await client.set("key", "value")
    gateway.send_signal(number)
    await gateway.wait()
    await until(lambda: not alive(int(engine)) and not alive(int(supervisor)))
    async with Engine(tmp_path) as again:
        assert await wait_for(again, "key") == b"value"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
async def test_a_killed_supervisor_is_replaced_and_leaves_no_engine(engine: Engine) -> None:
    async with redis.asyncio.from_url(engine.url) as client:
        await client.set("key", "value")
    assert engine._supervisor is not None
    orphan = engine.pid
    engine._supervisor.kill()
    await until(lambda: engine.starts == 2)
    assert not alive(orphan)
    assert await wait_for(engine, "key") == b"value"


async def test_an_engine_left_over_from_an_earlier_run_is_ended_first(tmp_path: Path) -> None:
    """As it is found where nothing tells a child that its parent died."""
    files = tmp_path / "engine"
    files.mkdir(mode=0o700)
    path = files / "engine.sock"
    with (files / "engine.lock").open("w+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(str(path))
        lock.flush()
        options = ["--port", "0", "--unixsocket", str(path), "--dir", str(files), "--appendonly", "yes", "--save", ""]
        leftover = await asyncio.create_subprocess_exec(
            find_binary(), *options, stdout=asyncio.subprocess.DEVNULL, pass_fds=(lock.fileno(),)
        )
    try:
        await until(path.exists)
        async with redis.asyncio.Redis(unix_socket_path=str(path)) as client:
            await client.set("key", "value")
        async with Engine(tmp_path) as engine:
            assert await leftover.wait() == 0
            assert await wait_for(engine, "key") == b"value"
    finally:
        if leftover.returncode is None:
            leftover.kill()
            await leftover.wait()


async def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match="file"):
        async with Engine(tmp_path / "file"):
            pass


async def test_an_engine_that_cannot_start_points_to_its_log(tmp_path: Path) -> None:
    async with Engine(tmp_path):
        pass
    (files,) = (tmp_path / "engine" / "appendonlydir").glob("*.manifest")
    files.write_text("this is no manifest\n")
    with pytest.raises(EngineError, match=r"engine\.log") as refusal:
        async with Engine(tmp_path):
            pass
    named = str(refusal.value).rpartition(" ")[2]
    log = tmp_path / "engine" / "engine.log"
    assert (named, "manifest" in log.read_text()) == (str(log), True)
