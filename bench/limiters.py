"""Other people's rate limiters on the same store, as measuring rods: one limit, asked once.

They come with the development tools. Each is given redis-py's asyncio client.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import redis.asyncio

from bench.report import BenchError

Check = Callable[[int], Awaitable[object]]
"""Asks whether one more event of account number so-and-so may pass."""

PER_MINUTE = 1_000_000
"""So many that none is ever refused."""


@asynccontextmanager
async def limiters(url: str) -> AsyncIterator[dict[str, Check]]:
    """The peers by name, over the store at ``url`` (a unix socket)."""
    try:
        import limits
        import pyrate_limiter
        import throttled.asyncio
        from limits.aio.storage import RedisStorage
        from limits.aio.strategies import FixedWindowRateLimiter
    except ImportError as error:
        raise BenchError(
            "the bench compares with limits, throttled-py and pyrate-limiter: run `make install`"
        ) from error
    async with redis.asyncio.from_url(url) as client:
        storage = RedisStorage(f"async+redis+{url}", implementation="redispy")
        fixed = FixedWindowRateLimiter(storage)
        item = limits.RateLimitItemPerMinute(PER_MINUTE)
        store = throttled.asyncio.RedisStore(server=url)
        gcra = throttled.asyncio.Throttled(using="gcra", quota=f"{PER_MINUTE}/m burst {PER_MINUTE}", store=store)
        bucket = await pyrate_limiter.RedisBucket.init(
            [pyrate_limiter.Rate(PER_MINUTE, pyrate_limiter.Duration.MINUTE)], client, "bench"
        )
        window = pyrate_limiter.Limiter(bucket)
        try:
            yield {
                "limits": lambda account: fixed.hit(item, f"account-{account}"),
                "throttled": lambda account: gcra.limit(f"account-{account}"),
                "pyrate_limiter": lambda account: window.try_acquire_async(f"account-{account}", 1),
            }
        finally:  # neither offers a way to close what it has opened
            await store._backend.get_client().connection_pool.disconnect()  # type: ignore[attr-defined]
            await storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]
