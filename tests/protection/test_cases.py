"""Which verdicts moderation hears of, and whom they concern."""

from __future__ import annotations

import msgspec
import pytest

from filters.classes import Harm
from filters.hits import Hit, Severity
from protection.cases import incident_of
from protection.events import Event, Kind
from protection.verdicts import Disposition, Signal, Verdict

EVENT = Event(Kind.BARRAGE, "stranger", "words", id="7", room="r")
INSULT = Verdict(
    Disposition.REJECT,
    "insult",
    signals=(Signal("text", "insult", Disposition.REJECT),),
    hits=(Hit(Harm.INSULT, 0, 5, Severity.SERIOUS, "raw", "words"),),
)
DISTRESS = Verdict(support=True, hits=(Hit(Harm.DISTRESS, 0, 5, Severity.SEVERE, "raw", "words"),))


@pytest.mark.req("W6")
@pytest.mark.parametrize(
    ("target", "owner", "subject"), [("victim", "host", "victim"), ("", "host", "host"), ("", "", "room:r")]
)
def test_the_subject_is_the_target_else_the_owner_else_the_room(target: str, owner: str, subject: str) -> None:
    incident = incident_of(msgspec.structs.replace(EVENT, target=target), INSULT, owner, 5.0)
    assert incident is not None
    assert (incident.subject, incident.severe, incident.at) == (subject, False, 5.0)


@pytest.mark.req("S5")
def test_distress_is_an_urgent_incident_about_the_sender() -> None:
    incident = incident_of(EVENT, DISTRESS, "host", 5.0)
    assert incident is not None
    assert (incident.subject, incident.reason, incident.severe) == ("stranger", "distress", True)


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(),
        Verdict(Disposition.NUDGE, "insult", signals=(Signal("text", "insult", Disposition.NUDGE),)),
        Verdict(Disposition.REJECT, "flood", signals=(Signal("rate", "flood", Disposition.REJECT),)),
    ],
)
def test_what_is_no_abuse_in_words_is_no_incident(verdict: Verdict) -> None:
    assert incident_of(EVENT, verdict, "host", 5.0) is None
