"""The two lanes beside each other, and what only the fast one can do: bytes that pass as they came."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.utils import accept_key

from bench import corpus
from gateway.demo.ports import free_port
from gateway.wire.frames import Close, Frame, Opcode, read_close, read_frame, write_close, write_frame
from tests.doubles import Gateway, Platform, configuration, serving, until
from tests.integration.test_websocket import barrage

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMITS = '[policy.limits]\nflood = "100000/10s"\nsender_flood = "100000/10s"'
LAST = '{"type":"last"}'
MASK = b"\x01\x02\x03\x04"
MIB = 1 << 20


def corpus_of_frames() -> list[str | bytes | list[str]]:
    """Ordinary messages, planted terms, odd payloads, and one in fragments."""
    frames: list[str | bytes | list[str]] = [
        barrage(message.text, number, to=("" if number % 7 else "somebody"))
        for number, message in enumerate(corpus.messages(420))
    ]
    odd: list[str | bytes | list[str]] = [
        barrage("你好蠢", "nudge"),
        barrage("我真的不想活了", "cry"),
        barrage("傻", "piece"),
        barrage("逼", "piece 2"),
        barrage("666", "short"),
        barrage("my number is 13812345678, call me", "private"),
        barrage("everybody look at this one please", "mention", at=["victim"]),
        '{"type":"ping","n":1}',
        '{"type":"barrage","id":"7","text":"ok","text":"abuse"}',
        '{"type":"barrage","id":"7"}',
        '{"type":"barrage","id":"7","text":["no"]}',
        '{"TYPE":"barrage","id":"7","text":"ok"}',
        '{"type":"barrage","id":8,"text":"spaced \\u0041 and \\u50bb\\u903c", "big":12345678901234567890}',
        "{not json",
        "[]",
        "",
        b'{"type":"barrage","text":"binary"}',
        barrage("x" * 70_000, "long"),
        json.dumps({"type": "join", "pad": "x" * 60_000}),
        [barrage("fragmented but fine, all of it", "f")[:20], barrage("fragmented but fine, all of it", "f")[20:]],
    ]
    for number, each in enumerate(odd):
        frames.insert(20 * number, each)
    return frames


async def fates(gateway: Gateway, platform: Platform) -> tuple[list[str | bytes], list[dict[str, Any]]]:
    """What the platform sees of the corpus, and what the sender is told."""
    seen_before = len(platform.seen)
    told: list[dict[str, Any]] = []
    async with connect(gateway.ws(user="sender"), max_size=None) as sender:
        for frame in corpus_of_frames():
            await sender.send(frame)
        await sender.send(LAST)
        async with asyncio.timeout(30):
            while (message := await sender.recv()) != LAST:
                if '"shieldwire.' in str(message):
                    decoded = json.loads(message)
                    decoded.pop("token", None)
                    told.append(decoded)
    return platform.seen[seen_before:], told


@pytest.mark.req("S1", "S3", "S5", "P4", "D1")
async def test_both_lanes_give_the_same_verdicts_and_the_same_bytes(platform: Platform, tmp_path: Path) -> None:
    found = []
    for lane in ("fast", "portable"):
        port = free_port()
        text = configuration(platform, tmp_path / lane / "data", port, LIMITS, lane=lane)
        with serving(text, tmp_path / lane, port) as gateway:
            await gateway.ready()
            found.append(await fates(gateway, platform))
    (fast_seen, fast_told), (portable_seen, portable_told) = found
    assert fast_told == portable_told
    assert fast_seen == portable_seen
    assert len(fast_told) > 30
    assert len(fast_seen) > 250


class RawUpstream:
    """An upstream that upgrades and then shows every byte it gets."""

    def __init__(self) -> None:
        self.connections: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.lower().split("\r\n"), head.split("\r\n")
        key = next(line.split(": ")[1] for low, line in zip(*lines, strict=True) if low.startswith("sec-websocket-key"))
        self.asked.set()
        await self.open.wait()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )
        self.connections.put_nowait((reader, writer))


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Fast:
    """A gateway in the fast lane before a `RawUpstream`."""

    def __init__(self, gateway: Gateway, upstream: RawUpstream) -> None:
        self.gateway = gateway
        self.upstream = upstream

    @contextlib.asynccontextmanager
    async def sockets(self, path: str = "/ws?user=a") -> AsyncIterator[tuple[Streams, Streams]]:
        """A client's raw socket behind its handshake, and the upstream's side of it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gateway.port)
        writer.write(self.handshake(path))
        upstream = await asyncio.wait_for(self.upstream.connections.get(), 10)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        try:
            yield (reader, writer), upstream
        finally:
            for each in (writer, upstream[1]):
                each.transport.abort()
                with contextlib.suppress(ConnectionError):
                    await each.wait_closed()

    def handshake(self, path: str) -> bytes:
        return (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def fast(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fast]:
    upstream = RawUpstream()
    server = await asyncio.start_server(upstream.accept, "127.0.0.1", 0)
    address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    folder, port = tmp_path_factory.mktemp("fast"), free_port()
    text = configuration(platform, folder / "data", port, LIMITS, lane="fast", max_frame=2 * MIB)
    with serving(text.replace(f"ws://127.0.0.1:{platform.ws_port}", address), folder, port) as gateway:
        await gateway.ready()
        yield Fast(gateway, upstream)
    server.close()
    await server.wait_closed()


async def next_frame(reader: asyncio.StreamReader, masked: bool) -> Frame:
    data = b""
    async with asyncio.timeout(5):
        while (found := read_frame(data, 0, 1 << 30, masked)) is None:
            data += await reader.readexactly(1)
    return found[0]


def said(text: str, number: int = 1) -> bytes:
    return write_frame(Opcode.TEXT, barrage(text, number).encode(), MASK)


async def test_clean_frames_pass_with_the_clients_own_mask_in_whatever_pieces(fast: Fast) -> None:
    long = "主播今天唱的这首歌我已经听了一整天还是觉得不够"
    stream = b"".join(said(f"{long}，第{number}遍", number) for number in range(40))
    async with fast.sockets() as ((_, client), (upstream, _writer)):
        for start in range(0, len(stream), 97):
            client.write(stream[start : start + 97])
            await client.drain()
            await asyncio.sleep(0)
        assert await asyncio.wait_for(upstream.readexactly(len(stream)), 5) == stream


async def test_pings_and_pongs_travel_from_end_to_end(fast: Fast) -> None:
    async with fast.sockets() as ((client, client_writer), (upstream, upstream_writer)):
        ping = write_frame(Opcode.PING, b"from the client", MASK)
        client_writer.write(ping)
        assert await asyncio.wait_for(upstream.readexactly(len(ping)), 5) == ping
        for opcode in (Opcode.PONG, Opcode.PING):
            frame = write_frame(opcode, b"from the platform")
            upstream_writer.write(frame)
            assert await asyncio.wait_for(client.readexactly(len(frame)), 5) == frame


async def test_a_reply_waits_for_the_end_of_the_platforms_message(fast: Fast) -> None:
    async with fast.sockets() as ((client, client_writer), (_, upstream_writer)):
        first, last = b"\x01\x05hello", b"\x80\x06 world"  # two fragments of one text message
        upstream_writer.write(first + last[:4])
        assert await asyncio.wait_for(client.readexactly(len(first) + 4), 5) == first + last[:4]
        client_writer.write(said("你这个贱人怎么还不去死"))
        upstream_writer.write(last[4:])
        assert await asyncio.wait_for(client.readexactly(4), 5) == last[4:]
        assert json.loads((await next_frame(client, masked=False)).payload)["disposition"] == "reject"


@pytest.mark.parametrize("close", [Close(4321, "as you wish"), Close(1000), Close(1005)])
async def test_close_frames_and_their_answers_pass_both_ways(fast: Fast, close: Close) -> None:
    async with fast.sockets() as ((client, client_writer), (upstream, upstream_writer)):
        upstream_writer.write(write_close(close))
        assert read_close((await next_frame(client, masked=False)).payload) == close
        client_writer.write(write_close(close, MASK))
        assert read_close((await next_frame(upstream, masked=True)).payload) == close
        upstream_writer.close()
        assert await asyncio.wait_for(client.read(), 5) == b""


async def test_nothing_goes_up_unjudged_when_the_client_does_not_answer_the_platforms_close(fast: Fast) -> None:
    abuse = said("你这个贱人怎么还不去死")
    async with fast.sockets() as ((client, client_writer), (upstream, upstream_writer)):
        upstream_writer.write(write_close(Close(1000)))
        ended = asyncio.create_task(client.read())
        while not ended.done():  # it is given some seconds, and then some to close
            client_writer.write(abuse)
            await asyncio.wait({ended}, timeout=0.3)
        assert abuse[-20:] not in await asyncio.wait_for(upstream.read(), 5)


async def test_a_client_that_has_said_all_still_hears_the_answer(fast: Fast) -> None:
    """TCP closes in halves, and so do we."""
    message = said("这首歌的编曲真的太好听了吧，我要再听一遍")
    async with fast.sockets() as ((client, client_writer), (upstream, upstream_writer)):
        client_writer.write(message)
        client_writer.write_eof()
        assert await asyncio.wait_for(upstream.read(), 5) == message
        answer = write_frame(Opcode.TEXT, b"got it")
        upstream_writer.write(answer)
        assert await asyncio.wait_for(client.readexactly(len(answer)), 5) == answer


async def test_a_client_that_is_gone_without_a_word_is_no_close_to_the_platform(fast: Fast) -> None:
    async with fast.sockets() as ((_, client_writer), (upstream, _writer)):
        client_writer.transport.abort()
        assert await asyncio.wait_for(upstream.read(), 5) == b""


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x00", 1002),  # not masked
        (b"\xc1\x80" + MASK, 1002),  # a reserved bit
        (write_frame(Opcode.TEXT, b"\xff", MASK), 1007),
        (b"\x82\xff" + (3 * MIB).to_bytes(8, "big") + MASK, 1009),
        (b"\x80\x80" + MASK, 1002),  # a continuation of nothing
    ],
)
async def test_a_client_that_breaks_the_protocol_is_told_so_and_nothing_of_it_passes(
    fast: Fast, sent: bytes, code: int
) -> None:
    async with fast.sockets() as ((client, client_writer), (upstream, _)):
        client_writer.write(sent)
        assert read_close((await next_frame(client, masked=False)).payload).code == code
        frame = await next_frame(upstream, masked=True)
        assert (frame.opcode, read_close(frame.payload).code) == (Opcode.CLOSE, code)


async def test_what_the_platform_may_not_send_ends_both_sockets(fast: Fast) -> None:
    async with fast.sockets() as ((client, _), (upstream, upstream_writer)):
        upstream_writer.write(b"\x82\x7f" + (3 * MIB).to_bytes(8, "big") + b"begin")
        assert read_close((await next_frame(client, masked=False)).payload).code == 1009
        assert read_close((await next_frame(upstream, masked=True)).payload).code == 1009


async def test_slow_readers_on_either_side_cost_no_memory(fast: Fast) -> None:
    """Each of them is offered 64 MiB; the gateway may keep what a watermark lets it."""
    async with fast.sockets("/raw/x") as ((_, client_writer), (_reader, upstream_writer)):
        before = fast.rss_mb()
        down = [asyncio.create_task(pour(upstream_writer, write_frame(Opcode.BINARY, bytes(MIB))))]
        down.append(asyncio.create_task(pour(client_writer, write_frame(Opcode.BINARY, bytes(MIB), MASK))))
        stalled = await asyncio.wait(down, timeout=1.5)
        assert len(stalled[1]) == 2, "somebody took it all"
        assert fast.rss_mb() - before < 16
        for task in down:
            task.cancel()
        await asyncio.gather(*down, return_exceptions=True)


async def pour(writer: asyncio.StreamWriter, frame: bytes) -> None:
    for _ in range(64):
        writer.write(frame)
        await writer.drain()


async def test_a_client_that_does_not_wait_to_be_accepted_is_served_in_its_order(fast: Fast) -> None:
    message, later = said("这个开场太惊艳了，全场都在尖叫啊"), said("第二首歌的灯光和舞台设计也都很用心", 2)
    fast.upstream.asked.clear()
    fast.upstream.open.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", fast.gateway.port)
    writer.write(fast.handshake("/ws?user=a"))
    await asyncio.wait_for(fast.upstream.asked.wait(), 5)
    writer.write(message)
    fast.upstream.open.set()
    upstream, upstream_writer = await asyncio.wait_for(fast.upstream.connections.get(), 5)
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(later)
    assert await asyncio.wait_for(upstream.readexactly(len(message + later)), 5) == message + later
    for each in (writer, upstream_writer):
        each.close()
        await each.wait_closed()


async def test_an_upstream_that_dies_within_a_frame_takes_the_client_along(fast: Fast) -> None:
    async with fast.sockets() as ((client, _), (_reader, upstream_writer)):
        upstream_writer.write(b"\x82\x7e\x10\x00" + b"half")
        assert await asyncio.wait_for(client.readexactly(8), 5) == b"\x82\x7e\x10\x00half"
        upstream_writer.transport.abort()
        assert await asyncio.wait_for(client.read(), 5) == b""


async def test_a_connection_leaves_nothing_behind(fast: Fast) -> None:
    async with connect(fast.gateway.ws(user="a")) as client:
        reader, writer = await asyncio.wait_for(fast.upstream.connections.get(), 5)
        writer.write(write_close(Close(4000, "bye")))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(client.recv(), 5)
        assert read_close((await next_frame(reader, masked=True)).payload).code == 4000
        writer.close()

    def open_connections() -> bool:
        body = fast.gateway.request("GET", "/shieldwire/metrics")[2].decode()
        return "shieldwire_connections 0.0" in body

    await until(open_connections)
