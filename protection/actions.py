"""What a person's own rules do with what they keep away (requirements P3, P5)."""

from __future__ import annotations

from enum import StrEnum

from protection.verdicts import Disposition


class Action(StrEnum):
    """What becomes of what a person's own rules keep away."""

    REFUSE = "refuse"
    """The sender is told."""
    HIDE = "hide"
    """It looks delivered to the sender."""

    @property
    def disposition(self) -> Disposition:
        """The same, as the decision says it."""
        return Disposition.HIDE if self is Action.HIDE else Disposition.REJECT
