"""Real servers and processes for tests: a small platform on loopback, and the gateway as its users start it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Self

import jwt
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from websockets.asyncio.server import Server, ServerConnection, serve

from gateway.demo.ports import free_port

SECRET = "s" * 40
READY_S = 60.0
SLOW_S = 0.3
"""How long the platform takes for what is asked under ``.../slow``."""


def signed(**claims: Any) -> str:
    """A token for messages and for the control API."""
    return jwt.encode({"exp": int(time.time()) + 600, **claims}, SECRET, "HS256")


class Platform:
    """A live platform: ``/ws`` broadcasts every frame to everybody; HTTP answers with what it was sent."""

    def __init__(self) -> None:
        self.ws_port = free_port()
        self.http_port = free_port()
        self.seen: list[str | bytes] = []
        self.requests: list[dict[str, Any]] = []
        self.handshakes: list[websockets.Headers] = []
        self.room: set[ServerConnection] = set()
        self.closes: list[tuple[int | None, str | None]] = []
        self._ws: Server | None = None
        self._http: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start_ws()
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST", "PUT", "DELETE", "HEAD"])])
        config = uvicorn.Config(app, port=self.http_port, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        self._http = uvicorn.Server(config)
        self._http.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        self._task = asyncio.create_task(self._http.serve())
        await until(lambda: bool(self._http and self._http.started))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_ws()
        assert self._http is not None
        assert self._task is not None
        self._http.should_exit = True
        await self._task

    async def start_ws(self) -> None:
        """Accept sockets."""
        self._ws = await serve(
            self._talk, "127.0.0.1", self.ws_port, max_size=None, compression=None,
            select_subprotocol=lambda _, offered: offered[0] if offered else None,
            process_request=self._process_request,
        )  # fmt: skip

    async def stop_ws(self) -> None:
        """Close every socket, as a platform that goes down in order does."""
        if self._ws is not None:
            self._ws.close()
            await self._ws.wait_closed()

    def cut(self) -> None:
        """Cut every socket without a word, as a platform that dies does."""
        for connection in list(self.room):
            connection.transport.abort()

    async def say(self, message: str | bytes) -> None:
        """Broadcast something of the platform's own."""
        for connection in list(self.room):
            with contextlib.suppress(websockets.ConnectionClosed):  # one that is just leaving
                await connection.send(message)

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.handshakes.append(connection.request.headers)
        if "early" in connection.request.path:
            await connection.send("early broadcast")
        self.room.add(connection)
        try:
            async for message in connection:
                self.seen.append(message)
                if message == "close me":
                    await connection.close(4321, "as you wish")
                    return
                websockets.broadcast(self.room, message)
        finally:
            self.room.discard(connection)
            self.closes.append((connection.close_code, connection.close_reason))

    def _process_request(self, connection: ServerConnection, request: websockets.Request) -> websockets.Response | None:
        if "forbidden" not in request.path:
            return None
        response = connection.respond(418, "no tea here")
        response.headers["X-Why"] = "teapot"
        return response

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        if request.url.path.endswith("/slow"):
            await asyncio.sleep(SLOW_S)
        if request.url.path.endswith("/stream"):
            return StreamingResponse(self._drip(), media_type="text/event-stream")
        self.requests.append(
            {
                "method": request.method,
                "target": request.scope["raw_path"].decode() + "?" + request.scope["query_string"].decode(),
                "headers": request.headers.raw,
                "body": body,
            }
        )
        response = JSONResponse({"got": len(body)}, 201)
        response.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x-from", b"platform")]
        return response

    async def _drip(self) -> AsyncIterator[bytes]:
        for number in range(3):
            yield f"data: {number}\n\n".encode()
            await asyncio.sleep(0)


def configuration(platform: Platform, data_dir: Path, port: int, more: str = "", **server: Any) -> str:
    """A `shieldwire.toml` in front of ``platform``: identity by query, barrages, comments, DMs; the rest is opaque."""
    ws, http = f"ws://127.0.0.1:{platform.ws_port}", f"http://127.0.0.1:{platform.http_port}"
    fields = 'id = "id"\ntext = "text"\nsender = "user"\ntarget = "to"\nmentions = "at"\n'
    return f"""
[server]
host = "127.0.0.1"
port = {port}
{"".join(f"{key} = {json.dumps(value)}" + chr(10) for key, value in server.items())}
[state]
data_dir = {json.dumps(str(data_dir))}
[identity]
source = "query"
name = "user"
[api]
secret = "{SECRET}"
{more}
[[route]]
path = "/ws"
upstream = "{ws}/ws"
codec = "json"
kind = "barrage"
[route.match]
type = "barrage"
[route.fields]
{fields}room = "room"
[[route]]
path = "/rooms/{{room}}/ws"
upstream = "{ws}/rooms/{{room}}"
codec = "json"
kind = "barrage"
[route.match]
type = "barrage"
[route.fields]
{fields}room = "path.room"
[[route]]
path = "/dm"
upstream = "{ws}/dm"
codec = "json"
kind = "dm"
[route.fields]
{fields}
[[route]]
path = "/raw/{{rest:path}}"
upstream = "{ws}/{{rest}}"
codec = "opaque"
[[route]]
path = "/down"
upstream = "ws://127.0.0.1:9/nobody"
codec = "opaque"
[[route]]
path = "/comments"
upstream = "{http}/comments"
codec = "json"
kind = "comment"
[route.fields]
{fields}room = "room"
[[route]]
path = "/forms"
upstream = "{http}/forms"
codec = "form"
kind = "comment"
[route.fields]
{fields}
[[route]]
path = "/down"
upstream = "http://127.0.0.1:9/nobody"
[[route]]
path = "/{{rest:path}}"
upstream = "{http}/{{rest}}"
"""


class Gateway:
    """`shieldwire serve` as a process."""

    def __init__(self, config: Path, port: int, **environment: str) -> None:
        self.port = port
        self.log = config.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", "--config", str(config)],
                stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **environment},
            )  # fmt: skip

    def ws(self, path: str = "/ws", user: str = "") -> str:
        """A WebSocket address."""
        return f"ws://127.0.0.1:{self.port}{path}" + (f"?user={user}" if user else "")

    def http(self, path: str) -> str:
        """An HTTP address."""
        return f"http://127.0.0.1:{self.port}{path}"

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One HTTP request: status, headers (in lower case), body."""
        request = urllib.request.Request(self.http(path), body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    def api(self, method: str, path: str, body: Any = None, role: str = "admin", sub: str = "root") -> tuple[int, Any]:
        """One call of the control API: status and decoded body."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {signed(role=role, sub=sub)}", "Content-Type": "application/json"}
        status, _, answer = self.request(method, f"/shieldwire/v1/{path}", data, **headers)
        return status, json.loads(answer or b"null")

    async def ready(self) -> None:
        """Wait until traffic may come."""

        def is_ready() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            with contextlib.suppress(OSError):
                return self.request("GET", "/shieldwire/readyz")[0] == 200
            return False

        await until(is_ready, READY_S)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it and wait for its end; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@contextlib.contextmanager
def serving(config_text: str, folder: Path, port: int, **environment: str) -> Iterator[Gateway]:
    """A gateway process for the time of the context."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "shieldwire.toml"
    config.write_text(config_text)
    gateway = Gateway(config, port, **environment)
    try:
        yield gateway
    finally:
        gateway.stop()


async def until(condition: Any, timeout_s: float = 10.0) -> None:
    """Wait until ``condition()`` holds; blocking conditions run in a thread so that servers of this loop can answer."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not await asyncio.to_thread(condition):
        assert asyncio.get_running_loop().time() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.02)
