"""The policy: what each class of harm leads to, and how fast strangers may speak. Data, with shipped defaults."""

from __future__ import annotations

from math import isfinite

import msgspec

from filters import standard
from filters.classes import Harm
from filters.hits import Severity
from filters.thresholds import Threshold, Thresholds
from protection.events import Kind
from protection.risk import Level
from protection.verdicts import Disposition
from ratelimit.rate import MICROSECONDS, Rate


class PolicyError(ValueError):
    """A policy that cannot be carried out; the fault is the writer's."""


Ladder = tuple[Disposition, Disposition, Disposition]
"""What a mild, a serious and a severe hit of one class lead to."""


def _ladder(scale: standard.Scale) -> Ladder:
    mild, serious, severe = (Disposition[scale[severity].disposition.upper()] for severity in Severity)
    return mild, serious, severe


DEFAULT_LADDERS: dict[Harm, Ladder] = {
    harm: _ladder(each.severity) for harm, each in standard.shipped().classes.items()
}
"""Those of the classification standard."""

BUILT = frozenset(Disposition) - {Disposition.HOLD}
"""The dispositions that this version carries out. HOLD is not built: a policy asking for it is refused."""


class Sensitivity(Thresholds, frozen=True, forbid_unknown_fields=True):
    """From which logits on the content model's hits count: by class, and shifted by kind and level of risk.

    A logit is the logarithm of the odds: 0 is 50 %, 2 is 88 %. Where abuse is more frequent, the same words are more
    likely abuse, and Bayes' rule adds the logarithm of the odds' ratio to their logit: a shift of -0.7 says that abuse
    is twice as frequent there. What makes a cry for help is shifted by nothing.
    """

    kinds: dict[Kind, float] = msgspec.field(default_factory=dict)
    levels: dict[Level, float] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what is no number."""
        Thresholds.__post_init__(self)
        points = (self.usual, *self.classes.values())
        numbers = (self.distress, *self.kinds.values(), *self.levels.values())
        if not all(map(isfinite, (*numbers, *(one.flag for one in points), *(one.refuse for one in points)))):
            raise ValueError("inf and nan are no thresholds; 99 is never reached")

    def of_place(self, kind: Kind, level: Level) -> Thresholds:
        """For messages of one kind at one level of risk."""
        shift = self.kinds.get(kind, 0.0) + self.levels.get(level, 0.0)
        classes = {harm: _shifted(one, shift) for harm, one in self.classes.items()}
        return Thresholds(_shifted(self.usual, shift), self.distress, classes)


def _shifted(threshold: Threshold, shift: float) -> Threshold:
    return Threshold(threshold.flag + shift, threshold.refuse + shift)


ROOMS_AT_ONCE = 3


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rates, per sender unless said otherwise."""

    flood: Rate = Rate(20, 10)
    """Public messages of one sender in one room."""
    dm_flood: Rate = Rate(30, 60)
    """DMs of one sender to anybody."""
    sender_flood: Rate | None = None
    """Public messages of one sender in all rooms together; None: what `ROOMS_AT_ONCE` rooms take."""
    strangers_reached: Rate = Rate(60, 3600)
    """Strangers whom one sender may write to: so many different ones in any time so long."""
    stranger_dm: Rate = Rate(5, 600)
    """DMs of one stranger to one person."""
    strangers_dm: Rate = Rate(60, 600)
    """DMs of all strangers together to one person."""

    @property
    def in_all_rooms(self) -> Rate:
        """The limit of one sender's public messages in all rooms together."""
        if self.sender_flood is not None:
            return self.sender_flood
        most = self.flood.period_s * MICROSECONDS
        return Rate(min(ROOMS_AT_ONCE * self.flood.limit, most), self.flood.period_s)


class CaseRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When refused messages become a case for moderators."""

    repeated: int = 3
    """So many refused messages at one target ..."""
    window_s: int = 60
    """... within so many seconds open a case; a severe hit opens one at once."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """All that operators may set about judgement."""

    ladders: dict[Harm, Ladder] = msgspec.field(default_factory=dict)
    """Overrides of the shipped ladders."""
    limits: Limits = Limits()
    cases: CaseRules = CaseRules()
    sensitivity: Sensitivity = msgspec.field(default_factory=Sensitivity.shipped)

    def __post_init__(self) -> None:
        """Complete the ladders with the shipped ones; refuse what is not built."""
        for harm, ladder in self.ladders.items():
            for disposition in ladder:
                if disposition not in BUILT:
                    raise PolicyError(f"ladder of {harm.value}: {disposition.word} is not built in this version")
        if any(step > Disposition.ALLOW for step in self.ladders.get(Harm.DISTRESS, ())):
            raise PolicyError("ladder of distress: a cry for help is never punished")
        msgspec.structs.force_setattr(self, "ladders", {**DEFAULT_LADDERS, **self.ladders})
        # Each message asks: they are made once.
        places = {(kind, level): self.sensitivity.of_place(kind, level) for kind in Kind for level in Level}
        self.__dict__["_places"] = places

    def thresholds_of(self, kind: Kind, level: Level) -> Thresholds:
        """From which logits on the model's hits count, in messages of one kind at one level of risk."""
        places: dict[tuple[Kind, Level], Thresholds] = self.__dict__["_places"]
        return places[kind, level]

    def disposition_of(self, harm: Harm, severity: Severity) -> Disposition:
        """What a hit of this class and severity leads to."""
        return self.ladders[harm][severity - 1]
