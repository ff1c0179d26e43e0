"""Replaying labelled text: every row gets a fate, and the fates are counted right."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, broadcast, serve

from gateway.demo import seats
from gateway.demo.client import UNREACHABLE
from gateway.demo.replay import ReplayError, Row, read_rows, replay
from gateway.demo.tally import Fate
from tests.gateway.demo.live import SECRET, live, token_for


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("text,label\n你好,0\n", [Row("你好", "0")]),
        ("TEXT,Label,other\nhi,1,x\n", [Row("hi", "1")]),
        ("id,text\n7,hi\n", [Row("hi", "-")]),
        ('\ufefftext,label\n"two\nlines, ""quoted""",1\n', [Row('two\nlines, "quoted"', "1")]),
        ("text,label\n,\n", [Row("", "-")]),
    ],
)
def test_rows_are_read_as_their_writer_meant_them(tmp_path: Path, content: str, rows: list[Row]) -> None:
    assert read_rows(written(tmp_path / "rows.csv", content.encode())) == rows


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"words,label\nhi,1\n", "no column named text; it has words, label"),
        (b"", "no column named text; it has none"),
        (b"text,label\n", "has no rows"),
        (b"text\n\xff\xfe\n", "cannot be read as CSV"),
        (b'text\n"never closed\n', "cannot be read as CSV"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_named_with_the_reason(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = written(tmp_path / "rows.csv", content)
    with pytest.raises(ReplayError, match=complaint) as error:
        read_rows(path)
    assert str(path) in str(error.value)


def test_so_is_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="No such file"):
        read_rows(tmp_path / "missing.csv")


async def test_without_a_gateway_everything_passes_but_what_the_platform_refuses(tmp_path: Path) -> None:
    rows = [Row(f"第 {n} 条", str(n % 2)) for n in range(100)] + [Row("  ", "1")]
    async with live(tmp_path) as platform:
        summary = await replay(platform.base_url, rows, token_for, sockets=8)
    fates = {line.label: {fate: n for fate, n in line.fates.items() if n} for line in summary.lines}
    assert fates == {
        "0": {Fate.PASSED: 50},
        "1": {Fate.PASSED: 50, Fate.REFUSED: 1},
        "all": {Fate.PASSED: 100, Fate.REFUSED: 1},
    }
    assert summary.reasons == {"platform": 1}
    assert 0 < summary.p50_ms <= summary.p99_ms < summary.seconds * 1000


class Judge:
    """A server that does with a message what its text says, and remembers who sent how much."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self._room: set[ServerConnection] = set()

    async def __call__(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        account = seats.read(SECRET, parse_qs(urlsplit(socket.request.path).query)["token"][0]).account
        self._room.add(socket)
        try:
            async for received in socket:
                frame = msgspec.json.decode(received)
                if frame["type"] == "ping":
                    await socket.send('{"type":"pong"}')
                    continue
                self.sent[account] += 1
                await self._carry_out(socket, frame["id"], frame["text"])
        finally:
            self._room.discard(socket)

    async def _carry_out(self, socket: ServerConnection, message_id: str, text: str) -> None:
        verdict = {"type": "shieldwire.verdict", "id": message_id, "disposition": text, "reason": "insult"}
        match text:
            case "pass":
                self._tell_all(message_id, "pass")
            case "mask":
                await socket.send(msgspec.json.encode(verdict).decode())
                self._tell_all(message_id, "****")
            case "nudge" | "reject" | "disconnect":
                await socket.send(msgspec.json.encode(verdict).decode())
            case "hang-up":
                await socket.close(1011)

    def _tell_all(self, message_id: str, text: str) -> None:
        frame = {"type": "barrage", "id": message_id, "user": "somebody", "text": text}
        broadcast(self._room, msgspec.json.encode(frame).decode())


@asynccontextmanager
async def judged() -> AsyncIterator[tuple[str, Judge]]:
    judge = Judge()
    async with serve(judge, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", judge


async def test_each_fate_is_told_from_the_others() -> None:
    texts = {
        "pass": Fate.PASSED,
        "mask": Fate.MASKED,
        "nudge": Fate.NUDGED,
        "reject": Fate.REFUSED,
        "disconnect": Fate.REFUSED,
    }
    rows = [Row(text, text) for text in texts] * 7
    async with judged() as (base_url, _):
        summary = await replay(base_url, rows, token_for, sockets=3, rows_each=4)
    for line in summary.lines[:-1]:
        assert {fate: n for fate, n in line.fates.items() if n} == {texts[line.label]: 7}
    assert summary.reasons == {"insult": 21}
    assert summary.lost == 0


@pytest.mark.parametrize("text", ["swallow", "hang-up"])
async def test_a_message_that_nobody_answers_for_is_lost_and_counted(text: str) -> None:
    rows = [Row("pass", "0"), Row(text, "1"), Row("pass", "0")]
    async with judged() as (base_url, _):
        summary = await replay(base_url, rows, token_for, sockets=1, rows_each=1, patience_s=0.2)
    assert summary.lost == 1
    assert summary.rows == 3
    assert summary.lines[0].fates[Fate.PASSED] == 2


async def test_no_account_sends_more_than_its_share() -> None:
    rows = [Row("pass", "0")] * 50
    async with judged() as (base_url, judge):
        await replay(base_url, rows, token_for, sockets=4, rows_each=6)
    assert judge.sent.total() == 50
    assert max(judge.sent.values()) == 6
    assert len(judge.sent) == 9


async def test_where_nobody_listens_there_is_nothing_to_count(unused_tcp_port: int) -> None:
    with pytest.raises(UNREACHABLE):
        await replay(f"http://127.0.0.1:{unused_tcp_port}", [Row("hi", "0")], token_for)
