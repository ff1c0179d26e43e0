"""Charges against limits: those that need no store, and the form of those that do. No I/O here.

Three purses, all bounded: leases bought from a shared limit, refusals that will hold for a while yet (a limit only
fills, so a charge that was refused with "come back in t" would be refused until then), and, while the store is away,
limits of this worker's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from cachetools import LRUCache

from gateway.state.link import Argument
from ratelimit import gcra
from ratelimit.gcra import Allowance
from ratelimit.lease import Lease, Terms
from ratelimit.rate import Rate

MOST_KEYS = 65_536
"""Of each purse; the least recently used go first. Forgetting a lease wastes what was paid, never admits more."""


def limit_arguments(rate: Rate, least: int = 1, most: int = 1) -> tuple[Argument, ...]:
    """One limit as ``charge.lua`` takes it."""
    return rate.interval_us, rate.period_us, least, most


def read_charge(reply: Sequence[int], index: int) -> tuple[int, Allowance]:
    """How many events the ``index``-th limit of a ``charge.lua`` reply gave, and the allowance."""
    taken, tat_us, retry_after_us = reply[1 + 3 * index : 4 + 3 * index]
    return taken, Allowance(retry_after_us == 0, tat_us, retry_after_us)


class _Leases(LRUCache[bytes, Lease]):
    """Leases by key. One that is forgotten is void: whoever still holds it must not spend it beside the next."""

    def popitem(self) -> tuple[bytes, Lease]:
        """Forget the least recently used."""
        key, lease = super().popitem()
        lease.left = 0
        return key, lease


class Purse:
    """Leases and standing refusals, by the key of the limit. Times in microseconds of the local steady clock."""

    def __init__(self) -> None:
        self._leases = _Leases(MOST_KEYS)
        self._refused_until: LRUCache[bytes, int] = LRUCache(MOST_KEYS)
        self._buying: set[bytes] = set()

    def spend(self, key: bytes, now_us: int) -> Allowance | None:
        """Spend one leased event, or repeat a refusal that still stands; None: the store must be asked."""
        lease = self._leases.get(key)
        if lease is not None and lease.spend(now_us):
            return Allowance(True, 0)
        return self.refused(key, now_us)

    def lease(self, key: bytes) -> Lease | None:
        """The lease that is held of a limit, if any."""
        return self._leases.get(key)

    def refused(self, key: bytes, now_us: int) -> Allowance | None:
        """The refusal that still stands, if any, with what is left of its wait."""
        left_us = self._refused_until.get(key, 0) - now_us
        return Allowance(False, 0, left_us) if left_us > 0 else None

    def refuse(self, key: bytes, now_us: int, retry_after_us: int) -> None:
        """Remember a refusal for as long as it is bound to stand."""
        self._refused_until[key] = now_us + retry_after_us

    def begin(self, key: bytes, terms: Terms) -> int:
        """How many events to ask for: a lease's worth, or one while a purchase for the same limit is under way.

        So a worker never holds two leases of one limit, on which the bound of `ratelimit.lease` rests. Whoever is
        told more than one must call `end`.
        """
        if key in self._buying:
            return 1
        if terms.quantity > 1:
            self._buying.add(key)
        return terms.quantity

    def end(self, key: bytes, bought: int, lapses_us: int) -> None:
        """The purchase is over: keep what it brought, less the one event that it was made for."""
        self._buying.discard(key)
        if bought > 1:
            self._leases[key] = Lease(bought - 1, lapses_us)


class LocalQuotas:
    """Limits of this worker's own, for while the store is away.

    Strict: each of the workers last known to live gets its part of the rate, so that together they admit no more than
    the rate (but each at least one event a period).
    """

    def __init__(self) -> None:
        self._tats: LRUCache[bytes, int] = LRUCache(MOST_KEYS)

    def charge(self, limits: Sequence[tuple[bytes, Rate]], now_us: int, workers: int) -> list[Allowance]:
        """Charge one event each, all or none; the allowances in order."""
        allowances = []
        for key, rate in limits:
            allowances.append(gcra.charge(self._tats.get(key, 0), now_us, _part(rate, workers)))
        if all(allowance.allowed for allowance in allowances):
            for (key, _), allowance in zip(limits, allowances, strict=True):
                self._tats[key] = allowance.tat_us
        return allowances

    def refund(self, limits: Sequence[tuple[bytes, Rate]], workers: int) -> None:
        """Take a charge back that was allowed a moment ago."""
        for key, rate in limits:
            self._tats[key] = gcra.refund(self._tats.get(key, 0), _part(rate, workers))


def _part(rate: Rate, workers: int) -> Rate:
    return Rate(max(1, rate.limit // max(1, workers)), rate.period_s)
