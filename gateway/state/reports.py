"""How a change learns on how many workers it is in force: each worker reports, by number, how far it has come."""

from __future__ import annotations

import asyncio
import contextlib
import time

from gateway.state.errors import StoreUnavailable
from gateway.state.partitions import WORKERS_KEY
from gateway.state.scripts import WORKERS
from gateway.state.store import Store

POLL_S = (0.001, 0.05)
"""First and longest pause between two looks at what the workers have reported."""


async def in_force(store: Store, key: bytes, number: int, deadline: float) -> tuple[int, int]:
    """Wait until all living workers have reported a number, or the deadline: how many have, and how many live.

    ``key`` is a hash from worker to the highest number it has reached; ``deadline`` is of the steady clock. Raises
    `StoreUnavailable`.
    """
    pause, longest = POLL_S
    while True:
        living, flat = await asyncio.gather(store.run(WORKERS, (WORKERS_KEY,)), store.command("HGETALL", key))
        reported = dict(zip(flat[::2], map(int, flat[1::2]), strict=True))
        reached = sum(reported.get(worker, -1) >= number for worker in living)
        if reached == len(living) or time.monotonic() >= deadline:
            _forget(store, key, reported.keys() - set(living))
            return reached, len(living)
        await asyncio.sleep(pause)
        pause = min(2 * pause, longest)


def _forget(store: Store, key: bytes, workers: set[bytes]) -> None:
    """Workers that no longer live need no place among the reports."""
    if workers:
        with contextlib.suppress(StoreUnavailable):
            store.command("HDEL", key, *workers)
