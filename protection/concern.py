"""Whom an event concerns, and how."""

from __future__ import annotations

from protection.events import Event
from protection.modes import Room
from protection.snapshot import Role


def people(event: Event, room: Room | None) -> dict[str, Role]:
    """The persons an event concerns, each by the strongest role; never the sender.

    Somebody who is aimed at and mentioned is listed as TARGET or OWNER; that they are mentioned too, the event says.
    """
    owner = room.owner if room is not None else ""
    roles = ((event.target, Role.TARGET), (owner, Role.OWNER), *((person, Role.MENTION) for person in event.mentions))
    concerned: dict[str, Role] = {}
    for person, role in roles:
        if person and person != event.sender:
            concerned.setdefault(person, role)
    return concerned
