"""What the text filters find: hits with their place in the original text."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from filters.classes import Harm


class Severity(IntEnum):
    """How grave one hit is. Policy, not the filter, turns it into a disposition."""

    MILD = 1
    """Unfriendly: worth a reminder before posting."""
    SERIOUS = 2
    """Abuse: the words should not arrive."""
    SEVERE = 3
    """Abuse that a human should see: threats, forcing to self-harm, exposure of private data."""


MODEL = "model"
"""The view of hits that the content model found."""


class Hit(msgspec.Struct, frozen=True):
    """One finding in a text.

    ``start`` and ``end`` are code point offsets into the original text (half-open), never into a folded view.
    ``view`` names the view of the text in which it was found (``raw`` is the folded text itself); ``why`` is the
    rule that fired (for a term: the term as the lexicon writes it; for the model: the clause it rates highest).
    ``chance`` is how likely the text is what the hit says: the model's calibrated probability, and 1 for a rule.
    """

    harm: Harm = msgspec.field(name="class")
    start: int
    end: int
    severity: Severity
    view: str
    why: str
    chance: float = 1.0

    @property
    def likely(self) -> bool:
        """Whether it is likelier than not."""
        return self.chance >= 0.5


class Scan(msgspec.Struct, frozen=True):
    """All findings in one text, ordered by place, and one score for ranking texts by hostility (0 to 1)."""

    hits: tuple[Hit, ...] = ()
    score: float = 0.0


CLEAN = Scan()
"""The scan of a text in which nothing was found."""
