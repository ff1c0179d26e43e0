"""Real servers as an operator would run them: alone, behind Sentinels, as a Cluster, behind TLS."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import os
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import redis.asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.exceptions import RedisError

from gateway.demo.ports import free_port
from gateway.state.supervisor import find_binary
from tests.gateway.state.waiting import eventually

SLOTS = 16384
SERVICE = "chat"


class Process:
    """A server on a port of its own; its files outlive it."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.folder = folder
        self._options = options
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        """Run it, on the files that it left."""
        options = {
            "port": str(self.port), "bind": "127.0.0.1", "dir": str(self.folder), "logfile": str(self.folder / "log"),
            "appendonly": "yes", "appendfsync": "always", "save": "", "loglevel": "warning",
            "repl-diskless-sync-delay": "0",
        }  # fmt: skip
        written = (part for name, value in options.items() for part in (f"--{name}", value))
        command = [find_binary(), *self._options, *written]
        self.process = subprocess.Popen(command)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """SIGKILL, and gone."""
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """Stopped in mid-air, as by a machine that swaps."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    async def __aenter__(self) -> Process:
        await self.serving()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()

    async def serving(self) -> None:
        """Wait until it answers."""

        async def answers() -> bool:
            with contextlib.suppress(RedisError, OSError):
                return bool(await self.call("PING"))
            return False

        await eventually(answers)

    async def call(self, *command: Any) -> Any:
        """One command, on a connection of its own."""
        async with redis.asyncio.Redis(port=self.port) as client:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]


@contextlib.asynccontextmanager
async def behind_sentinel(folder: Path) -> AsyncIterator[tuple[str, Process, Process]]:
    """A primary, its replica and a Sentinel; the URL, the primary, the replica."""
    async with contextlib.AsyncExitStack() as stack:
        primary = await stack.enter_async_context(Process(folder / "primary"))
        replica = await stack.enter_async_context(
            Process(folder / "replica", "--replicaof", f"127.0.0.1 {primary.port}")
        )

        async def in_sync() -> bool:
            return "online" in str(await primary.call("INFO", "replication"))

        await eventually(in_sync)
        configuration = folder / "sentinel.conf"
        port = free_port()
        configuration.write_text(
            f"port {port}\nsentinel monitor {SERVICE} 127.0.0.1 {primary.port} 1\n"
            f"sentinel down-after-milliseconds {SERVICE} 300\nsentinel failover-timeout {SERVICE} 2000\n"
            f"dir {folder}\nlogfile {folder}/sentinel.log\n"
        )
        sentinel = await asyncio.create_subprocess_exec(find_binary(), str(configuration), "--sentinel")
        stack.push_async_callback(sentinel.wait)
        stack.callback(sentinel.kill)

        async def sees_replica() -> bool:
            with contextlib.suppress(RedisError, OSError):
                async with redis.asyncio.Redis(port=port) as client:
                    await client.execute_command("SENTINEL", "DEBUG", "INFO-PERIOD", "100")  # type: ignore[no-untyped-call]
                    flat = await client.execute_command("SENTINEL", "REPLICAS", SERVICE)  # type: ignore[no-untyped-call]
                    return "master-link-status', 'ok'" in str(flat).replace("b'", "'") or "'ok'" in str(flat)
            return False

        await eventually(sees_replica)
        yield f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{port}/{SERVICE}", primary, replica


@contextlib.asynccontextmanager
async def cluster(folder: Path, masters: int = 3) -> AsyncIterator[tuple[str, list[Process]]]:
    """A Cluster without replicas; its URL and its members."""
    async with contextlib.AsyncExitStack() as stack:
        members = [
            await stack.enter_async_context(
                Process(
                    folder / f"member-{number}", "--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
                    "--cluster-require-full-coverage", "no", "--cluster-port", str(free_port()),
                )
            )
            for number in range(masters)
        ]  # fmt: skip
        bounds = [SLOTS * number // masters for number in range(masters + 1)]
        for number, member in enumerate(members):
            await member.call("CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
            await member.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for member in members[1:]:
            bus = member._options[member._options.index("--cluster-port") + 1]
            await members[0].call("CLUSTER", "MEET", "127.0.0.1", member.port, bus)

        async def agreed() -> bool:
            return all(
                [
                    len(await member.call("CLUSTER", "SLOTS")) == masters
                    and "cluster_state:ok" in str(await member.call("CLUSTER", "INFO"))
                    for member in members
                ]
            )

        await eventually(agreed)
        yield f"redis+cluster://127.0.0.1:{members[0].port},127.0.0.1:{members[1].port}", members


class Detour:
    """A way to a server through this process, which can delay what it answers, and lead to another server.

    As a virtual address before a primary and its replica does, or a bad network. With a TLS context it ends TLS, as a
    managed service does; the server of the wheel is built without.
    """

    def __init__(self, server: Process, tls: ssl.SSLContext | None = None) -> None:
        self.server = server
        self.delay_s = 0.0
        self.port = 0
        self._tls = tls
        self._listening: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Detour:
        self._listening = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listening is not None
        self._listening.close()
        await self.cut()

    async def cut(self) -> None:
        """Cut all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        except OSError:
            writer.close()
            return
        for ends in ((reader, up_writer, False), (up_reader, writer, True)):
            self._tasks.add(asyncio.ensure_future(self._carry(*ends)))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    if answers and self.delay_s:
                        await asyncio.sleep(self.delay_s)
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()


def tls_context(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for 127.0.0.1, and the file of the authority to trust."""
    authority, certificate = _certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context, authority


def _certificates(folder: Path) -> tuple[Path, Path]:
    """An authority, and a certificate (with its key) that it has signed for 127.0.0.1."""
    now = datetime.datetime.now(datetime.UTC)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def build(name: str, public_key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(extension, critical=False)
            .sign(authority_key, hashes.SHA256())
        )

    authority = build("authority", authority_key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = build("server", key.public_key(), address)
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(certificate.public_bytes(pem) + private)
    return folder / "authority.pem", folder / "server.pem"
