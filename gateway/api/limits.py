"""The limits in force, and live changes of them (requirements P3, S1, O3): no restart, no socket lost."""

from __future__ import annotations

import msgspec

from gateway.api.answers import LimitsAnswer
from gateway.api.bodies import LimitsBody, Nothing
from gateway.api.dm_rules import read_rate
from gateway.api.faults import bad_request
from gateway.api.operation import Call
from gateway.state.changes import Applied


async def put(call: Call[LimitsBody]) -> Applied:
    """Put limits in force instead of those of the policy file; those that are not named are as in the file."""
    named = {name: value for name, value in msgspec.structs.asdict(call.input).items() if value is not None}
    if not named:
        raise bad_request(f"body: name at least one of {', '.join(LimitsBody.__struct_fields__)}")
    limits = {name: rate for name, value in named.items() if (rate := read_rate(value, name)) is not None}
    return await call.gate.state.set_limits(limits)


async def read(call: Call[Nothing]) -> LimitsAnswer:
    """The limits in force, and which of them stand in for those of the policy file."""
    in_force = call.gate.state.limits()
    limits = {**msgspec.structs.asdict(in_force), "sender_flood": in_force.in_all_rooms}
    changed = call.gate.state.live_limits()
    return LimitsAnswer({name: str(rate) for name, rate in limits.items()}, tuple(sorted(changed)))


async def clear(call: Call[Nothing]) -> Applied:
    """Put the limits of the policy file in force again."""
    return await call.gate.state.set_limits({})
