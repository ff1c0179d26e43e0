"""Sees to it that people are reminded of the end of their protection, and that what has ended is cleared away.

What is in force never depends on it: that is a function of the time (`protection.protections`). Every worker runs one,
and the store lets one of them do each thing.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import Callable, Iterable
from typing import Protocol

from gateway.state.errors import StoreUnavailable
from gateway.state.replica import Change, Noun
from protection.protections import Protection

RETRY_S = 1.0
LONGEST_PAUSE_S = 60.0
"""The store's clock may be set; so nothing is slept through that is further away than this."""


class Protections(Protocol):
    """What this needs of `gateway.state.state.State`."""

    def now(self) -> float:
        """The store's clock, unix seconds."""

    def protections(self) -> Iterable[tuple[str, Protection]]:
        """Everybody's protection, as it is kept."""

    def kept_protection_of(self, person: str) -> Protection | None:
        """One person's."""

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Hear of every change."""

    async def lapse(self, person: str) -> bool:
        """Carry out what is due; raises `StoreUnavailable`."""


class Lapses:
    """A heap of what will become due. An entry that a later change has made void is found out when its time comes."""

    def __init__(self, state: Protections) -> None:
        self._state = state
        self._due: list[tuple[float, str]] = []
        self._earlier = asyncio.Event()

    async def run(self) -> None:
        """Carry out what becomes due, until cancelled. To be begun when state is loaded."""
        stop = self._state.subscribe(self._changed)
        try:
            self._due = [(protection.due, person) for person, protection in self._state.protections()]
            heapq.heapify(self._due)
            while True:
                await self._carry_out()
                await self._pause()
        finally:
            stop()

    def _changed(self, change: Change) -> None:
        protection = self._state.kept_protection_of(change.id) if change.noun is Noun.PROTECTION else None
        if protection is not None:
            heapq.heappush(self._due, (protection.due, change.id))
            self._earlier.set()

    async def _carry_out(self) -> None:
        while self._due and self._due[0][0] <= self._state.now():
            due, person = heapq.heappop(self._due)
            protection = self._state.kept_protection_of(person)
            if protection is None or protection.due > due:
                continue  # a later entry stands for it, or none is needed
            # Another worker may have been first, or the store's clock, estimated, may have stepped back: look again.
            with contextlib.suppress(StoreUnavailable):
                if await self._state.lapse(person):
                    continue
            heapq.heappush(self._due, (self._state.now() + RETRY_S, person))

    async def _pause(self) -> None:
        left = self._due[0][0] - self._state.now() if self._due else LONGEST_PAUSE_S
        self._earlier.clear()
        try:
            async with asyncio.timeout(min(max(left, 0.0), LONGEST_PAUSE_S)):
                await self._earlier.wait()
        except TimeoutError:
            return
