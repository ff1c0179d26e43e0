"""The demo's crowd: plans of what strangers say, carried out by real clients of the gateway."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from gateway.demo.client import UNREACHABLE, HttpClient, open_socket
from gateway.demo.plans import Channel, Intensity, Lines, Utterance, pile_on
from gateway.demo.seats import OWNER, ROOM, TokenFor

MOST_SOCKETS = 48
"""Connections that a plan keeps open at a time."""

REFUSALS = (403, 409, 429)
"""How the gateway refuses a post."""


class Tally(msgspec.Struct):
    """What became of what was said: ``failed`` counts what never reached the gateway."""

    sent: int = 0
    delivered: int = 0
    refused: int = 0
    failed: int = 0


class CrowdStatus(msgspec.Struct, frozen=True):
    """The crowd as the pages see it."""

    on: bool
    intensity: Intensity
    tally: Tally


class _FromGateway(msgspec.Struct, frozen=True):
    type: str = ""
    user: str = ""
    disposition: str = ""


class Speakers:
    """The open connections of those who speak: the least recently used one makes room for a new one."""

    def __init__(self, base_url: str, token_for: TokenFor, tally: Tally) -> None:
        self._base_url = base_url
        self._token_for = token_for
        self._tally = tally
        self._http = HttpClient(base_url)
        self._sockets: OrderedDict[tuple[str, str], tuple[ClientConnection, asyncio.Task[None]]] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(
            *(self._close(key) for key in list(self._sockets)), self._http.__aexit__(kind, error, trace)
        )

    async def say(self, utterance: Utterance, message_id: str) -> None:
        """Send one message as its account; whatever stops it is counted, not raised."""
        self._tally.sent += 1
        try:
            if utterance.channel is Channel.COMMENT:
                await self._comment(utterance, message_id)
            else:
                path = "/dm/ws" if utterance.channel is Channel.DM else f"/live/{ROOM}/ws"
                frame = {"type": utterance.channel, "id": message_id, "text": utterance.text, "to": OWNER}
                await self._send(utterance.account, path, msgspec.json.encode(frame).decode())
        except UNREACHABLE:
            self._tally.failed += 1

    async def _comment(self, utterance: Utterance, message_id: str) -> None:
        answer = await self._http.request(
            "POST",
            f"/api/rooms/{ROOM}/comments",
            self._token_for(utterance.account),
            {"id": message_id, "text": utterance.text},
        )
        if answer.status == 201:
            self._tally.delivered += 1
        elif answer.status in REFUSALS:
            self._tally.refused += 1
        else:
            self._tally.failed += 1

    async def _send(self, account: str, path: str, frame: str) -> None:
        key = (account, path)
        if key not in self._sockets:
            if len(self._sockets) >= MOST_SOCKETS:
                await self._close(next(iter(self._sockets)))
            socket = await open_socket(self._base_url, path, self._token_for(account))
            self._sockets[key] = socket, asyncio.create_task(self._listen(account, socket))
        self._sockets.move_to_end(key)
        try:
            await self._sockets[key][0].send(frame)
        except WebSocketException:
            await self._close(key)
            raise

    async def _listen(self, account: str, socket: ClientConnection) -> None:
        """Read all that arrives, so that nothing piles up on the way, and count the fate of what was said."""
        async for received in socket:
            frame = msgspec.json.decode(received, type=_FromGateway)
            if frame.type == "shieldwire.verdict" and frame.disposition != "mask":
                self._tally.refused += 1
            elif frame.user == account and frame.type in (Channel.BARRAGE, Channel.DM):
                self._tally.delivered += 1

    async def _close(self, key: tuple[str, str]) -> None:
        socket, listening = self._sockets.pop(key)
        await socket.close()
        await asyncio.gather(listening, return_exceptions=True)


async def perform(plan: Iterable[Utterance], base_url: str, token_for: TokenFor, tally: Tally, name: str) -> None:
    """Say everything in ``plan`` at its time; ``name`` sets the ids of its messages apart from all others."""
    clock = asyncio.get_running_loop().time
    started = clock()
    async with Speakers(base_url, token_for, tally) as speakers:
        for n, utterance in enumerate(plan):
            await asyncio.sleep(max(0.0, started + utterance.at - clock()))
            await speakers.say(utterance, f"{name}-{n}")


class Crowd:
    """The switch of the pile-on."""

    def __init__(self, base_url: str, token_for: TokenFor, lines: Lines) -> None:
        self._base_url = base_url
        self._token_for = token_for
        self._lines = lines
        self._intensity = Intensity.MEDIUM
        self._tally = Tally()
        self._runs = 0
        self._task: asyncio.Task[None] | None = None
        self._switching = asyncio.Lock()

    async def start(self, intensity: Intensity) -> None:
        """Let the crowd loose, in place of one that is; it stops by itself after `plans.DURATION_S`."""
        async with self._switching:
            await self._call_off()
            self._intensity, self._tally, self._runs = intensity, Tally(), self._runs + 1
            plan, name = pile_on(self._lines, intensity), f"crowd-{self._runs}"
            self._task = asyncio.create_task(perform(plan, self._base_url, self._token_for, self._tally, name))

    async def stop(self) -> None:
        """Call the crowd off; returns when its last connection is closed."""
        async with self._switching:
            await self._call_off()

    async def _call_off(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def status(self) -> CrowdStatus:
        """Whether it is loose, and what became of its messages so far."""
        return CrowdStatus(self._task is not None and not self._task.done(), self._intensity, self._tally)
