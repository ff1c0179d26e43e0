"""Measures against an account (requirement D2; notice 4.1): all that each of them means, in one table."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from protection.events import Kind
from protection.verdicts import Disposition


class Measure(StrEnum):
    """What is done to the account."""

    MUTE = "mute"
    SUSPEND_DM = "suspend-dm"
    CLOSE = "close"


class MeasureRule(msgspec.Struct, frozen=True):
    """What a measure keeps away, the reason given to the account, and whether it is let in at all."""

    reason: str
    kinds: frozenset[Kind] = frozenset(Kind)
    disposition: Disposition = Disposition.REJECT
    shuts_out: bool = False
    """Its sockets are closed, and it can open none and send no request."""


MEASURE_RULES: dict[Measure, MeasureRule] = {
    Measure.MUTE: MeasureRule("muted"),
    Measure.SUSPEND_DM: MeasureRule("dm-suspended", frozenset((Kind.DM,))),
    Measure.CLOSE: MeasureRule("account-closed", disposition=Disposition.DISCONNECT, shuts_out=True),
}


class Sanction(msgspec.Struct, frozen=True):
    """One measure with its end (unix seconds), the reason, and who decided."""

    measure: Measure
    until: float
    reason: str
    by: str

    def active(self, now: float) -> bool:
        """Whether it is in force at ``now``."""
        return now < self.until

    def refuses(self, kind: Kind, now: float) -> bool:
        """Whether a message of this kind is kept away at ``now``."""
        return self.active(now) and kind in MEASURE_RULES[self.measure].kinds

    def shuts_out(self, now: float) -> bool:
        """Whether the account is not let in at ``now``."""
        return self.active(now) and MEASURE_RULES[self.measure].shuts_out
