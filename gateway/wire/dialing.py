"""The fast lane's way to an upstream: its handshake by `websockets`, sans-I/O, and then nothing but the socket."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast
from urllib.parse import urlsplit, urlunsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from gateway.wire.request import ClientRequest
from gateway.wire.websocket import HANDSHAKE_HEADERS, UpstreamError, UpstreamRefusal

_SWITCHING = b"HTTP/1.1 101"
_END_OF_HEAD = b"\r\n\r\n"
_LONGEST_HEAD = 1 << 16


class Upstream(asyncio.Protocol):
    """An upstream's socket until somebody takes it over: what it sends meanwhile is kept in `early`."""

    def __init__(self, handshake: ClientProtocol, request: bytes) -> None:
        self._handshake = handshake
        self._request = request
        self._head = bytearray()
        self.answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport
        self.early = bytearray()
        """What came behind the answer."""
        self.ended = False

    @property
    def subprotocol(self) -> str | None:
        """The one that the upstream has chosen."""
        return self._handshake.subprotocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read the answer, and keep what follows it."""
        if self.answered.done():
            self.early += data
            return
        self._head += data
        if not self._head.startswith(_SWITCHING[: len(self._head)]):  # a refusal may have a body: all of it is read
            self._read(bytes(self._head))
            self._head.clear()
            return
        head, separator, rest = bytes(self._head).partition(_END_OF_HEAD)
        if separator:
            self.early += rest
            self._read(head + separator)
        elif len(head) > _LONGEST_HEAD:
            self._fail(InvalidHandshake("the head of the answer does not end"))

    def eof_received(self) -> None:
        """The upstream has ended, or its refusal has."""
        self.ended = True
        if not self.answered.done():
            self._handshake.receive_eof()
            self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """The upstream is gone."""
        self.ended = True
        self._fail(exc or ConnectionError("the upstream closed the connection"))

    def _read(self, data: bytes) -> None:
        self._handshake.receive_data(data)
        self._look()

    def _look(self) -> None:
        """Has the answer come?"""
        if self._handshake.handshake_exc is not None:
            self._fail(self._handshake.handshake_exc)
            return
        for event in self._handshake.events_received():
            if isinstance(event, Response) and not self.answered.done():
                self.answered.set_result(event)

    def _fail(self, error: Exception) -> None:
        if not self.answered.done():
            self.answered.set_exception(error)


async def dial(url: str, request: ClientRequest, timeout_s: float) -> Upstream:
    """Open the upstream under the client's own Host, as `gateway.wire.websocket.open_upstream` does, and its errors."""
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    host = request.headers.get("host") or parts.netloc
    offered = [Subprotocol(offer) for offer in request.scope["subprotocols"]]
    context = ssl.create_default_context() if secure else None
    upstream: Upstream | None = None
    assert parts.hostname is not None, "a route without one is refused at the start"
    try:
        handshake = ClientProtocol(parse_uri(urlunsplit(parts._replace(netloc=host))), subprotocols=offered or None)
        asking = handshake.connect()
        for name, value in request.upstream_headers(HANDSHAKE_HEADERS):
            asking.headers[name.decode("latin-1")] = value.decode("latin-1")
        async with asyncio.timeout(timeout_s):
            _, upstream = await asyncio.get_running_loop().create_connection(
                lambda: Upstream(handshake, asking.serialize()),
                parts.hostname,
                parts.port or (443 if secure else 80),
                ssl=context,
                server_hostname=parts.hostname if secure else None,
            )
            await upstream.answered
    except InvalidStatus as refusal:
        raise UpstreamRefusal(refusal.response) from refusal
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ValueError) as error:
        raise UpstreamError(type(error).__name__) from error
    finally:
        if upstream is not None and not _succeeded(upstream):
            upstream.transport.abort()
    return upstream


def _succeeded(upstream: Upstream) -> bool:
    answered = upstream.answered
    return answered.done() and not answered.cancelled() and answered.exception() is None
