"""The trusted circle (requirement P6): friends, people whom the person follows, accounts that they have chosen."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.api.answers import CircleChange, TrustAnswer
from gateway.api.bodies import CircleBody, CircleEntry, CircleKind, Nothing, TieBody
from gateway.api.faults import bad_request
from gateway.api.operation import Call
from gateway.api.reading import list_of
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


async def change(call: Call[CircleBody]) -> CircleChange:
    """Take many accounts into a circle and out of it; as a list or NDJSON, any number of them.

    Each part is in force when the next is read. Should the store be lost in between, or an entry make no sense, what
    came before stands; repeating the whole call is harmless.
    """
    feed = call.feed or list_of(_entries(call.input))
    taken, applied = 0, None
    async for entries in feed:
        applied = await _take(call, entries)
        taken += len(entries)
    if applied is None:
        raise bad_request("body: at least one account is needed")
    return CircleChange(applied.epoch, applied.applied, applied.of, applied.durable, taken)


def _entries(wanted: CircleBody) -> list[CircleEntry]:
    """The entries of a body that names them by what is to be done."""
    if not (wanted.add or wanted.remove):
        raise bad_request("add, remove: at least one account is needed")
    if not set(wanted.add).isdisjoint(wanted.remove):
        raise bad_request("remove: an account cannot be both added and removed")
    added = [CircleEntry(other, wanted.kind) for other in wanted.add]
    return added + [CircleEntry(other, wanted.kind, remove=True) for other in wanted.remove]


async def _take(call: Call[CircleBody], entries: Sequence[str | CircleEntry]) -> Applied:
    """Carry some entries out; of two about the same account and kind, the later one."""
    person, state = call.ids["id"], call.gate.state
    wanted: dict[tuple[str, CircleKind], bool] = {}
    for entry in entries:
        each = CircleEntry(entry) if isinstance(entry, str) else entry
        wanted[each.id, each.kind] = each.remove
    by_change: dict[tuple[bool, CircleKind], list[str]] = {}
    for (other, kind), remove in wanted.items():
        by_change.setdefault((remove, kind), []).append(other)
    for (remove, kind), others in by_change.items():
        applied = await (state.untie if remove else state.tie)(person, others, TIES[kind])
    return applied
