"""Measures against accounts (requirement D2): who decided is the caller's ``sub``."""

from __future__ import annotations

from gateway.api.answers import SanctionsAnswer, TimedChange
from gateway.api.bodies import LiftQuery, Nothing, SanctionBody
from gateway.api.durations import seconds
from gateway.api.operation import Call
from gateway.state.changes import Applied
from protection.sanctions import Measure, Sanction


async def impose(call: Call[SanctionBody]) -> TimedChange:
    """Put an account under a measure; one of the same kind is replaced."""
    wanted, state = call.input, call.gate.state
    until = state.now() + seconds(wanted.duration)
    sanction = Sanction(wanted.measure, until, wanted.reason, by=call.caller.sub)
    return TimedChange.ending(await state.sanction(call.ids["id"], sanction), until)


async def read(call: Call[Nothing]) -> SanctionsAnswer:
    """The measures in force against an account."""
    state = call.gate.state
    now = state.now()
    return SanctionsAnswer(tuple(s for s in state.sanctions_of(call.ids["id"]) if s.active(now)))


async def lift(call: Call[LiftQuery]) -> Applied:
    """Lift one measure, or all of them."""
    measures = tuple(Measure) if call.input.measure is None else (call.input.measure,)
    for measure in measures:
        applied = await call.gate.state.lift(call.ids["id"], measure)
    return applied
