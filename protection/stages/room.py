"""May the sender speak in this room, in its present mode (requirement S3)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.hits import Scan
from protection.events import Event
from protection.modes import MODE_RULES, Audience, Room
from protection.policy import Policy
from protection.snapshot import Snapshot
from protection.verdicts import Disposition, Signal


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Refuse whoever the room's mode does not let speak. Slow mode is a rate and belongs to the rate stage."""
    room = snapshot.room
    if room is None:
        return
    rule = MODE_RULES[room.mode_at(snapshot.now)]
    if not _may_speak(rule.speakers, event, room, snapshot):
        retry_after = max(0.0, room.until - snapshot.now) if room.until else 0.0
        yield Signal("room", rule.reason, Disposition.REJECT, retry_after)


def _may_speak(speakers: Audience, event: Event, room: Room, snapshot: Snapshot) -> bool:
    owns = bool(room.owner) and event.sender == room.owner
    match speakers:
        case Audience.ANYONE:
            return True
        case Audience.CIRCLE:
            return owns or any(c.person == room.owner and c.trusted for c in snapshot.concerned)
        case Audience.OWNER:
            return owns
        case Audience.NOBODY:
            return False
