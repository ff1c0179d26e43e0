"""What the control API answers. Times are unix seconds by the store's clock; 0 means no end."""

from __future__ import annotations

import msgspec

from filters.classes import Harm
from gateway.api.bodies import QuietBody
from gateway.state.changes import Applied
from protection.actions import Action
from protection.blocklist import Listed
from protection.cases import Case, Incident
from protection.dm_rules import Senders
from protection.events import Kind
from protection.modes import RoomMode
from protection.protections import Switch
from protection.sanctions import Sanction
from protection.verdicts import Verdict


class TimedChange(Applied, frozen=True):
    """What has become of a change, and when what it put in force ends."""

    until: float

    @classmethod
    def ending(cls, applied: Applied, until: float) -> TimedChange:
        """What the state says of a change that ends by itself."""
        return cls(applied.epoch, applied.applied, applied.of, applied.durable, until)


class CircleChange(Applied, frozen=True):
    """What has become of a change of a circle, and how many entries it had."""

    entries: int


class ProtectionAnswer(msgspec.Struct, frozen=True):
    """A person's protection now."""

    active: bool
    kinds: tuple[Switch, ...] = ()
    until: float = 0.0
    preset: str = ""


class LinkAnswer(msgspec.Struct, frozen=True):
    """A one-click link; ``told`` says on how many workers its notice reached the person's open sockets, if any."""

    link: str
    expires: float
    told: Applied | None = None


class BlocklistAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person does not want to be told, as they wrote it, and by whom; of ``words`` only, where that is all."""

    words: tuple[str, ...]
    users: tuple[str, ...] = ()
    classes: tuple[Harm, ...] = ()
    hide: tuple[Listed, ...] = ()


class TrustAnswer(msgspec.Struct, frozen=True):
    """Whether the other account is in the person's circle, and as what."""

    trusted: bool
    kinds: tuple[str, ...]


class DmRulesAnswer(msgspec.Struct, frozen=True):
    """A person's rules for direct messages, in the form in which they are set.

    ``own`` says whether they made them themselves; ``minor`` whether they are known to be a minor.
    """

    per_stranger: str | None
    strangers: str | None
    quiet: QuietBody | None
    scope: Senders
    older_than_days: int | None
    until_reply: bool
    refuse_all: bool
    action: Action
    own: bool
    minor: bool


class LimitsAnswer(msgspec.Struct, frozen=True):
    """All limits in force, by name; ``changed`` names those that stand in for the policy file's."""

    limits: dict[str, str]
    changed: tuple[str, ...]


class AccountAnswer(msgspec.Struct, frozen=True):
    """What is known of an account."""

    created: float
    verified: bool
    minor: bool


class ModeAnswer(msgspec.Struct, frozen=True):
    """How a room is run now, and until when."""

    mode: RoomMode
    until: float
    slow_s: int


class RoomAnswer(msgspec.Struct, frozen=True):
    """A room: its owner ("" if unknown), how it is run now, and until when."""

    owner: str
    mode: RoomMode
    until: float


class SanctionsAnswer(msgspec.Struct, frozen=True):
    """The measures in force against an account."""

    sanctions: tuple[Sanction, ...]


class IncidentAnswer(msgspec.Struct, frozen=True):
    """One refused or masked message, as evidence of a case."""

    id: str
    subject: str
    sender: str
    room: str
    kind: Kind
    text: str
    reason: str
    disposition: str
    severe: bool
    at: float

    @classmethod
    def of(cls, incident: Incident) -> IncidentAnswer:
        """The incident, with its disposition as the word of the contract."""
        fields = msgspec.structs.asdict(incident)
        return cls(**{**fields, "disposition": incident.disposition.word})


class CaseAnswer(msgspec.Struct, frozen=True):
    """An open case; ``latest`` holds its newest incidents first."""

    id: str
    subject: str
    room: str
    opened: float
    updated: float
    severe: bool
    incidents: int
    senders: int
    reasons: tuple[str, ...]
    latest: tuple[IncidentAnswer, ...]

    @classmethod
    def of(cls, case: Case) -> CaseAnswer:
        """The case with its incidents as answers."""
        fields = msgspec.structs.asdict(case)
        return cls(**{**fields, "latest": tuple(map(IncidentAnswer.of, case.latest))})


class CasesAnswer(msgspec.Struct, frozen=True):
    """Open cases, the latest first."""

    cases: tuple[CaseAnswer, ...]


class SignalAnswer(msgspec.Struct, frozen=True):
    """One stage's finding, and what it asks for."""

    stage: str
    reason: str
    disposition: str


class HitAnswer(msgspec.Struct, frozen=True):
    """One finding in the text; its place is counted in code points."""

    harm: Harm = msgspec.field(name="class")
    start: int
    end: int
    view: str
    why: str


class VerdictAnswer(msgspec.Struct, frozen=True):
    """A verdict, as ``shieldwire check`` prints it; ``us``: the microseconds that scanning and deciding took."""

    disposition: str
    reason: str
    score: float
    signals: tuple[SignalAnswer, ...]
    hits: tuple[HitAnswer, ...]
    us: float

    @classmethod
    def of(cls, verdict: Verdict, us: float) -> VerdictAnswer:
        """The verdict in the form of the contract."""
        return cls(
            disposition=verdict.disposition.word,
            reason=verdict.reason,
            score=verdict.score,
            signals=tuple(SignalAnswer(s.stage, s.reason, s.disposition.word) for s in verdict.signals),
            hits=tuple(HitAnswer(hit.harm, hit.start, hit.end, hit.view, hit.why) for hit in verdict.hits),
            us=round(us, 1),
        )


class VerdictsAnswer(msgspec.Struct, frozen=True):
    """The verdicts, in the order of the questions."""

    verdicts: tuple[VerdictAnswer, ...]
