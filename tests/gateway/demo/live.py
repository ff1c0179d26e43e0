"""A real platform on a loopback port, and clients that speak to it as any client does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection

from gateway.demo import seats
from gateway.demo.archive import Archive
from gateway.demo.client import HttpClient, open_socket
from gateway.demo.crowd import Crowd
from gateway.demo.plans import Lines
from gateway.demo.platform import Platform
from gateway.demo.server import served

SECRET = "x" * 48
DEADLINE_S = 10.0
ROOM_PATH = f"/live/{seats.ROOM}/ws"
COMMENTS_PATH = f"/api/rooms/{seats.ROOM}/comments"
token_for = partial(seats.issue, SECRET)


class Live:
    """The running platform: its address, a client of it, and sockets by account."""

    def __init__(self, base_url: str, http: HttpClient) -> None:
        self.base_url = base_url
        self.http = http

    async def room(self, account: str) -> ClientConnection:
        """A socket in the room that hears everything from now on."""
        socket = await open_socket(self.base_url, ROOM_PATH, token_for(account))
        await heard(socket, type="presence")
        return socket

    async def direct(self, account: str) -> ClientConnection:
        """A socket for the direct messages of ``account``."""
        return await open_socket(self.base_url, "/dm/ws", token_for(account))


@asynccontextmanager
async def live(data_dir: Path) -> AsyncIterator[Live]:
    """Serve a platform whose data lies in ``data_dir``. Its crowd reaches it without a gateway."""
    crowd = CrowdElsewhere()
    with Archive(data_dir / "platform.sqlite3") as archive:
        async with served(Platform(archive, SECRET, crowd).application()) as address:
            crowd.call_at(f"http://{address}")
            async with HttpClient(f"http://{address}") as http:
                yield Live(f"http://{address}", http)
            await crowd.stop()


class CrowdElsewhere(Crowd):
    """A crowd that learns where to go only after its platform is up."""

    def __init__(self) -> None:
        super().__init__("", token_for, Lines.shipped())

    def call_at(self, base_url: str) -> None:
        """Send the crowd to ``base_url``."""
        self._base_url = base_url


async def say(socket: ClientConnection, **frame: Any) -> None:
    """Send a JSON frame."""
    await socket.send(msgspec.json.encode(frame).decode())


async def heard(socket: ClientConnection, **wanted: Any) -> dict[str, Any]:
    """The next frame that has all of these values; frames before it are passed over."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            frame: dict[str, Any] = msgspec.json.decode(await socket.recv())
            if all(frame.get(name) == value for name, value in wanted.items()):
                return frame
