"""The answer of the decision: a disposition, its reason, and every signal that spoke."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from filters.hits import Hit


class Disposition(IntEnum):
    """What is done with a message, in rising severity: of several signals the most severe wins."""

    ALLOW = 0
    NUDGE = 1
    MASK = 2
    HIDE = 3
    HOLD = 4
    REJECT = 5
    DISCONNECT = 6

    @property
    def word(self) -> str:
        """The name on the wire, in policies and in metrics."""
        return self.name.lower()


class Signal(msgspec.Struct, frozen=True):
    """One stage's finding: which stage, why, what it asks for, and after how many seconds another try makes sense."""

    stage: str
    reason: str
    disposition: Disposition
    retry_after: float = 0.0


class Verdict(msgspec.Struct, frozen=True):
    """What is done with one `Event`, and why.

    ``reason`` and ``retry_after`` are those of the winning signal; ``text`` is the masked text where the disposition is
    MASK, or HIDE of a text that would be masked otherwise; ``support`` asks for a support message to the sender
    (requirement S5).
    """

    disposition: Disposition = Disposition.ALLOW
    reason: str = ""
    retry_after: float = 0.0
    score: float = 0.0
    signals: tuple[Signal, ...] = ()
    hits: tuple[Hit, ...] = ()
    text: str = ""
    support: bool = False

    def without_hiding(self) -> Verdict:
        """What the sender of a hidden message may see: the verdict that there would be if nobody hid anything."""
        if self.disposition is not Disposition.HIDE:
            return self
        rest = [signal for signal in self.signals if signal.disposition is not Disposition.HIDE]
        shown = max(rest, key=lambda signal: signal.disposition, default=Signal("", "", Disposition.ALLOW))
        return msgspec.structs.replace(
            self, disposition=shown.disposition, reason=shown.reason, retry_after=shown.retry_after, signals=tuple(rest)
        )
