"""Escalation: incidents are handed to moderation after the answer, off the path of the message.

A bounded queue in front of a durable stream. While the store is down the queue holds what it can; what it cannot hold
is counted, and said once in the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence

from gateway import telemetry
from gateway.state.errors import StoreUnavailable
from protection.cases import Case, Incident

logger = logging.getLogger("shieldwire.escalate")

CAPACITY = 10_000
BATCH = 128
RETRY_S = 0.25
FLUSH_S = 2.0

Record = Callable[[Sequence[Incident]], Awaitable[list[Case]]]
"""Writes incidents to the durable stream (`State.record`); raises `StoreUnavailable`."""


class Escalation:
    """The queue and the task that empties it."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._queue: asyncio.Queue[Incident] = asyncio.Queue(CAPACITY)
        self._overflowing = False

    def offer(self, incident: Incident) -> None:
        """Take one incident without ever waiting."""
        try:
            self._queue.put_nowait(incident)
        except asyncio.QueueFull:
            telemetry.INCIDENTS.labels("lost").inc()
            if not self._overflowing:
                logger.error("incidents-lost", extra={"fields": {"capacity": CAPACITY}})
            self._overflowing = True

    async def run(self) -> None:
        """Empty the queue until cancelled, then flush what is left, for at most `FLUSH_S`."""
        try:
            while True:
                await self._hand_over(await self._next_batch())
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    while not self._queue.empty():
                        await self._hand_over(await self._next_batch())
            raise

    async def _next_batch(self) -> list[Incident]:
        batch = [await self._queue.get()]
        while len(batch) < BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    async def _hand_over(self, batch: list[Incident]) -> None:
        """Write one batch, as often as it takes: recording is idempotent per incident."""
        while True:
            try:
                await self._record(batch)
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)
                continue
            telemetry.INCIDENTS.labels("recorded").inc(len(batch))
            self._overflowing = False
            return
