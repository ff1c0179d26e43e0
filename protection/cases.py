"""Cases: what moderators see first (notice 1.2, 1.3). The rules here are pure; `gateway.escalate` carries them out."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from filters.classes import Harm
from filters.hits import Severity
from protection.events import Event, Kind
from protection.verdicts import Disposition, Verdict

EVIDENCE_LENGTH = 500
"""Characters of a message that an incident keeps: enough for a moderator, too few to choke the stream with."""


class Incident(msgspec.Struct, frozen=True):
    """One message as evidence for a case: refused, masked, or a cry for help. ``at`` is unix seconds."""

    subject: str
    """The person it was aimed at, else the owner of the room, else ``room:<id>``."""
    sender: str
    kind: Kind
    text: str
    reason: str
    disposition: Disposition
    severe: bool
    at: float
    id: str = ""
    room: str = ""


class Case(msgspec.Struct, frozen=True):
    """An open matter: who is under attack, where, by how many, why, with the latest incidents (newest first)."""

    id: str
    subject: str
    room: str
    opened: float
    updated: float
    severe: bool
    incidents: int
    """How many incidents so far; ``latest`` holds at most the last twenty."""
    senders: int
    reasons: tuple[str, ...]
    latest: tuple[Incident, ...]


def incidents_of(event: Event, verdict: Verdict, room_owner: str, at: float) -> Iterator[Incident]:
    """What moderation should hear of this verdict: abuse in the words, and somebody in distress; mostly nothing."""
    if verdict.support:  # the person at risk is the sender
        # At once for a human; a mere suspicion, for which the support message does no harm, only when it is repeated.
        likely = any(hit.harm is Harm.DISTRESS and hit.likely for hit in verdict.hits)
        yield _incident(event, verdict, event.sender, Harm.DISTRESS.value, severe=likely, at=at)
    abuse = next((s.reason for s in verdict.signals if s.stage == "text" and s.disposition > Disposition.NUDGE), "")
    if abuse:
        subject = event.target or room_owner or f"room:{event.room}"
        severe = any(hit.severity is Severity.SEVERE and hit.harm is not Harm.DISTRESS for hit in verdict.hits)
        yield _incident(event, verdict, subject, abuse, severe, at)


def _incident(event: Event, verdict: Verdict, subject: str, reason: str, severe: bool, at: float) -> Incident:
    return Incident(
        subject=subject,
        sender=event.sender,
        kind=event.kind,
        text=event.text[:EVIDENCE_LENGTH],
        reason=reason,
        disposition=verdict.disposition,
        severe=severe,
        at=at,
        id=event.id,
        room=event.room,
    )
