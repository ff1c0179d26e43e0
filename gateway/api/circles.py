"""The trusted circle (requirement P6): friends, people whom the person follows, accounts that they have chosen."""

from __future__ import annotations

from gateway.api.answers import TrustAnswer
from gateway.api.bodies import CircleBody, Nothing, TieBody
from gateway.api.faults import bad_request
from gateway.api.operation import Call
from gateway.state.changes import Applied
from protection.circle import TIES, kinds_of


async def trust(call: Call[TieBody]) -> Applied:
    """Take one account into a person's circle."""
    return await call.gate.state.tie(call.ids["id"], [call.ids["other"]], TIES[call.input.kind])


async def is_trusted(call: Call[Nothing]) -> TrustAnswer:
    """Whether an account is in a person's circle, and as what."""
    ties = await call.gate.state.ties(call.ids["id"], call.ids["other"])
    return TrustAnswer(bool(ties), kinds_of(ties))


async def distrust(call: Call[Nothing]) -> Applied:
    """Take one account out of a person's circle, whatever it was there."""
    return await call.gate.state.untie(call.ids["id"], [call.ids["other"]])


async def change(call: Call[CircleBody]) -> Applied:
    """Take many accounts into a circle and out of it: first in, then out.

    Should the store be lost between the two, the caller gets a 503; repeating the whole call is harmless.
    """
    person, wanted, state = call.ids["id"], call.input, call.gate.state
    if not (wanted.add or wanted.remove):
        raise bad_request("add, remove: at least one account is needed")
    if not set(wanted.add).isdisjoint(wanted.remove):
        raise bad_request("remove: an account cannot be both added and removed")
    if wanted.add:
        applied = await state.tie(person, wanted.add, TIES[wanted.kind])
    if wanted.remove:
        applied = await state.untie(person, wanted.remove, TIES[wanted.kind])
    return applied
