"""The two ends of the network benches, in this process: clients that chat, and an upstream that answers each message.

All messages of a run have one length in bytes (their JSON ends with blanks), and so have all answers. So both ends only
count bytes, and cost next to nothing beside what stands between them.
"""

from __future__ import annotations

import asyncio
import gc
import random
import resource
import time
from collections.abc import Coroutine, Sequence
from functools import cache
from typing import cast

from bench import corpus, reads
from bench.report import BenchError
from gateway.wire.frames import Opcode, write_frame
from protection.events import Event, Kind
from protection.rules import Rules
from protection.snapshot import Snapshot
from protection.verdicts import Disposition

PAYLOAD = 176
"""Bytes of a message: 150, and blanks up to the longest."""
FRAME = 2 + 2 + 4 + PAYLOAD
ANSWER = write_frame(Opcode.TEXT, b"{" + b" " * 148 + b"}")

Metrics = dict[str, float | None]

_ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
_PATIENCE_S = 60.0
_DRAWN = 15_000


@cache
def frames() -> Sequence[bytes]:
    """Some 11,000 distinct messages of distinct masks, in all of which the gateway finds nothing."""
    rules, calm = Rules.shipped(), Snapshot(now=0.0)
    draw = random.Random("masks")  # noqa: S311 - no secret
    found = []
    for number, message in enumerate(corpus.messages(_DRAWN, lengths=(24, 30))):
        content = reads.payload(number, message)
        event = Event(Kind.BARRAGE, message.account, message.text)
        verdict = rules.judge(event, calm)
        if len(content) <= PAYLOAD and verdict.disposition is Disposition.ALLOW and not verdict.support:
            found.append(write_frame(Opcode.TEXT, content.ljust(PAYLOAD), draw.randbytes(4)))
    return found


def run(bench: Coroutine[object, object, Metrics]) -> Metrics:
    """Run a bench on a loop of its own, with as many open files as this process and those that it starts may have.

    Without the garbage collector, which would stop the clock at either end for milliseconds.
    """
    import uvloop

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    frames()
    gc.disable()
    try:
        return uvloop.run(bench)
    finally:
        gc.enable()


class Upstream:
    """Answers every message on every socket."""

    def __init__(self) -> None:
        self.sockets: list[_Answering] = []
        self.port = 0

    async def __aenter__(self) -> Upstream:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Answering(self.sockets), "127.0.0.1", 0, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for each in self.sockets:
            each.transport.abort()


class _Answering(asyncio.Protocol):
    """The upstream's end of one socket."""

    def __init__(self, sockets: list[_Answering]) -> None:
        self._sockets = sockets
        self._unread = 0
        self._open = False
        self._head = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self._sockets:
            self._sockets.remove(self)

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._accept(data)
            return
        count, self._unread = divmod(self._unread + len(data), FRAME)
        if count:
            self.transport.write(ANSWER * count)

    def _accept(self, data: bytes) -> None:
        from websockets.utils import accept_key

        self._head += data
        if b"\r\n\r\n" not in self._head:
            return
        lines = self._head.decode("latin-1").split("\r\n")
        key = next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("sec-websocket-key:"))
        self.transport.write(_ACCEPTED + accept_key(key).encode() + b"\r\n\r\n")
        self._open = True
        self._sockets.append(self)


class Client(asyncio.Protocol):
    """A client's end of one socket: sends batches of messages, and the next when the last is answered."""

    def __init__(self, port: int, number: int) -> None:
        self._handshake = (
            f"GET /ws?user=account-{number:06} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        self._head: bytes | None = b""
        self._batches: Sequence[bytes] = ()
        self._next = number
        self._left = 0
        self._missing = 0
        self._sent_at = 0.0
        self.transport: asyncio.Transport
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[None] | None = None
        self.round_trips: list[float] | None = None
        """Where to note seconds, if anybody wants to know."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._handshake)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whoever waits for something."""
        lost = BenchError("a proxy closed a connection in the middle of a bench")
        for waited in (self.open, self.done):
            if waited is not None and not waited.done():
                waited.set_exception(lost)

    def data_received(self, data: bytes) -> None:
        """Count down what is missing."""
        if self._head is not None:
            self._head += data
            head, separator, data = self._head.partition(b"\r\n\r\n")
            if not separator:
                return
            self._head = None
            if b" 101 " in head.partition(b"\r\n")[0]:
                self.open.set_result(None)
            else:
                self.open.set_exception(BenchError(f"a proxy refused: {head[:100]!r}"))
        self._missing -= len(data)
        if self._missing == 0 and self.done is not None and not self.done.done():
            if self.round_trips is not None:
                self.round_trips.append(time.perf_counter() - self._sent_at)
            self._send()

    def begin(self, batches: Sequence[bytes], count: int) -> asyncio.Future[None]:
        """Send so many batches, one after the other; done with the last answer."""
        self._batches, self._left = batches, count
        self.done = asyncio.get_running_loop().create_future()
        self._send()
        return self.done

    def expect(self, answers: int) -> asyncio.Future[None]:
        """Wait for so many answers that nobody asked for."""
        self._left, self._missing = 0, answers * len(ANSWER)
        self.done = asyncio.get_running_loop().create_future()
        return self.done

    def _send(self) -> None:
        assert self.done is not None
        if not self._left:
            self.done.set_result(None)
            return
        self._left -= 1
        self._next += 1
        batch = self._batches[self._next % len(self._batches)]
        self._missing += len(batch) // FRAME * len(ANSWER)
        self._sent_at = time.perf_counter()
        self.transport.write(batch)


async def connected(port: int, count: int) -> list[Client]:
    """So many clients behind one port, a hundred at a time."""
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for first in range(0, count, 100):
        numbers = range(first, min(first + 100, count))
        pairs = await asyncio.gather(
            *(loop.create_connection(lambda n=number: Client(port, n), "127.0.0.1", port) for number in numbers)  # type: ignore[misc]
        )
        some: list[Client] = [client for _, client in pairs]
        await finished([client.open for client in some])
        clients += some
    return clients


async def finished(futures: Sequence[asyncio.Future[None]]) -> None:
    """Wait for all of them. Raises ``BenchError`` where some never come."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.gather(*futures)
    except TimeoutError as error:
        raise BenchError("a proxy lost messages, or answered some itself") from error


def batches(depth: int) -> list[bytes]:
    """All messages in batches of so many."""
    all_frames = frames()
    return [b"".join(all_frames[at : at + depth]) for at in range(0, len(all_frames) - depth + 1, depth)]


def close(clients: Sequence[Client]) -> None:
    """Cut the sockets."""
    for client in clients:
        client.transport.abort()
