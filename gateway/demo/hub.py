"""Fan-out: who listens to which channel, and a bounded outbox for each listener."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.websockets import WebSocket

OUTBOX = 1024
"""Frames that may wait for one listener."""


class Listener:
    """One connected client. Nobody waits for a client that reads too slowly: it misses what its outbox cannot hold."""

    def __init__(self) -> None:
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX)

    def offer(self, frame: str) -> bool:
        """Put a frame into the outbox; False if there was no room for it."""
        try:
            self._outbox.put_nowait(frame)
        except asyncio.QueueFull:
            return False
        return True

    async def pump(self, websocket: WebSocket) -> None:
        """Send what is offered, until cancelled or disconnected."""
        while True:
            await websocket.send_text(await self._outbox.get())


class Hub:
    """Channels (a room, or a person's direct messages) and their listeners."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)

    @contextmanager
    def listening(self, channel: str, listener: Listener) -> Iterator[None]:
        """Let ``listener`` hear ``channel`` for the length of a ``with`` block."""
        self._listeners[channel].add(listener)
        try:
            yield
        finally:
            self._listeners[channel].discard(listener)
            if not self._listeners[channel]:
                del self._listeners[channel]

    def count(self, channel: str) -> int:
        """How many listen to ``channel``."""
        return len(self._listeners.get(channel, ()))

    def publish(self, channel: str, frame: str) -> None:
        """Offer ``frame`` to everybody who listens to ``channel``."""
        for listener in self._listeners.get(channel, ()):
            listener.offer(frame)


@asynccontextmanager
async def connected(hub: Hub, channel: str, websocket: WebSocket) -> AsyncIterator[Listener]:
    """Accept ``websocket`` and send it what ``channel`` carries for the length of an ``async with`` block."""
    await websocket.accept()
    listener = Listener()
    pump = asyncio.create_task(listener.pump(websocket))
    try:
        with hub.listening(channel, listener):
            yield listener
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)  # a socket that is gone is no news here
