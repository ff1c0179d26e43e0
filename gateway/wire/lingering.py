"""An answer that is given before its request was read whole still reaches the client.

A server that closes a socket with unread input resets the connection, and the reset can overtake the answer on its
way: the client then learns that its connection broke, not that its message was too large. RFC 9112, section 9.6, asks
to answer, go on reading for a while, and only then close.
"""

from __future__ import annotations

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_S = 2.0
"""How long what is left of an answered request is read and dropped."""


class LingeringClose:
    """ASGI middleware: the last part of an early answer waits until the client has sent its request, or for a while."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        unread = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])

        async def reading() -> Message:
            nonlocal unread
            message = await receive()
            unread = bool(message.get("more_body"))
            return message

        async def sending(message: Message) -> None:
            if unread and message["type"] == "http.response.body" and not message.get("more_body"):
                await send({**message, "more_body": True})
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LINGER_S):
                        while unread:
                            await reading()
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, reading, sending)
