"""The policy: what each class of harm leads to, and how fast strangers may speak. Data, with shipped defaults."""

from __future__ import annotations

import msgspec

from filters import standard
from filters.classes import Harm
from filters.hits import Severity
from protection.verdicts import Disposition
from ratelimit.rate import Rate


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

BUILT = frozenset({Disposition.ALLOW, Disposition.NUDGE, Disposition.MASK, Disposition.REJECT, Disposition.DISCONNECT})
"""The dispositions that this version carries out. HIDE and HOLD are not built: a policy asking for them is refused."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rates, per sender unless said otherwise."""

    flood: Rate = Rate(20, 10)
    """Public messages of one sender in one room."""
    dm_flood: Rate = Rate(30, 60)
    """DMs of one sender to anybody."""
    stranger_dm: Rate = Rate(5, 600)
    """DMs of one stranger to one person."""
    strangers_dm: Rate = Rate(60, 600)
    """DMs of all strangers together to one person."""


class CaseRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When refused messages become a case for moderators."""

    repeated: int = 3
    """So many refused messages at one target ..."""
    window_s: int = 60
    """... within so many seconds open a case; a severe hit opens one at once."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that operators may set about judgement."""

    ladders: dict[Harm, Ladder] = msgspec.field(default_factory=dict)
    """Overrides of the shipped ladders."""
    limits: Limits = Limits()
    cases: CaseRules = CaseRules()

    def __post_init__(self) -> None:
        """Complete the ladders with the shipped ones; refuse what is not built."""
        for harm, ladder in self.ladders.items():
            for disposition in ladder:
                if disposition not in BUILT:
                    raise PolicyError(f"ladder of {harm.value}: {disposition.word} is not built in this version")
        if any(step > Disposition.ALLOW for step in self.ladders.get(Harm.DISTRESS, ())):
            raise PolicyError("ladder of distress: a cry for help is never punished")
        msgspec.structs.force_setattr(self, "ladders", {**DEFAULT_LADDERS, **self.ladders})

    def disposition_of(self, harm: Harm, severity: Severity) -> Disposition:
        """What a hit of this class and severity leads to."""
        return self.ladders[harm][severity - 1]
