"""Cases for moderators (requirement W6): as a list, or live as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.api.answers import CaseAnswer, CasesAnswer
from gateway.api.bodies import CasesQuery
from gateway.api.operation import Call
from protection.cases import Case

KEEPALIVE_S = 15.0
"""Proxies drop a stream on which nothing moves; most wait at least 30 s."""

RETRY_MS = 2_000
"""How long a browser waits before it opens a broken stream again."""

SILENCE = b": nothing new\n\n"


async def read(call: Call[CasesQuery]) -> CasesAnswer | CaseStream:
    """The latest cases; with ``Accept: text/event-stream`` live, each case whenever it opens or grows."""
    state = call.gate.state
    if CaseStream.media_type in call.accept:
        return CaseStream(await state.follow_cases(), call.gate.draining)
    return CasesAnswer(tuple(map(CaseAnswer.of, await state.cases(call.input.limit))))


class CaseStream(Response):
    """Server-sent events (WHATWG HTML, 9.2), until the client leaves or the gateway drains.

    Not a `StreamingResponse`, whose cancel scope would also interrupt the clean-up: the following of cases holds a
    connection to the store, which is closed before this returns.
    """

    media_type = "text/event-stream"

    def __init__(self, cases: AsyncIterator[Case], draining: asyncio.Event, keepalive_s: float = KEEPALIVE_S) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._cases = cases
        self._draining = draining
        self._keepalive_s = keepalive_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `Response`."""
        ends = [asyncio.ensure_future(_left(receive)), asyncio.ensure_future(self._draining.wait())]
        upcoming = asyncio.ensure_future(_next(self._cases))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _write(send, f"retry: {RETRY_MS}\n\n".encode())
            while not any(end.done() for end in ends):
                await asyncio.wait((upcoming, *ends), timeout=self._keepalive_s, return_when=asyncio.FIRST_COMPLETED)
                if upcoming.done():
                    case, upcoming = upcoming.result(), asyncio.ensure_future(_next(self._cases))
                    await _write(send, b"event: case\ndata: " + msgspec.json.encode(CaseAnswer.of(case)) + b"\n\n")
                elif not any(end.done() for end in ends):
                    await _write(send, SILENCE)
            await _write(send, b"", more=False)
        finally:
            for future in (upcoming, *ends):
                future.cancel()
            await asyncio.gather(upcoming, *ends, return_exceptions=True)
            if isinstance(self._cases, AsyncGenerator):
                await self._cases.aclose()


async def _next(cases: AsyncIterator[Case]) -> Case:
    return await anext(cases)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, chunk: bytes, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": more})
