"""The fast lane under uvicorn: a ``ws=`` protocol that hands its socket over once the client is accepted.

The handshake goes the way of every other (`gateway.wire.proxy`): one place says who may connect, where to, and what
they are told if not. Then, where the route belongs to this lane, `gateway.wire.relay` takes the socket, uvicorn's
protocol with its queue and task goes, and no ASGI message is made any more.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import Any, Protocol, cast

from starlette.types import Scope
from websockets.http11 import Request

from gateway.routes import Route
from gateway.wire.dialing import Upstream
from gateway.wire.draining import DrainingWebSocket, begin_drain
from gateway.wire.relay import Relay

EXTENSION = "shieldwire.fast_lane"
"""The ASGI extension by which the application finds this lane."""

_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 3}
"""Pings are the platform's; a peer that is gone without a word is found out by TCP."""


class Lane(Protocol):
    """What the application asks of the server's side of a handshake."""

    def decline(self) -> None:
        """This connection stays in the portable lane."""

    def hand_over(self, relay: Relay, upstream: Upstream) -> bool:
        """Give the accepted client's socket to a relay; False if there is none any more."""


def lane_of(scope: Scope) -> Lane | None:
    """The fast lane of a handshake; None on a server that has none."""
    return cast("Lane | None", scope.get("extensions", {}).get(EXTENSION))


def takes(route: Route) -> bool:
    """Whether this lane carries a route. It passes broadcasts unread: those with a downlink are not for it."""
    return route.downlink is None and route.hide is None


class FastLane(DrainingWebSocket):
    """One client's handshake."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._undecided = False
        self._early = b""
        """What a client sends that does not wait to be accepted."""

    def handle_connect(self, event: Request) -> None:
        """See uvicorn: make the scope, and start the application."""
        super().handle_connect(event)
        if not self.handshake_complete:
            extensions: Any = self.scope["extensions"]
            extensions[EXTENSION] = self
            self._undecided = True

    def data_received(self, data: bytes) -> None:
        """Keep what comes too early, until it is clear whose it is."""
        if self._undecided:
            self._early += data
            self.transport.pause_reading()
        else:
            super().data_received(data)

    def decline(self) -> None:
        """See `Lane`."""
        self._undecided = False
        if self._early:
            self.transport.resume_reading()
            super().data_received(self._early)

    def hand_over(self, relay: Relay, upstream: Upstream) -> bool:
        """See `Lane`."""
        transport = self.transport
        if self.close_sent or not self.handshake_complete or transport.is_closing():
            return False
        self.stop_keepalive()
        self.connections.discard(self)
        connections: set[Any] = self.connections
        connections.add(relay)
        relay.when_ended(lambda: connections.discard(relay))
        self.transport = cast(asyncio.Transport, _Released())
        for each in (transport, upstream.transport):
            _keep_alive(each.get_extra_info("socket"))
        relay.begin(transport, upstream, partial(begin_drain, self.app))
        if self._early:
            transport.resume_reading()
            relay.data_received(self._early)
        return True


class _Released:
    """In the place of a transport that is somebody else's now: uvicorn closes it when the application returns."""

    def is_closing(self) -> bool:
        return True

    def close(self) -> None:
        pass


def _keep_alive(connection: socket.socket | None) -> None:
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in _KEEPALIVE.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)
