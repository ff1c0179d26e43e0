"""Verdicts without traffic: the same scan and the same decision as on the wire, for a message that is not sent.

Asking is not sending. No charge is taken and none is looked at, so a verdict says nothing about quotas: neither the
sender's nor the target's count moves, and the message itself, when it comes, is charged once.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from gateway.api.answers import VerdictAnswer, VerdictsAnswer
from gateway.api.bodies import Question, Questions
from gateway.api.gate import Gate
from gateway.api.operation import Call
from gateway.state.state import State
from protection.circle import STRANGER
from protection.concern import people
from protection.dm_rules import Account
from protection.events import Event, Kind
from protection.modes import RoomMode
from protection.snapshot import Concerned, Role, Snapshot


async def ask(call: Call[Question | Questions]) -> VerdictAnswer | VerdictsAnswer:
    """What would become of a message, or of each of several, if it were sent now."""
    asked = call.input
    if isinstance(asked, Question):
        return await _judge(call.gate, asked)
    verdicts = []
    for question in asked.events:
        verdicts.append(await _judge(call.gate, question))
        await asyncio.sleep(0)  # a batch must not delay the sockets of this worker by more than one scan
    return VerdictsAnswer(tuple(verdicts))


async def _judge(gate: Gate, question: Question) -> VerdictAnswer:
    event = Event(
        kind=question.kind,
        sender=question.sender,
        text=question.text,
        target=question.target or "",
        room=question.room or "",
        mentions=question.mentions,
    )
    snapshot = await unsent(gate.state, event)
    started = perf_counter()
    rules = gate.rules()
    verdict = rules.judge(event, snapshot)
    us = (perf_counter() - started) * 1e6
    return VerdictAnswer.of(rules.explained(event.text, verdict), us)


async def unsent(state: State, event: Event) -> Snapshot:
    """What `State.load` would see, without its charges. Raises `StoreUnavailable`: who only asks can ask again."""
    now = state.now()
    room = state.room(event.room) if event.room else None
    concerned = people(event, room)
    protections = {person: state.protection_of(person) for person in concerned}
    asked = [p for p, protection in protections.items() if protection is not None and protection.active(now)]
    if room is not None and room.owner in concerned and room.mode_at(now) is RoomMode.CIRCLE_ONLY:
        asked.append(room.owner)
    rules = state.dm_rules_of(event.target) if event.kind is Kind.DM and event.target else None
    if rules is not None and event.target in concerned:
        asked.append(event.target)
    account = await state.account(event.sender) if rules is not None and rules.asks_account else Account()
    ties = dict(zip(asked, await asyncio.gather(*(state.known_ties(p, event.sender) for p in asked)), strict=True))
    return Snapshot(
        now=now,
        sanctions=state.sanctions_of(event.sender),
        sender=account,
        room=room,
        concerned=tuple(
            Concerned(
                person,
                role,
                protections[person],
                ties.get(person, STRANGER),
                state.blocked_by(person),
                rules if role is Role.TARGET else None,
            )
            for person, role in concerned.items()
        ),
        fresh=state.status().fresh,
    )
