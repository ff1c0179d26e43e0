"""An estimate of the store's clock, so that all nodes agree on the time without agreeing on their own clocks."""

from __future__ import annotations

GOOD_ROUND_TRIP_S = 0.1
"""A slower answer says little about the time and is used only while there is nothing better."""


class StoreClock:
    """Told of the store's answers to TIME and of the local steady clock (seconds); asks neither itself.

    Until the first answer it goes by the local wall clock.
    """

    def __init__(self, wall_s: float, steady_s: float) -> None:
        self._offset_s = wall_s - steady_s
        self._round_trip_s = float("inf")

    def sample(self, asked_s: float, answered_s: float, store_s: float) -> None:
        """Take in one answer. The estimate is wrong by at most half of the round trip, plus later drift."""
        round_trip_s = answered_s - asked_s
        if round_trip_s <= GOOD_ROUND_TRIP_S or round_trip_s < self._round_trip_s:
            self._round_trip_s = round_trip_s
            self._offset_s = store_s - (asked_s + answered_s) / 2

    def now(self, steady_s: float) -> float:
        """The store's time (unix seconds) at this moment of the local steady clock."""
        return self._offset_s + steady_s
