"""One-key protection (requirement P1)."""

from __future__ import annotations

from gateway.api.answers import ProtectionAnswer, TimedChange
from gateway.api.bodies import Nothing, ProtectionBody
from gateway.api.durations import seconds
from gateway.api.operation import Call
from gateway.state.changes import Applied
from protection.protections import PRESETS, Protection


async def engage(call: Call[ProtectionBody]) -> TimedChange:
    """Close a person to strangers, until a time."""
    wanted = call.input
    state = call.gate.state
    preset = PRESETS[wanted.preset]
    kinds = wanted.kinds or preset
    # The name of the preset is kept only where all of it is in force.
    name = wanted.preset if kinds == preset else ""
    protection = Protection.lasting(kinds, state.now(), seconds(wanted.duration), name)
    return TimedChange.ending(await state.engage(call.ids["id"], protection), protection.until)


async def read(call: Call[Nothing]) -> ProtectionAnswer:
    """How a person is protected now."""
    state = call.gate.state
    protection = state.protection_of(call.ids["id"])
    if protection is None or not protection.active(state.now()):
        return ProtectionAnswer(active=False)
    return ProtectionAnswer(True, tuple(sorted(protection.kinds)), protection.until, protection.preset)


async def release(call: Call[Nothing]) -> Applied:
    """End a person's protection; switches that they had closed one by one before a preset stay closed."""
    return await call.gate.state.release(call.ids["id"])
