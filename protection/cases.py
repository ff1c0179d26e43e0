"""Cases: what moderators see first (notice 1.2, 1.3). The rules here are pure; `gateway.escalate` carries them out."""

from __future__ import annotations

import msgspec

from filters.hits import Severity
from protection.events import Event, Kind
from protection.verdicts import Disposition, Verdict


class Incident(msgspec.Struct, frozen=True):
    """One refused or masked message, as evidence for a case. ``at`` is unix seconds."""

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


def incident_of(event: Event, verdict: Verdict, room_owner: str, at: float) -> Incident | None:
    """What moderation should hear of this verdict: abuse in the words, or somebody in distress; None for all else."""
    text_spoke = any(signal.stage == "text" and signal.disposition > Disposition.NUDGE for signal in verdict.signals)
    if not text_spoke and not verdict.support:
        return None
    if verdict.support and not text_spoke:  # the person at risk is the sender
        subject, reason = event.sender, "distress"
    else:
        subject = event.target or room_owner or f"room:{event.room}"
        reason = next(s.reason for s in verdict.signals if s.stage == "text" and s.disposition > Disposition.NUDGE)
    return Incident(
        subject=subject,
        sender=event.sender,
        kind=event.kind,
        text=event.text,
        reason=reason,
        disposition=verdict.disposition,
        severe=verdict.support or any(hit.severity is Severity.SEVERE for hit in verdict.hits),
        at=at,
        id=event.id,
        room=event.room,
    )
