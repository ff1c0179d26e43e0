"""Replay labelled text through the gateway: every row is a barrage of a real client, and every row gets a fate."""

from __future__ import annotations

import asyncio
import csv
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from gateway.demo.client import UNREACHABLE, open_socket
from gateway.demo.seats import TokenFor
from gateway.demo.tally import Fate, Outcome, ReplaySummary, summarise

REPLAY_ROOM = "replay"
"""A room of its own: the live room may be shut, and its owner protected."""

REPLAY_OWNER = "replay-owner"
SOCKETS = 32
"""Connections that speak at the same time."""

ROWS_EACH = 16
"""Rows that one account sends before another one takes over: below the shipped flood limit of 20 in 10 s."""

PATIENCE_S = 15.0


class ReplayError(ValueError):
    """A file that cannot be replayed; the fault is its writer's."""


class Row(msgspec.Struct, frozen=True):
    """One labelled text; ``label`` is "-" where the file has none."""

    text: str
    label: str


def read_rows(path: Path) -> list[Row]:
    """The rows of a UTF-8 CSV file with a column ``text`` and perhaps ``label`` (in any case); raises `ReplayError`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, strict=True)
            columns = {name.lower(): name for name in lines.fieldnames or ()}
            if "text" not in columns:
                raise ReplayError(f"{path} has no column named text; it has {', '.join(columns) or 'none'}")
            label = columns.get("label", "")
            rows = [Row(line[columns["text"]] or "", line.get(label) or "-") for line in lines]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReplayError(f"{path} cannot be read as CSV: {error}") from error
    if not rows:
        raise ReplayError(f"{path} has no rows")
    return rows


class _Heard(msgspec.Struct, frozen=True):
    """What a client of the room may hear: a broadcast, the gateway's verdict, the platform's error."""

    type: str
    id: str | None = None
    text: str = ""
    disposition: str = ""
    reason: str = ""


class _Awaited:
    """The messages on their way, by id, until somebody tells their fate. The first word counts."""

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self._sent: dict[str, tuple[str, asyncio.Future[tuple[Fate, str]]]] = {}

    def expect(self, message_id: str, text: str) -> asyncio.Future[tuple[Fate, str]]:
        """The future fate of a message that is about to be sent."""
        future: asyncio.Future[tuple[Fate, str]] = asyncio.get_running_loop().create_future()
        self._sent[message_id] = text, future
        return future

    def observed(self, heard: _Heard) -> None:
        """Somebody else in the room got a message."""
        if heard.type == "barrage" and heard.id in self._sent:
            unchanged = heard.text == self._sent[heard.id][0]
            self._settle(heard.id, Fate.PASSED if unchanged else Fate.MASKED)

    def answered(self, heard: _Heard) -> None:
        """The sender got an answer. A mask is not the end of it: the observer must still get the message."""
        if heard.id not in self._sent:
            return
        if heard.type == "shieldwire.verdict" and heard.disposition != "mask":
            self._settle(heard.id, Fate.NUDGED if heard.disposition == "nudge" else Fate.REFUSED, heard.reason)
        elif heard.type == "error":
            self._settle(heard.id, Fate.REFUSED, "platform")

    def _settle(self, message_id: str, fate: Fate, reason: str = "") -> None:
        _, future = self._sent.pop(message_id)
        if not future.done():
            future.set_result((fate, reason))


async def replay(
    base_url: str,
    rows: Sequence[Row],
    token_for: TokenFor,
    room: str = REPLAY_ROOM,
    sockets: int = SOCKETS,
    rows_each: int = ROWS_EACH,
    patience_s: float = PATIENCE_S,
) -> ReplaySummary:
    """Send ``rows`` as barrages into ``room`` of the gateway at ``base_url``, and count what became of them.

    ``sockets`` clients speak at the same time; each sends one message, learns its fate, then sends the next, and hands
    over to a new account after ``rows_each``. A message has passed when an observer in the room has received it, and
    is lost when it has no fate after ``patience_s`` seconds.
    Raises one of `client.UNREACHABLE` where the gateway cannot be reached at all.
    """
    path = f"/live/{room}/ws"
    run = secrets.token_hex(3)
    clock = asyncio.get_running_loop().time
    awaited, outcomes = _Awaited(patience_s), list[Outcome]()
    observer = await _join(base_url, path, token_for(f"replay-{run}-observer"))
    watching = asyncio.create_task(_listen(observer, awaited.observed))
    turns = _turns(rows, rows_each)

    async def speak() -> None:
        for number, turn in turns:  # shared by all speakers: each takes the next turn
            token = token_for(f"replay-{run}-{number}")
            outcomes.extend(await _take_turn(base_url, path, token, turn, f"{run}-{number}", awaited))

    started = clock()
    try:
        await asyncio.gather(*(speak() for _ in range(sockets)))
    finally:
        await observer.close()
        await watching
    return summarise(outcomes, clock() - started)


def _turns(rows: Sequence[Row], rows_each: int) -> Iterator[tuple[int, Sequence[Row]]]:
    return ((start // rows_each, rows[start : start + rows_each]) for start in range(0, len(rows), rows_each))


async def _join(base_url: str, path: str, token: str) -> ClientConnection:
    """Open a socket and wait until its room answers a ping: from then on it hears everything."""
    socket = await open_socket(base_url, path, token)
    await socket.send('{"type":"ping"}')
    while msgspec.json.decode(await socket.recv(), type=_Heard).type != "pong":
        pass
    return socket


async def _listen(socket: ClientConnection, hear: Callable[[_Heard], None]) -> None:
    with suppress(ConnectionClosed):
        async for received in socket:
            hear(msgspec.json.decode(received, type=_Heard))


async def _take_turn(
    base_url: str, path: str, token: str, rows: Sequence[Row], name: str, awaited: _Awaited
) -> list[Outcome]:
    """Send ``rows`` one after the other as one account."""
    try:
        socket = await open_socket(base_url, path, token)
    except UNREACHABLE:
        return [Outcome(row.label, Fate.LOST, 0.0) for row in rows]
    listening = asyncio.create_task(_listen(socket, awaited.answered))
    try:
        return [await _send(socket, f"{name}-{n}", row, awaited) for n, row in enumerate(rows)]
    finally:
        await socket.close()
        await listening


async def _send(socket: ClientConnection, message_id: str, row: Row, awaited: _Awaited) -> Outcome:
    clock = asyncio.get_running_loop().time
    frame = msgspec.json.encode({"type": "barrage", "id": message_id, "text": row.text, "at": []})
    fate_of_it = awaited.expect(message_id, row.text)
    started = clock()
    try:
        async with asyncio.timeout(awaited.patience_s):
            await socket.send(frame.decode())
            fate, reason = await fate_of_it
    except (ConnectionClosed, TimeoutError):
        fate, reason = Fate.LOST, ""
    return Outcome(row.label, fate, clock() - started, reason)
