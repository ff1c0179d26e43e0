"""HTTP traffic: requests that carry a message are judged before they go on; everything else streams through."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpcore
import msgspec
from starlette.types import Receive, Send

from gateway import telemetry
from gateway.codecs import Codec, MessageError
from gateway.enforce import Enforcement, refuse_malformed
from gateway.judge import JudgePayload
from gateway.replies import reply
from gateway.routes import Hiding
from gateway.stand_in import Pace, StandIn
from gateway.wire.request import ClientRequest, Headers, end_to_end

_NOT_FORWARDED = frozenset((b"expect", b"shieldwire-token"))
_STATUSES = range(200, 600)
_NOT_MODIFIED = 304
_BODYLESS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
_UTF8 = frozenset(("", "utf-8", "utf8"))
VERDICT_HEADER = b"shieldwire-verdict"
NOTICE_HEADER = b"shieldwire-notice"
"""How a delivered message's answer, whose body is the platform's own, tells of a mask and of a notice."""


class ClientGone(Exception):
    """The client hung up before its request was complete."""


class HttpProxy:
    """The upstream side of HTTP: a pool of kept-alive connections without a ceiling of its own."""

    def __init__(self, connect_timeout_s: float, max_message: int) -> None:
        # The library's default of 100 connections would make the 101st slow stream wait for the others.
        self._pool = httpcore.AsyncConnectionPool(max_connections=None, keepalive_expiry=30.0, http1=True, retries=0)
        self._timeout = {"connect": connect_timeout_s, "pool": connect_timeout_s}
        self._max_message = max_message
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)
        """Of the routes whose hidden messages are answered in the platform's name, by path."""
        self._randomness = random.SystemRandom()

    async def close(self) -> None:
        """Close every upstream connection."""
        await self._pool.aclose()

    async def pass_on(self, request: ClientRequest, upstream: str, receive: Receive, send: Send) -> None:
        """Stream a request that carries no message, and its response."""
        body = _StreamedBody(receive) if request.has_body else None
        headers = request.upstream_headers(_NOT_FORWARDED)
        await self._exchange(_Outgoing(request, upstream, headers, body), receive, send)

    async def judge_and_pass_on(
        self,
        request: ClientRequest,
        upstream: str,
        codec: Codec,
        judge: JudgePayload,
        receive: Receive,
        send: Send,
    ) -> None:
        """Judge the message in a request; forward it, changed or not, or answer the sender."""
        if request.scope["method"] in _BODYLESS and not request.has_body:
            await self.pass_on(request, upstream, receive, send)
            return
        try:
            payload = await self._read_message(request, codec, receive)
        except MessageError as error:
            telemetry.MALFORMED.labels(error.reason).inc()
            await answer(send, refuse_malformed(error, request.language))
            return
        except ClientGone:
            return
        outcome = await judge(payload)
        pace = self._paces[codec.route.path] if codec.route.hiding is Hiding.ANSWER else None
        marks = [_mark(told) for told in outcome.replies]
        if outcome.stand_in is not None and pace is not None:
            await asyncio.sleep(pace.draw(self._randomness))
            await answer_in_place(send, outcome.stand_in, marks)
            return
        if outcome.forward is None:
            await answer(send, outcome)
            return
        body = outcome.forward.encode()
        kept = [header for header in request.upstream_headers(_NOT_FORWARDED) if header[0] != b"content-length"]
        headers = [*kept, (b"content-length", str(len(body)).encode())]
        await self._exchange(_Outgoing(request, upstream, headers, body, marks, pace), receive, send)

    async def _read_message(self, request: ClientRequest, codec: Codec, receive: Receive) -> str:
        """The whole body as text; raises `MessageError` for one that the upstream could read differently."""
        media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
        charsets = [value for name, value in _parameters(parameters) if name == "charset"] or [""]
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        is_utf8 = len(charsets) == 1 and charsets[0] in _UTF8
        if media_type.strip() not in codec.content_types or not is_utf8 or encoding != "identity":
            raise MessageError("unsupported-media-type", f"send {' or '.join(sorted(codec.content_types))} in UTF-8")
        body = bytearray()
        async for chunk in _chunks(receive):
            body += chunk
            if len(body) > self._max_message:
                raise MessageError("too-large", f"a message may have {self._max_message} bytes")
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise MessageError("invalid-utf8", "the body is not valid UTF-8") from error

    async def _exchange(self, outgoing: _Outgoing, receive: Receive, send: Send) -> None:
        """One request to the upstream and its response back; ends early when the client hangs up."""
        exchange = asyncio.create_task(self._forward(outgoing, send))
        hang_up = asyncio.create_task(_until_hang_up(outgoing, receive))
        try:
            await asyncio.wait({exchange, hang_up}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hang_up.cancel()
            if not exchange.done():
                exchange.cancel()
            await asyncio.gather(exchange, hang_up, return_exceptions=True)
        if not exchange.cancelled():
            exchange.result()

    async def _forward(self, outgoing: _Outgoing, send: Send) -> None:
        started, began = False, time.monotonic()
        try:
            async with self._pool.stream(
                outgoing.request.scope["method"],
                _url(outgoing.upstream),
                headers=outgoing.headers,
                content=outgoing.body,
                extensions={"timeout": self._timeout},
            ) as response:
                if response.status not in _STATUSES:
                    raise httpcore.RemoteProtocolError(f"status {response.status}")
                started = True
                outgoing.answered.set()
                if outgoing.pace is not None:
                    outgoing.pace.note(time.monotonic() - began)
                answered = end_to_end([(name.lower(), value) for name, value in response.headers])
                if response.status == _NOT_MODIFIED:  # its Content-Length speaks of a body that is not sent
                    answered = [header for header in answered if header[0] != b"content-length"]
                headers = [*answered, *outgoing.marks]
                await send({"type": "http.response.start", "status": response.status, "headers": headers})
                async for chunk in response.aiter_stream():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except ClientGone:
            return
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            telemetry.UPSTREAM_FAILURES.labels("relay" if started else "connect").inc()
            if started:  # a response cut short must not look whole: the server then cuts the connection
                return
            status = 504 if isinstance(error, httpcore.TimeoutException) else 502
            told = reply(outgoing.request.language, "reject", "upstream-unavailable")
            await answer(send, Enforcement(None, (told,), status))


async def answer(send: Send, outcome: Enforcement) -> None:
    """Answer a request in the gateway's own words: the first reply is the body, a notice a part of it."""
    told, *notices = outcome.replies
    body = msgspec.json.encode({**told, "notice": notices[0]} if notices else told)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if outcome.retry_after:
        headers.append((b"retry-after", str(max(1, round(outcome.retry_after))).encode()))
    await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answer_in_place(send: Send, stand_in: StandIn, marks: Headers) -> None:
    """Answer a request as the platform would."""
    now = time.time()
    body = stand_in.body(now, uuid.uuid4()).encode()
    headers = [*stand_in.headers(len(body), now), *marks]
    await send({"type": "http.response.start", "status": stand_in.hide.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


def _mark(told: dict[str, Any]) -> tuple[bytes, bytes]:
    """A reply to a message that is delivered, as a header of the platform's answer."""
    if told["type"] == "shieldwire.notice":
        return NOTICE_HEADER, msgspec.json.encode(told["topic"]).strip(b'"')
    return VERDICT_HEADER, told["disposition"].encode()


class _StreamedBody(AsyncIterator[bytes]):
    """A request's body as it arrives, and the moment at which all of it has."""

    def __init__(self, receive: Receive) -> None:
        self._chunks = _chunks(receive)
        self.complete = asyncio.Event()

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            self.complete.set()
            raise


class _Outgoing(msgspec.Struct, frozen=True):
    """A request on its way to the upstream; ``marks`` are headers to add to the answer."""

    request: ClientRequest
    upstream: str
    headers: Headers
    body: bytes | _StreamedBody | None
    marks: Headers = []
    pace: Pace | None = None
    """Where the time that the platform takes is noted."""
    answered: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    """Set when the platform has begun to answer."""


async def _until_hang_up(outgoing: _Outgoing, receive: Receive) -> None:
    """Return when the client has hung up and nothing that it said can be lost by that.

    A streamed body comes through the same channel and is left to its reader; a judged message goes on to the platform
    even if its sender does not wait for the answer.
    """
    if isinstance(outgoing.body, _StreamedBody):
        await outgoing.body.complete.wait()
    while (await receive())["type"] != "http.disconnect":
        pass
    if isinstance(outgoing.body, bytes):
        await outgoing.answered.wait()


def _url(upstream: str) -> httpcore.URL:
    target = urlsplit(upstream)
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    host = (target.hostname or "").encode()
    return httpcore.URL(scheme=target.scheme.encode(), host=host, port=target.port, target=path.encode())


def _parameters(written: str) -> list[tuple[str, str]]:
    pairs = (parameter.partition("=") for parameter in written.split(";"))
    return [(name.strip(), value.strip(' "')) for name, _, value in pairs]
