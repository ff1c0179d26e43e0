"""What stands between client and upstream in the network benches: this gateway in either lane, and nginx.

Each is a process of its own on loopback, ended by its id. What it costs is read from ``/proc``, its children included.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.report import BenchError
from gateway.demo.ports import free_port

START_S = 120.0
"""How long a gateway may take to be ready: the first one of a machine compiles its kernels."""

_GATEWAY = """
[server]
port = {port}
lane = "{lane}"
[state]
data_dir = "{folder}/data"
[identity]
source = "query"
name = "user"
[policy.limits]
flood = "10000000/60s"
sender_flood = "10000000/60s"
[[route]]
path = "/ws"
upstream = "ws://127.0.0.1:{upstream}/ws"
codec = "json"
kind = "barrage"
[route.match]
type = "barrage"
[route.fields]
id = "id"
text = "text"
sender = "user"
target = "@room.owner"
room = "room"
mentions = "at"
"""

_NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_read_timeout 1h;
        }}
    }}
}}
"""


class Process:
    """A process that listens on a port, with all that it has started."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._pid = pid

    def cpu_s(self) -> float:
        """Seconds of CPU that it has used so far."""
        return sum(_cpu_s(pid) for pid in _tree(self._pid))

    def rss_kib(self) -> float:
        """Its resident memory."""
        return sum(_rss_kib(pid) for pid in _tree(self._pid))


@contextlib.contextmanager
def gateway(upstream: int, lane: str) -> Iterator[Process]:
    """This gateway with everything on: identity, limits, the whole text verdict. Raises ``BenchError``."""
    with tempfile.TemporaryDirectory(prefix="shieldwire-bench-") as folder:
        port, config = free_port(), Path(folder) / "shieldwire.toml"
        config.write_text(_GATEWAY.format(port=port, lane=lane, folder=folder, upstream=upstream), encoding="utf-8")
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(config)]
        with _running(command, Path(folder) / "log") as process:
            _await_answer(process, f"http://127.0.0.1:{port}/shieldwire/readyz", Path(folder) / "log")
            yield Process(port, process.pid)


@contextlib.contextmanager
def nginx(upstream: int) -> Iterator[Process | None]:
    """Nginx as a plain WebSocket proxy with one worker; None where it is not installed."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        sys.stderr.write("shieldwire: nginx is not installed: what is compared with it is not measured\n")
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="shieldwire-bench-") as folder:
        port, config = free_port(), Path(folder) / "nginx.conf"
        config.write_text(_NGINX.format(port=port, folder=folder, upstream=upstream), encoding="utf-8")
        with _running([program, "-p", folder, "-c", str(config)], Path(folder) / "log") as process:
            _await_port(process, port, Path(folder) / "log")
            yield Process(port, process.pid)


@contextlib.contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603 - ours, and nginx
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_answer(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    def answers() -> bool:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)

    _await(process, answers, log)


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import socket

    def listens() -> bool:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True

    _await(process, listens, log)


def _await(process: subprocess.Popen[bytes], condition: object, log: Path) -> None:
    assert callable(condition)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            if condition():
                return
        time.sleep(0.05)
    raise BenchError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _tree(pid: int) -> set[int]:
    found = {pid}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found |= _tree(child)
    return found


def _cpu_s(pid: int) -> float:
    """By the scheduler's own count of nanoseconds, where the kernel keeps one; else in ticks."""
    try:
        return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
    except (OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_kib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError as error:
        raise BenchError("memory is read from /proc, which only Linux has") from error
    return float(next((line.split()[1] for line in lines if line.startswith("VmRSS")), "0"))


async def settled(process: Process, quiet_s: float = 0.3) -> None:
    """Wait until a process has nothing left to do."""
    before = process.cpu_s()
    while True:
        await asyncio.sleep(quiet_s)
        now = process.cpu_s()
        if now - before < quiet_s / 20:
            return
        before = now
