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
from gateway.state.errors import StoreRefused, StoreUnavailable
from protection.cases import Case, Incident

logger = logging.getLogger("shieldwire.escalate")

CAPACITY = 10_000
BATCH = 32
RETRY_S = 0.25
FLUSH_S = 2.0
MOST_REFUSALS = 40
"""So often a batch is offered to a store that is there but refuses it (out of memory, read-only): ten seconds."""

Record = Callable[[Sequence[Incident]], Awaitable[list[Case]]]
"""Writes incidents to the durable stream (`State.record`); raises `StoreUnavailable`."""


class Escalation:
    """The queue and the task that empties it."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._queue: asyncio.Queue[Incident] = asyncio.Queue(CAPACITY)
        self._batch: list[Incident] = []
        self._losing = False

    def offer(self, incident: Incident) -> None:
        """Take one incident without ever waiting."""
        try:
            self._queue.put_nowait(incident)
        except asyncio.QueueFull:
            self._lose(1)

    async def run(self) -> None:
        """Empty the queue until cancelled, then flush what is left, for at most `FLUSH_S`."""
        try:
            await self._hand_over_all()
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    while self._batch or not self._queue.empty():
                        await self._hand_over(await self._next_batch())
            self._lose(len(self._batch) + self._queue.qsize())

    async def _hand_over_all(self) -> None:
        while True:
            await self._hand_over(await self._next_batch())

    async def _next_batch(self) -> list[Incident]:
        """The incidents to hand over now; a batch stays in hand until it is recorded, also across a cancellation."""
        if not self._batch:
            self._batch.append(await self._queue.get())
        while len(self._batch) < BATCH and not self._queue.empty():
            self._batch.append(self._queue.get_nowait())
        return self._batch

    async def _hand_over(self, batch: list[Incident]) -> None:
        """Write one batch, as often as it takes: recording is idempotent per incident."""
        refusals = 0
        while batch:
            try:
                await self._record(batch)
            except StoreRefused:  # the store is there and does not want it: it must not hold up what comes after
                refusals += 1
                if refusals == MOST_REFUSALS:
                    self._lose(len(batch))
                    batch.clear()
                    return
            except StoreUnavailable:
                pass
            else:
                telemetry.INCIDENTS.labels("recorded").inc(len(batch))
                self._losing = False
                batch.clear()
                return
            await asyncio.sleep(RETRY_S)

    def _lose(self, count: int) -> None:
        if count:
            telemetry.INCIDENTS.labels("lost").inc(count)
            if not self._losing:
                logger.error("incidents-lost", extra={"fields": {"count": count}})
            self._losing = True
