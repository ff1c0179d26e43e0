"""The trusted circle (requirement P6): who is no stranger to whom, and why."""

from __future__ import annotations

from enum import IntFlag


class Tie(IntFlag):
    """How an account belongs to a person's circle; several at once are possible. Stored as this number."""

    FRIEND = 1
    FOLLOWED = 2
    """The person follows them."""
    CHOSEN = 4
    """The person has named them one by one."""


STRANGER = Tie(0)
CIRCLE = Tie.FRIEND | Tie.FOLLOWED | Tie.CHOSEN

TIES = {"friends": Tie.FRIEND, "follows": Tie.FOLLOWED, "chosen": Tie.CHOSEN}
"""The names of the kinds, as the control API and the platform write them."""


def kinds_of(ties: Tie) -> tuple[str, ...]:
    """The names of these ties."""
    return tuple(name for name, tie in TIES.items() if tie in ties)
