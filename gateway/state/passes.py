"""A pass: public messages of one sender, in one room, at one target, for which this worker need ask nobody.

It is opened where the replica sees nothing in the way, and lasts as long as it has heard of no change and the leases of
the sender's own limits hold: two comparisons a message, no wait. What has no pass is loaded (`gateway.state.loading`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from ratelimit.lease import Lease
from ratelimit.rate import MICROSECONDS


class Ground(Protocol):
    """What a pass stands on."""

    @property
    def changes(self) -> int:
        """A number that grows with everything that the replica learns."""

    @property
    def fresh(self) -> bool:
        """Whether the replica is younger than its deadline."""


class Pass:
    """See the module."""

    __slots__ = ("_changes", "_ground", "_leases")

    def __init__(self, ground: Ground, leases: Sequence[Lease]) -> None:
        """``leases`` are of all the limits that a message is charged to."""
        self._ground = ground
        self._changes = ground.changes
        self._leases = leases

    def left(self) -> int:
        """How many messages may still pass; 0: a new pass is needed."""
        ground = self._ground
        if ground.changes != self._changes or not ground.fresh:
            return 0
        now_us = time.monotonic() * MICROSECONDS
        return min(lease.left if now_us < lease.lapses_us else 0 for lease in self._leases)

    def spend(self, count: int) -> None:
        """So many messages have passed; no more than were `left`."""
        for lease in self._leases:
            lease.left -= count
