"""Start the demo, the platform here and the gateway as a child; leave nothing running and nothing half-done.

This process holds the platform and the crowd. Its only child is the gateway, in a session of its own: Ctrl-C in a
terminal reaches this process alone, which then stops everything in order. Killed outright, it takes the gateway with
it (`tether`), and the gateway its embedded store.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from gateway.demo import config, seats
from gateway.demo.archive import Archive
from gateway.demo.client import UNREACHABLE, HttpClient
from gateway.demo.crowd import Crowd, Tally, perform
from gateway.demo.plans import Lines, quiet_evening
from gateway.demo.platform import Platform
from gateway.demo.ports import free_port
from gateway.demo.replay import REPLAY_OWNER, REPLAY_ROOM, ReplayError, Row, read_rows, replay
from gateway.demo.server import served
from gateway.private_file import write_private

START_S = 90.0
"""How long the gateway may take until it is ready: a first start compiles its kernels."""

STOP_S = 15.0
"""How long it may take to stop before it is killed."""

LOG_TAIL = 1500
CONTROL = "/shieldwire/v1"


class DemoError(Exception):
    """The demo cannot start or go on; the message tells the operator why."""


def main(host: str, port: int, data_dir: Path, replay: Path | None) -> int:
    """Run the demo at ``host``:``port`` (0: any free port) until it is interrupted, or until ``replay`` is done.

    Everything that is kept lies in ``data_dir``. Returns the exit status: 1 where something failed or got lost.
    """
    try:
        rows = read_rows(replay) if replay is not None else []
        data_dir = data_dir.resolve()
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _only_demo_in(data_dir):
            return asyncio.run(_until_stopped(_demo(host, port or free_port(host), data_dir, rows)))
    except (DemoError, ReplayError, OSError) as error:
        sys.stderr.write(f"shieldwire demo: {error}\n")
        return 1


@contextmanager
def _only_demo_in(data_dir: Path) -> Iterator[None]:
    """Hold ``data_dir`` for this process; the lock ends with the process, whatever ends it."""
    descriptor = os.open(data_dir, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DemoError(f"another demo is running on {data_dir}") from error
    finally:
        os.close(descriptor)


async def _until_stopped(demo: Coroutine[Any, Any, int]) -> int:
    """Run ``demo`` until it ends, or until the first SIGINT, SIGTERM or SIGHUP; later ones change nothing."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    running, stopped = asyncio.create_task(demo), asyncio.create_task(stopping.wait())
    await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    running.cancel()
    try:
        return await running
    except asyncio.CancelledError:
        return 0


async def _demo(host: str, port: int, data_dir: Path, rows: Sequence[Row]) -> int:
    secret = config.secret_of(data_dir)
    token_for = partial(seats.issue, secret)
    base_url = f"http://{_reachable(host)}:{port}"
    lines = Lines.shipped()
    crowd = Crowd(base_url, token_for, lines)
    async with AsyncExitStack() as stack:  # leaves in the opposite order: crowd, gateway, platform, archive
        archive = stack.enter_context(Archive(data_dir / config.PLATFORM_DB))
        platform = Platform(archive, secret, crowd).application()
        address = await stack.enter_async_context(served(platform))
        toml = config.gateway_toml(host, port, address, data_dir, secret)
        write_private(data_dir / config.GATEWAY_TOML, toml)
        gateway = await stack.enter_async_context(_gateway(data_dir))
        stack.push_async_callback(crowd.stop)
        async with HttpClient(base_url) as http:
            await _ready(http, gateway, data_dir)
            await _introduce(http, seats.issue(secret, "platform", "platform"))
        _say(f"Shieldwire demo: {base_url}/")
        if rows:
            summary = await replay(base_url, rows, token_for)
            _say(summary.table())
            return 1 if summary.lost else 0
        await stack.enter_async_context(
            _background(perform(quiet_evening(lines), base_url, token_for, Tally(), "audience"))
        )
        await gateway.wait()
        raise DemoError(f"the gateway has stopped:\n{_log_tail(data_dir)}")


@asynccontextmanager
async def _gateway(data_dir: Path) -> AsyncIterator[Process]:
    """The gateway as a child that does not outlive this process; its log goes to a file."""
    serve = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(data_dir / config.GATEWAY_TOML)]
    tethered = [sys.executable, "-m", "gateway.demo.tether", str(os.getpid()), *serve]
    with (data_dir / config.GATEWAY_LOG).open("wb") as log:
        gateway = await asyncio.create_subprocess_exec(
            *tethered, stdin=DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield gateway
    finally:
        await _stop(gateway)


async def _stop(gateway: Process) -> None:
    if gateway.returncode is not None:
        return
    gateway.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await gateway.wait()
    except TimeoutError:
        os.killpg(gateway.pid, signal.SIGKILL)  # its session is its own: workers and store go with it
        await gateway.wait()


async def _ready(http: HttpClient, gateway: Process, data_dir: Path) -> None:
    """Wait until the gateway takes traffic; raises `DemoError` when it ends or takes too long."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + START_S
    while clock() < deadline:
        if gateway.returncode is not None:
            raise DemoError(f"the gateway did not start:\n{_log_tail(data_dir)}")
        try:
            if (await http.request("GET", "/shieldwire/readyz")).status == 200:
                return
        except UNREACHABLE:
            pass  # not listening yet
        await asyncio.sleep(0.05)
    raise DemoError(f"the gateway was not ready after {START_S:.0f} s:\n{_log_tail(data_dir)}")


async def _introduce(http: HttpClient, token: str) -> None:
    """Tell the gateway what the platform knows: who owns the rooms, and whom the streamer trusts."""
    facts: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", f"rooms/{seats.ROOM}", {"owner": seats.OWNER}),
        ("PUT", f"rooms/{REPLAY_ROOM}", {"owner": REPLAY_OWNER}),
        ("POST", f"users/{seats.OWNER}/circle", {"add": seats.FRIENDS}),
    ]
    for method, path, body in facts:
        answer = await http.request(method, f"{CONTROL}/{path}", token, body)
        if answer.status >= 300:
            raise DemoError(f"{method} {path} was answered {answer.status}: {answer.body.decode(errors='replace')}")


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _reachable(host: str) -> str:
    """The address at which this machine reaches a server that listens on ``host``."""
    address = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only
    return f"[{address}]" if ":" in address else address


def _log_tail(data_dir: Path) -> str:
    path = data_dir / config.GATEWAY_LOG
    return f"{path.read_text(errors='replace')[-LOG_TAIL:].strip()}\n(the whole log is in {path})"


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()  # whoever reads a pipe waits for this line
