"""Rooms: whose they are and how they are run (requirement S3)."""

from __future__ import annotations

from gateway.api.answers import ModeAnswer, RoomAnswer, TimedChange
from gateway.api.bodies import ModeBody, Nothing, RoomBody
from gateway.api.durations import seconds
from gateway.api.faults import bad_request
from gateway.api.operation import Call
from gateway.state.changes import Applied
from protection.modes import DEFAULT_SLOW_S, Room, RoomMode


async def own(call: Call[RoomBody]) -> Applied:
    """Say whose room it is."""
    return await call.gate.state.set_owner(call.ids["id"], call.input.owner)


async def read(call: Call[Nothing]) -> RoomAnswer:
    """Whose room it is, and how it is run now."""
    room, now = _room(call)
    mode = room.mode_at(now)
    return RoomAnswer(room.owner, mode, _end(room, mode))


async def set_mode(call: Call[ModeBody]) -> TimedChange:
    """Run a room in a mode, for a time or until further notice."""
    wanted, state = call.input, call.gate.state
    if wanted.slow_s is not None and wanted.mode is not RoomMode.SLOW:
        raise bad_request(f"slow_s: belongs to mode slow, not {wanted.mode.value}")
    until = 0.0 if wanted.duration is None else state.now() + seconds(wanted.duration)
    applied = await state.set_mode(call.ids["id"], wanted.mode, until, wanted.slow_s or DEFAULT_SLOW_S)
    return TimedChange.ending(applied, until)


async def read_mode(call: Call[Nothing]) -> ModeAnswer:
    """How a room is run now; a mode that has ended is open again."""
    room, now = _room(call)
    mode = room.mode_at(now)
    return ModeAnswer(mode, _end(room, mode), room.slow_s)


async def clear_mode(call: Call[Nothing]) -> Applied:
    """Open a room again."""
    return await call.gate.state.clear_mode(call.ids["id"])


def _room(call: Call[Nothing]) -> tuple[Room, float]:
    state = call.gate.state
    return state.room(call.ids["id"]) or Room(), state.now()


def _end(room: Room, mode: RoomMode) -> float:
    """When the mode in force ends; 0 for one that has ended already or has no end."""
    return room.until if mode is room.mode else 0.0
