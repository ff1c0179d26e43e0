"""The demo as a process, started and stopped as a person at a terminal does."""

from __future__ import annotations

import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from gateway.demo.ports import free_port

START_S = 90.0
STOP_S = 40.0
ANNOUNCED = "Shieldwire demo: "


class Demo:
    """A running demo: its address, and what it has printed."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        command = [sys.executable, "-m", "gateway.cli", "demo", "--port", str(free_port()), "--data-dir", str(data_dir)]
        self.data_dir = data_dir
        # A process group of its own, which Ctrl-C reaches as a terminal's does.
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self._printed: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._printed.put(line)
        self._printed.put("")

    def line(self) -> str:
        """The next line on standard output; "" at its end."""
        return self._printed.get(timeout=START_S)

    def ready(self) -> str:
        """Wait for the address; like ``http://127.0.0.1:8080``."""
        line = self.line()
        assert line.startswith(ANNOUNCED), line or self.errors()
        return line.removeprefix(ANNOUNCED).strip().rstrip("/")

    def errors(self) -> str:
        """Standard error of a demo that has ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def interrupt(self) -> int:
        """Press Ctrl-C; returns the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@contextmanager
def demo(data_dir: Path) -> Iterator[tuple[Demo, str]]:
    """A demo that is ready, and its address."""
    with Demo(data_dir) as running:
        yield running, running.ready()


def processes_of(data_dir: Path) -> dict[int, str]:
    """All living processes that were started with this data directory: their command lines by process id."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # gone meanwhile
            continue
        if str(data_dir) in command:
            found[int(entry.name)] = command
    return found


def ended(pid: int, within_s: float = STOP_S) -> bool:
    """Wait for the end of any process, child or not."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], within_s)[0])
    finally:
        os.close(descriptor)


def unfinished_files(data_dir: Path) -> list[str]:
    """Files that a clean end does not leave: half-written ones, an unmerged log of the archive, sockets."""
    endings = (".new", "-wal", "-shm", "-journal", ".sock", ".pid")
    return [str(path) for path in data_dir.rglob("*") if path.name.endswith(endings)]
