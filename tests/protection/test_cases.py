"""Which verdicts moderation hears of, and whom they concern."""

from __future__ import annotations

import msgspec
import pytest

from filters.classes import Harm
from filters.hits import Hit, Severity
from protection.cases import Incident, incidents_of
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


def told(event: Event, verdict: Verdict) -> list[Incident]:
    return list(incidents_of(event, verdict, "host", 5.0))


@pytest.mark.req("W6")
@pytest.mark.parametrize(
    ("target", "owner", "subject"), [("victim", "host", "victim"), ("", "host", "host"), ("", "", "room:r")]
)
def test_the_subject_is_the_target_else_the_owner_else_the_room(target: str, owner: str, subject: str) -> None:
    (incident,) = incidents_of(msgspec.structs.replace(EVENT, target=target), INSULT, owner, 5.0)
    assert (incident.subject, incident.severe, incident.at) == (subject, False, 5.0)


@pytest.mark.req("S5")
def test_distress_is_an_urgent_incident_about_the_sender() -> None:
    (incident,) = told(EVENT, DISTRESS)
    assert (incident.subject, incident.reason, incident.severe) == ("stranger", "distress", True)


@pytest.mark.req("S5")
@pytest.mark.parametrize(("chance", "urgent"), [(0.6, True), (0.3, False)])
def test_what_is_rather_no_cry_is_not_urgent(chance: float, urgent: bool) -> None:
    guess = Hit(Harm.DISTRESS, 0, 5, Severity.MILD, "model", "words", chance)
    (incident,) = told(EVENT, Verdict(support=True, hits=(guess,)))
    assert (incident.reason, incident.severe) == ("distress", urgent)


@pytest.mark.req("S5")
def test_a_cry_for_help_beside_an_insult_is_told_of_both_people() -> None:
    both = msgspec.structs.replace(INSULT, support=True, hits=(*INSULT.hits, *DISTRESS.hits))
    about = [(incident.subject, incident.reason, incident.severe) for incident in told(EVENT, both)]
    assert about == [("stranger", "distress", True), ("host", "insult", False)]


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(),
        Verdict(Disposition.NUDGE, "insult", signals=(Signal("text", "insult", Disposition.NUDGE),)),
        Verdict(Disposition.REJECT, "own-word", signals=(Signal("blocklist", "own-word", Disposition.REJECT),)),
        Verdict(Disposition.REJECT, "flood", signals=(Signal("rate", "flood", Disposition.REJECT),)),
    ],
)
def test_what_is_no_abuse_in_words_is_no_incident(verdict: Verdict) -> None:
    assert not told(EVENT, verdict)
