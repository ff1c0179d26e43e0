"""Prepaid leases: a node buys a few events at once from the shared limit and spends them without asking again.

The bound. Let the shared limit be a GCRA of rate r, let a lease hold k events and live for L. Whatever is spent was
paid for before, at most L earlier. So in any window the nodes together admit at most what the shared limit alone
could have admitted in that window, plus

    min(nodes * (k - 1), r * L)

The first bound: when the window opens, a node holds at most one lease, of which at least one event is already spent
(it was bought to be spent). The second: whatever was carried into the window was bought in the L before it, so the
window is at most a window longer by L, and that admits r * L more. Counting first and paying later has no such bound.

`terms` lives for exactly the time in which the rate brings forth k events, hence r * L = k. That choice has a second
use: when a lease expires unspent, the shared limit has meanwhile drained by all that was paid for it, so unspent
events never add up against an honest sender.

Unlike the other values here a lease changes: it is one node's own purse, never shared.
"""

from __future__ import annotations

import msgspec

from ratelimit.rate import Rate

SHARE = 4
"""A lease holds this fraction of the rate's limit: a sender pays once for so many events, and may waste so many."""


class Terms(msgspec.Struct, frozen=True):
    """What to buy: how many events (k) and for how long they may be spent (L, microseconds)."""

    quantity: int
    life_us: int


def terms(rate: Rate) -> Terms:
    """The terms on which events of this rate are leased."""
    quantity = max(1, rate.limit // SHARE)
    return Terms(quantity, quantity * rate.interval_us)


def excess_bound(rate: Rate, terms: Terms, nodes: int) -> int:
    """How many events ``nodes`` may together admit in any window beyond what the rate itself admits there."""
    return min(nodes * (terms.quantity - 1), -(-terms.life_us // rate.interval_us))


class Lease(msgspec.Struct):
    """Events paid for: how many are left, and when (microseconds of the holder's steady clock) they lapse.

    The holder counts the life from the moment it *asked*: the store charged no earlier, so no event outlives L.
    """

    left: int
    lapses_us: int

    def spend(self, now_us: int) -> bool:
        """Spend one event, if one is left and the lease has not lapsed."""
        if self.left < 1 or now_us >= self.lapses_us:
            return False
        self.left -= 1
        return True
