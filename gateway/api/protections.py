"""One-key protection and the trusted circle (requirements P1, P6)."""

from __future__ import annotations

from gateway.api.answers import ProtectionAnswer, TimedChange, TrustAnswer
from gateway.api.bodies import CircleBody, Nothing, ProtectionBody
from gateway.api.durations import seconds
from gateway.api.faults import bad_request
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


async def trust(call: Call[Nothing]) -> Applied:
    """Take one account into a person's circle."""
    return await call.gate.state.trust(call.ids["id"], [call.ids["other"]])


async def is_trusted(call: Call[Nothing]) -> TrustAnswer:
    """Whether an account is in a person's circle."""
    return TrustAnswer(await call.gate.state.is_trusted(call.ids["id"], call.ids["other"]))


async def distrust(call: Call[Nothing]) -> Applied:
    """Take one account out of a person's circle."""
    return await call.gate.state.distrust(call.ids["id"], [call.ids["other"]])


async def change_circle(call: Call[CircleBody]) -> Applied:
    """Take many accounts into a circle and out of it: first in, then out.

    Should the store be lost between the two, the caller gets a 503; repeating the whole call is harmless.
    """
    person, wanted, state = call.ids["id"], call.input, call.gate.state
    if not (wanted.add or wanted.remove):
        raise bad_request("add, remove: at least one account is needed")
    if not set(wanted.add).isdisjoint(wanted.remove):
        raise bad_request("remove: an account cannot be both added and removed")
    if wanted.add:
        applied = await state.trust(person, wanted.add)
    if wanted.remove:
        applied = await state.distrust(person, wanted.remove)
    return applied
