"""How the demo's own people reach the gateway: the same HTTP and WebSocket that any client speaks."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpcore
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

UNREACHABLE = (OSError, WebSocketException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)
"""What a client meets where nobody answers it, or not as agreed."""

ANSWER_S = 5.0
"""How long a client waits for a connection or an answer."""

CLOSE_S = 1.0


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    """By their lower-case names."""
    body: bytes


class HttpClient:
    """A pool of HTTP connections to one server; ``base_url`` is like ``http://127.0.0.1:8080``."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._pool = httpcore.AsyncConnectionPool(max_connections=8)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.aclose()

    async def request(self, method: str, path: str, token: str = "", body: Any = None) -> Answer:
        """Send one request, with ``body`` as JSON; raises `UNREACHABLE`."""
        headers: list[tuple[bytes | str, bytes | str]] = [("Authorization", f"Bearer {token}")] if token else []
        if body is not None:
            headers.append(("Content-Type", "application/json"))
        response = await self._pool.request(
            method,
            self._base_url + quote(path),
            headers=headers,
            content=None if body is None else msgspec.json.encode(body),
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), ANSWER_S)},
        )
        answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Answer(response.status, answered, response.content)


async def open_socket(base_url: str, path: str, token: str) -> ClientConnection:
    """Open a WebSocket as the token's account; raises `UNREACHABLE`."""
    address = f"{base_url.replace('http', 'ws', 1)}{quote(path)}?{urlencode({'token': token})}"
    return await connect(address, compression=None, proxy=None, open_timeout=ANSWER_S, close_timeout=CLOSE_S)
