"""Circles that the platform keeps itself: asked for by HTTP, one pair at a time (requirement P6).

The platform is asked only where an answer can matter, and waited for only where somebody is protected. What it does not
say in time, nobody is: a person who is protected stays closed, and everybody else does not wait.
"""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import httpcore
import msgspec
from cachetools import TTLCache

from protection.circle import STRANGER, TIES, Tie

MOST_ANSWERS = 65_536
MOST_IN_FLIGHT = 64
PAUSE_S = 1.0
"""After a failure nobody is asked for so long: a platform in trouble is not asked harder, and nobody waits for it."""
MOST_BYTES = 4096


class CircleUnknown(Exception):
    """The platform did not say, or not in time. Nobody's input is at fault."""


class _Answer(msgspec.Struct):
    kinds: tuple[str, ...] = ()


class PlatformCircle:
    """Asks ``GET url`` with ``{person}`` and ``{other}`` filled in; the answer is ``{"kinds": ["friends", ...]}``."""

    def __init__(self, url: str, token: str, timeout_s: float, cache_s: float) -> None:
        self._url = url
        self._headers = [(b"authorization", b"Bearer " + token.encode())] if token else []
        self._timeout_s = timeout_s
        self._answers: TTLCache[tuple[str, str], Tie] = TTLCache(MOST_ANSWERS, cache_s)
        self._pool = httpcore.AsyncConnectionPool(max_connections=MOST_IN_FLIGHT, keepalive_expiry=30.0, retries=0)
        self._asking: dict[tuple[str, str], asyncio.Task[Tie]] = {}
        self._resume_at = 0.0

    async def close(self) -> None:
        """Ask no more, and close the connections to the platform."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self._pool.aclose()

    def known(self, person: str, other: str) -> Tie | None:
        """The remembered answer; None: ask."""
        return self._answers.get((person, other))

    def ask(self, person: str, other: str) -> asyncio.Task[Tie] | None:
        """Begin to ask, or join who asks already; the answer comes in time or is `CircleUnknown`. None: not now."""
        pair = (person, other)
        task = self._asking.get(pair)
        if task is None:
            loop = asyncio.get_running_loop()
            if loop.time() < self._resume_at or len(self._asking) >= MOST_IN_FLIGHT:
                return None
            task = self._asking[pair] = loop.create_task(self._ask(pair))
            task.add_done_callback(lambda done: self._done(pair, done))
        return task

    def _done(self, pair: tuple[str, str], task: asyncio.Task[Tie]) -> None:
        del self._asking[pair]
        if not task.cancelled() and task.exception() is not None:
            self._resume_at = asyncio.get_running_loop().time() + PAUSE_S

    async def _ask(self, pair: tuple[str, str]) -> Tie:
        person, other = (quote(identity, safe="", errors="surrogatepass") for identity in pair)
        url = self._url.replace("{person}", person).replace("{other}", other)
        try:
            async with asyncio.timeout(self._timeout_s):
                ties = await self._fetch(url)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise CircleUnknown("the platform was not reached in time") from error
        except (msgspec.MsgspecError, KeyError) as error:
            raise CircleUnknown("the platform's answer cannot be read") from error
        self._answers[pair] = ties
        return ties

    async def _fetch(self, url: str) -> Tie:
        body = b""
        async with self._pool.stream("GET", url, headers=self._headers) as response:
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise CircleUnknown("the platform's answer is too long")
        if response.status == 404:  # it knows of nothing between the two
            return STRANGER
        if response.status != 200:
            raise CircleUnknown(f"the platform answered {response.status}")
        ties = STRANGER
        for kind in msgspec.json.decode(body, type=_Answer).kinds:
            ties |= TIES[kind]
        return ties
