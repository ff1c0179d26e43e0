"""Measures against an account (requirement D2; notice 4.1)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Measure(StrEnum):
    """What is done to the account."""

    MUTE = "mute"


class Sanction(msgspec.Struct, frozen=True):
    """One measure with its end (unix seconds), the reason, and who decided."""

    measure: Measure
    until: float
    reason: str
    by: str

    def active(self, now: float) -> bool:
        """Whether it is in force at ``now``."""
        return now < self.until
