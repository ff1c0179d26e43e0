"""A worker as the control API knows it, and a client that calls the API as anybody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from starlette.applications import Starlette
from starlette.routing import Mount

from filters.lexicon import parse
from filters.model.scoring import Model
from filters.reader import Reader
from filters.scanner import Scanner
from gateway.api.routes import control_routes
from gateway.settings import ApiSettings, Settings
from gateway.state.state import State
from protection.policy import Policy
from protection.rules import Rules

LEXICON = """shieldwire-lexicon 1
[insult serious]
blockhead
"""
READER = Reader(Scanner.compile(parse([("test.lexicon", LEXICON)])), Model.shipped())
DEADLINE_S = 10.0
SECRET = "the secret of these tests, longer than thirty-two bytes"


@dataclass
class Worker:
    """A gateway as the control API sees it (`gateway.api.gate.Gate`), with nothing else running."""

    state: State
    settings: Settings = field(default_factory=lambda: Settings(api=ApiSettings(secret=SECRET)))
    reader: Reader = READER
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    missing: list[str] = field(default_factory=list)
    policy: Policy = field(default_factory=Policy)

    def rules(self) -> Rules:
        return Rules(self.reader, self.policy)

    def degraded(self) -> list[str]:
        return []

    def ready(self) -> list[str]:
        return self.missing


async def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail when it does not within `DEADLINE_S`."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - conditions of servers and stores, which have no event to wait for
            await asyncio.sleep(0.005)


def application(worker: Worker) -> Starlette:
    return Starlette(routes=[Mount("/shieldwire", routes=control_routes(worker))])


def bearer(role: str, sub: str = "somebody", **claims: Any) -> dict[str, str]:
    """The headers of a caller."""
    payload = {"sub": sub, "role": role, "exp": int(time.time()) + 3600, **claims}
    return {"Authorization": f"Bearer {jwt.encode(payload, SECRET, 'HS256')}"}


class Api:
    """``await api.put("users/x/protection", {...}, role="user", sub="x")`` is the answer; a refusal fails the test."""

    def __init__(self, app: Starlette) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")

    async def call(
        self, method: str, path: str, body: Any = None, *, role: str = "admin", sub: str = "somebody"
    ) -> httpx.Response:
        return await self.http.request(method, f"/shieldwire/v1/{path}", json=body, headers=bearer(role, sub))

    async def get(self, path: str, **who: str) -> Any:
        return _answer(await self.call("GET", path, **who))

    async def put(self, path: str, body: Any = None, **who: str) -> Any:
        return _answer(await self.call("PUT", path, body, **who))

    async def post(self, path: str, body: Any = None, **who: str) -> Any:
        return _answer(await self.call("POST", path, body, **who))

    async def delete(self, path: str, **who: str) -> Any:
        return _answer(await self.call("DELETE", path, **who))

    async def refusal(self, method: str, path: str, body: Any = None, **who: str) -> tuple[int, str]:
        """The status and the message of a call that must not succeed."""
        return _refusal(await self.call(method, path, body, **who))

    async def refusal_of_raw(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        """The same, for a body that is not JSON."""
        return _refusal(
            await self.http.request(method, f"/shieldwire/v1/{path}", content=body, headers=bearer("admin"))
        )


def _answer(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def _refusal(response: httpx.Response) -> tuple[int, str]:
    assert response.status_code >= 400, response.text
    return response.status_code, response.json()["error"]["message"]
