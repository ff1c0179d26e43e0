"""WebSocket traffic: one client socket, one upstream socket, every uplink message judged in its order."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
import uuid
from collections.abc import Callable
from typing import Any, Protocol, cast
from urllib.parse import urlsplit, urlunsplit

import msgspec
from starlette.types import Message as AsgiMessage
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.http11 import Response
from websockets.typing import Subprotocol

from gateway import telemetry
from gateway.codecs import RequestFields
from gateway.downlink import Viewer
from gateway.judge import JudgePayload
from gateway.replies import Language, notice
from gateway.wire.frames import Close
from gateway.wire.request import ClientRequest, Headers, end_to_end
from protection.notices import Notice

HANDSHAKE_HEADERS = frozenset(
    (
        b"host",
        b"content-length",
        b"sec-websocket-key",
        b"sec-websocket-version",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
        b"sec-websocket-accept",
    )
)
"""Those that whoever opens a socket writes itself; a copy of the client's would contradict them."""


SERVICE_RESTART = Close(1012, "service restart")
GOING_AWAY = Close(1001)
BAD_GATEWAY = Close(1014, "upstream lost")
DISCONNECTED = Close(1008, "policy violation")
ROOM_SHUT = Close(4403, "room shut")
ACCOUNT_CLOSED = Close(4410, "account closed")

CLOSE_TIMEOUT_S = 2.0
LAST_CALL_S = 1.0
_ANSWER_S = 2.0
"""How long the platform is waited for where the gateway answers in its name."""
_NOTHING = "shieldwire.nothing"
_NO_STATUS = 1005
_ABNORMAL = 1006


class UpstreamError(Exception):
    """The upstream could not be reached; not the client's fault."""


class UpstreamRefusal(Exception):
    """The upstream answered the handshake with something other than 101; the client is given that answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"upstream answered {response.status_code}")
        self.response = response


class _Dial(connect):
    """A connection attempt that hands redirects to the client instead of following them."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_upstream(url: str, request: ClientRequest, timeout_s: float, max_size: int) -> ClientConnection:
    """Open the upstream socket under the client's own Host; raises `UpstreamError` and `UpstreamRefusal`."""
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    options: dict[str, Any] = {"host": parts.hostname, "port": parts.port or (443 if secure else 80)}
    if secure:
        options |= {"ssl": ssl.create_default_context(), "server_hostname": parts.hostname}
    host = request.headers.get("host") or parts.netloc
    headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.upstream_headers(HANDSHAKE_HEADERS)]
    offered = [Subprotocol(offer) for offer in request.scope["subprotocols"]]
    try:
        return await _Dial(
            urlunsplit(parts._replace(netloc=host)),
            subprotocols=offered or None,
            additional_headers=headers,
            user_agent_header=None,
            compression=None,
            proxy=None,
            open_timeout=timeout_s,
            ping_interval=None,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=max_size,
            max_queue=1,  # whoever reads slowly holds up the platform, not this process's memory
            **options,
        )
    except InvalidStatus as refusal:
        raise UpstreamRefusal(refusal.response) from refusal
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ValueError) as error:
        raise UpstreamError(type(error).__name__) from error


class Connection:
    """One client's socket, from its acceptance to its end."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        upstream: ClientConnection,
        rooms: set[str],
        account: str = "",
        language: Language = Language(),  # noqa: B008 - frozen
    ) -> None:
        self.rooms = rooms
        """The rooms this socket is known to be in: those of its address."""
        self.account = account
        """Whose socket it is; "" where only its messages say so."""
        self._language = language
        self._accepted = False
        self._telling: set[asyncio.Task[None]] = set()
        self._receive = receive
        self._send = send
        self._upstream = upstream
        self._ending: Close | None = None
        self._last_call = 0.0
        """The loop's time after which no more is taken from a client that keeps on sending."""
        self._judging = False
        self._unanswered = 0
        """How many forwarded messages the platform may still answer, one frame each."""
        self._all_answered = asyncio.Event()
        self._all_answered.set()
        self._uplink: asyncio.Task[Close] | None = None

    def end(self, close: Close) -> None:
        """End both sockets; a message in flight is answered first."""
        if self._ending is None:
            self._ending = close
            self._last_call = asyncio.get_running_loop().time() + LAST_CALL_S
        if self._uplink is not None and not self._judging:
            self._uplink.cancel()

    def tell(self, told: Notice) -> None:
        """Send the client a notice of the gateway's own, between two messages; whoever reads slowly gets it later."""
        if self._accepted and self._ending is None:
            telling = asyncio.get_running_loop().create_task(self._tell(notice(self._language, told)))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def _tell(self, told: dict[str, Any]) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # the client may be gone already
            await self._send({"type": "websocket.send", "text": msgspec.json.encode(told).decode()})

    async def relay(self, judge: JudgePayload | None, viewer: Viewer | None = None) -> None:
        """Carry messages both ways until one side, or the gateway, ends it.

        Without ``judge`` no message of the client is judged; without ``viewer`` none of the platform's is withheld.
        """
        handshake = self._upstream.response
        headers = response_headers(handshake) if handshake else []
        chosen = self._upstream.subprotocol
        await self._send({"type": "websocket.accept", "subprotocol": chosen, "headers": headers})
        self._accepted = True
        self._uplink = asyncio.create_task(self._carry_up(judge))
        downlink = asyncio.create_task(self._carry_down(viewer))
        if self._ending:
            self.end(self._ending)
        try:
            await asyncio.wait({self._uplink, downlink}, return_when=asyncio.FIRST_COMPLETED)
            if self._ending:
                await self._finish(self._ending, downlink)
            elif self._uplink.done():
                downlink.cancel()
                await asyncio.wait({downlink})
                await self._close_upstream(self._uplink.result())
            else:
                await self._close_client(downlink.result())
        finally:
            self._uplink.cancel()
            downlink.cancel()
            for telling in self._telling:
                telling.cancel()
            await asyncio.gather(self._uplink, downlink, *self._telling, return_exceptions=True)
            self._upstream.transport.abort()

    async def _finish(self, close: Close, downlink: asyncio.Task[Close]) -> None:
        """End both sides on the gateway's own account: what is in flight either way still arrives."""
        assert self._uplink is not None
        await asyncio.wait({self._uplink})
        closing = asyncio.create_task(self._upstream.close(GOING_AWAY.code))
        await asyncio.wait({downlink}, timeout=CLOSE_TIMEOUT_S)  # up to the upstream's answer to the close
        downlink.cancel()
        await self._close_client(close)
        await closing

    async def _carry_up(self, judge: JudgePayload | None) -> Close:
        """Judge and forward what the client sends, one message after the other; returns how the client ended."""
        while True:
            message = await (self._already_received() if self._ending else self._receive())
            if message["type"] == _NOTHING:
                return Close(_NO_STATUS)
            if message["type"] == "websocket.disconnect":
                return Close(message.get("code") or _NO_STATUS, message.get("reason") or "")
            self._judging = True
            try:
                await self._carry_message(_payload(message), judge)
            except ConnectionClosed:  # the downlink knows how the upstream ended, and says so
                await asyncio.Event().wait()
            finally:
                self._judging = False

    async def _already_received(self) -> AsgiMessage:
        """What the server had read from the client when the end began, one message after the other, then `_NOTHING`."""
        if asyncio.get_running_loop().time() < self._last_call:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0):
                    return await self._receive()
        return {"type": _NOTHING}

    async def _carry_message(self, payload: str | bytes, judge: JudgePayload | None) -> None:
        if judge is None:
            await self._upstream.send(payload)
            return
        outcome = await judge(payload)
        if outcome.forward is not None:
            self._unanswered += 1
            self._all_answered.clear()
            await self._upstream.send(outcome.forward)
        with contextlib.suppress(OSError):  # gone already; what it sent before that is judged all the same
            if outcome.stand_in is not None:
                await self._in_the_platforms_time()
                text = outcome.stand_in.body(time.time(), uuid.uuid4())
                await self._send({"type": "websocket.send", "text": text})
            for reply in outcome.replies:
                await self._send({"type": "websocket.send", "text": msgspec.json.encode(reply).decode()})
        if outcome.disconnect:
            self._ending = DISCONNECTED  # and no last call

    async def _in_the_platforms_time(self) -> None:
        """Wait about as long as the platform would take to answer a message that is not forwarded.

        A ping goes in its place. What the platform answers to earlier messages comes first, as many frames as there are
        messages; a platform that answers fewer is not waited for any longer.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                await (await self._upstream.ping())
                await self._all_answered.wait()
        self._unanswered = 0

    async def _carry_down(self, viewer: Viewer | None) -> Close:
        """Forward what the upstream sends; returns how it ended. A slow client slows the upstream down."""
        try:
            while True:
                message = await self._upstream.recv()
                if viewer is not None and viewer.guarded and await viewer.withholds(message):
                    continue
                kind = "text" if isinstance(message, str) else "bytes"
                await self._send({"type": "websocket.send", kind: message})
                if self._unanswered:
                    self._unanswered -= 1
                    if not self._unanswered:
                        self._all_answered.set()
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                telemetry.UPSTREAM_FAILURES.labels("relay").inc()
                return BAD_GATEWAY
            return Close(closed.rcvd.code, closed.rcvd.reason)
        except OSError:  # the client is gone: the uplink ends with the last message that it sent
            await asyncio.Event().wait()
            raise

    async def _close_upstream(self, close: Close) -> None:
        """Pass the client's own ending on."""
        if close.code == _ABNORMAL:
            self._upstream.transport.abort()
            return
        code = None if close.code == _NO_STATUS else close.code
        closing = asyncio.create_task(self._upstream.close(cast(int, code), close.reason))
        with contextlib.suppress(ConnectionClosed):
            while True:  # its answer stands behind all that it broadcasts meanwhile, and nobody else reads now
                await self._upstream.recv()
        await closing

    async def _close_client(self, close: Close) -> None:
        code = 1000 if close.code in (_NO_STATUS, _ABNORMAL) else close.code
        with contextlib.suppress(OSError, RuntimeError):  # the client may be gone already
            await self._send({"type": "websocket.close", "code": code, "reason": close.reason})


class Relayed(Protocol):
    """What is open between a client and an upstream, in either lane."""

    rooms: set[str]
    account: str

    def end(self, close: Close) -> None:
        """End both sockets; a message in flight is answered first."""

    def tell(self, told: Notice) -> None:
        """Send the client a notice of the gateway's own, between two messages."""


class Connections:
    """All open sockets of this worker."""

    def __init__(self) -> None:
        self._open: set[Relayed] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()

    def add(self, connection: Relayed) -> Callable[[], None]:
        """Register a connection; returns the call that takes it out again."""
        self._open.add(connection)
        self._none_left.clear()
        telemetry.CONNECTIONS.inc()

        def remove() -> None:
            self._open.discard(connection)
            telemetry.CONNECTIONS.dec()
            if not self._open:
                self._none_left.set()

        return remove

    def end_room(self, room: str, close: Close) -> None:
        """End every socket that is in ``room``."""
        for connection in [connection for connection in self._open if room in connection.rooms]:
            connection.end(close)

    def end_account(self, account: str, close: Close) -> None:
        """End every socket of an account."""
        for connection in [connection for connection in self._open if account and connection.account == account]:
            connection.end(close)

    def tell(self, account: str, told: Notice) -> None:
        """Tell a notice on every socket of an account."""
        for connection in [connection for connection in self._open if account and connection.account == account]:
            connection.tell(told)

    def end_all(self, close: Close) -> None:
        """End every socket."""
        for connection in list(self._open):
            connection.end(close)

    async def all_ended(self, timeout_s: float) -> None:
        """Wait until no socket is left, at most ``timeout_s`` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none_left.wait(), timeout_s)


def rooms_of(field: str, request: RequestFields) -> set[str]:
    """The room that a socket's address names, where the route says that it does."""
    source, _, name = field.partition(".")
    room = {"path": request.path, "query": request.query}.get(source, {}).get(name, "")
    return {room} if room else set()


async def refuse_handshake(
    scope: Scope, receive: Receive, send: Send, status: int, headers: Headers, body: bytes
) -> None:
    """Answer a handshake with an HTTP response; a server without that extension answers 403 of its own."""
    await receive()  # websocket.connect
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


async def pass_refusal(scope: Scope, receive: Receive, send: Send, refusal: Response) -> None:
    """Give the client the upstream's own refusal."""
    headers, body = response_headers(refusal), bytes(refusal.body or b"")
    await refuse_handshake(scope, receive, send, refusal.status_code, headers, body)


async def close_at_once(receive: Receive, send: Send, close: Close) -> None:
    """Accept and close: the only way in which a browser learns the reason."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": close.code, "reason": close.reason})


def _payload(message: AsgiMessage) -> str | bytes:
    text: str | None = message.get("text")
    return text if text is not None else cast(bytes, message["bytes"])


def response_headers(response: Response) -> Headers:
    """The headers of an upstream's answer that are for the client."""
    raw = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in response.headers.raw_items()]
    return [(n, v) for n, v in end_to_end(raw) if n not in HANDSHAKE_HEADERS]
