"""The embedded engine, seen from the gateway: a store that lives exactly as long as the gateway uses it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from urllib.parse import quote

from gateway.state.errors import DataDirInUse, EngineError
from gateway.state.supervisor import START_S, STOP_S

RESPAWN_S = 0.2
"""The pause before a supervisor that has ended is replaced."""

log = logging.getLogger(__name__)


def sync(data_dir: str | Path) -> bool:
    """Put on the disk all that the engine on ``data_dir`` has written to its append-only file; False if that failed.

    Any process may do it: a sync concerns the file, whoever wrote to it.
    """
    files = list((Path(data_dir) / "engine" / "appendonlydir").glob("*.aof"))
    try:
        for file in files:
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    except OSError:
        log.exception("cannot sync the engine's append-only file")
        return False
    return bool(files)


def url_on(data_dir: str | Path) -> str:
    """The URL of the engine that another process runs on ``data_dir``; raises `EngineError` where none ever ran."""
    try:
        path = (Path(data_dir) / "engine" / "engine.lock").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EngineError(f"no gateway has run on the data directory {data_dir}") from error
    return "unix://" + quote(path)


class Engine:
    """A Valkey of our own on ``data_dir``. ``async with Engine(data_dir) as engine: engine.url``.

    The URL works in any process of this machine and this user, and stays the same when the engine has to be
    restarted (which ``starts`` counts). Entering raises `DataDirInUse` or `EngineError`. When this process ends, in
    whichever way, the engine is stopped; see `gateway.state.supervisor`.
    """

    def __init__(self, data_dir: str | Path) -> None:
        self.data_dir = Path(data_dir)
        self.url = ""
        self.pid = 0
        """The process id of the engine, not of its supervisor."""
        self.starts = 0
        self._supervisor: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Engine:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EngineError(f"cannot use the data directory {self.data_dir}: {error.strerror}") from error
        try:
            async with asyncio.timeout(START_S + STOP_S):
                await self._launch()
                if not await self._hear():
                    raise EngineError(f"the supervisor of {self.data_dir} ended before its engine served")
        except BaseException:
            await self._end()
            raise
        self._watch = asyncio.get_running_loop().create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._end()

    async def _launch(self) -> None:
        """Start a supervisor, in a session of its own: Ctrl-C in a terminal is for the gateway, which ends in order."""
        self._supervisor = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.state.supervisor", str(self.data_dir.absolute()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    async def _hear(self) -> bool:
        """Take in the supervisor's next line; False when there will be no more."""
        assert self._supervisor is not None
        assert self._supervisor.stdout is not None
        word, _, rest = (await self._supervisor.stdout.readline()).decode().strip().partition(" ")
        match word:
            case "ready":
                pid, _, path = rest.partition(" ")
                self.pid, self.url = int(pid), "unix://" + quote(path)
                self.starts += 1
            case "in-use":
                raise DataDirInUse(str(self.data_dir), int(rest))
            case "failed":
                raise EngineError(rest)
        return bool(word)

    async def _follow(self) -> None:
        """Hear of restarts of the engine, and replace a supervisor that has ended."""
        while True:
            try:
                while await self._hear():
                    log.warning("embedded engine restarted, process %d", self.pid)
                log.error("the supervisor of the embedded engine ended; starting another")
            except EngineError as error:
                log.error("embedded engine: %s", error)
            await asyncio.sleep(RESPAWN_S)
            await self._launch()

    async def _end(self) -> None:
        """Let the supervisor stop the engine, and see it out."""
        if self._supervisor is None or self._supervisor.returncode is not None:
            return
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.close()
        try:
            await asyncio.wait_for(self._supervisor.wait(), STOP_S + 2)
        except TimeoutError:
            self._supervisor.kill()
            await self._supervisor.wait()
