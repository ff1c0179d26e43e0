"""The generic cell rate algorithm, as pure arithmetic on integers.

A limit is one number: the *theoretical arrival time* (TAT) at which the next event would be due if events came evenly.
Each event moves it by one emission interval; an event is refused when that would carry it further than one period
ahead of now. `gcra.lua` does the same steps inside the store; a test holds the two together.

Source: ITU-T I.371 (virtual scheduling form); redis-cell, `src/cell/store.rs`.
"""

from __future__ import annotations

import msgspec

from ratelimit.rate import Rate


class Allowance(msgspec.Struct, frozen=True):
    """The answer to one charge. Times are in microseconds."""

    allowed: bool
    tat_us: int
    """The theoretical arrival time to keep; unchanged when refused, unless it was that of a former, slower rate."""
    retry_after_us: int = 0
    """How long until the same charge would be allowed; 0 when it was."""


def charge(tat_us: int, now_us: int, rate: Rate, quantity: int = 1) -> Allowance:
    """Charge ``quantity`` events against a limit whose state is ``tat_us`` (0 for a fresh one) at time ``now_us``.

    A quantity above the rate's limit can never be allowed and is a `ValueError` of the caller.
    """
    if not 1 <= quantity <= rate.limit:
        raise ValueError(f"quantity {quantity} is outside 1..{rate.limit}")
    # Further ahead than one period is only what was charged under a former, slower rate: full, and no more than full.
    tat_us = min(tat_us, now_us + rate.period_us)
    arrival = max(tat_us, now_us) + quantity * rate.interval_us
    excess = arrival - now_us - rate.period_us
    if excess > 0:
        return Allowance(False, tat_us, excess)
    return Allowance(True, arrival)


def free(tat_us: int, now_us: int, rate: Rate) -> int:
    """How many events could be charged at once, now: the largest quantity that `charge` allows, or 0."""
    ahead_us = max(tat_us - now_us, 0)
    return max((rate.period_us - ahead_us) // rate.interval_us, 0)


def refund(tat_us: int, rate: Rate, quantity: int = 1) -> int:
    """Take back ``quantity`` events charged a moment ago: the arrival time to keep.

    Exact unless the limit had fallen idle and was charged again since, which takes an emission interval; then what is
    given back may reach into that later charge.
    """
    return tat_us - quantity * rate.interval_us
