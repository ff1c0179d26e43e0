"""Escalation: nothing that was offered is lost while it can be kept, and what is lost is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY

from gateway import escalate
from gateway.escalate import Escalation
from gateway.state.errors import StoreRefused, StoreUnavailable
from protection.cases import Case, Incident
from protection.events import Kind
from protection.verdicts import Disposition
from tests.doubles import until


def incident(number: int) -> Incident:
    return Incident("victim", "s", Kind.CHAT, "words", "insult", Disposition.REJECT, False, 1.0, str(number))


def counted(fate: str) -> float:
    return REGISTRY.get_sample_value("shieldwire_incidents_total", {"fate": fate}) or 0.0


class Stream:
    """The durable stream, which may be away."""

    def __init__(self) -> None:
        self.error: type[StoreUnavailable] | None = None
        self.recorded: list[str] = []
        self.calls = 0

    async def record(self, incidents: Sequence[Incident]) -> list[Case]:
        self.calls += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error("away")
        self.recorded += [one.id for one in incidents]
        return []


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalate, "RETRY_S", 0.001)
    monkeypatch.setattr(escalate, "FLUSH_S", 0.2)


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.req("W6")
async def test_an_outage_delays_incidents_and_loses_none() -> None:
    stream, numbers = Stream(), [str(number) for number in range(300)]
    stream.error = StoreUnavailable
    escalation = Escalation(stream.record)
    task = asyncio.create_task(escalation.run())
    for number in range(300):
        escalation.offer(incident(number))
    await until(lambda: stream.calls > 3)
    stream.error = None
    await until(lambda: stream.recorded == numbers)
    await end(task)


async def test_at_the_end_the_batch_in_hand_is_flushed_too() -> None:
    stream, before = Stream(), counted("lost")
    stream.error = StoreUnavailable
    escalation = Escalation(stream.record)
    task = asyncio.create_task(escalation.run())
    escalation.offer(incident(1))
    await until(lambda: stream.calls > 1)
    task.cancel()
    await asyncio.sleep(0)
    stream.error = None
    await asyncio.gather(task, return_exceptions=True)
    assert (stream.recorded, counted("lost")) == (["1"], before)


async def test_what_cannot_be_flushed_or_held_is_counted_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalate, "CAPACITY", 5)
    stream, before = Stream(), counted("lost")
    stream.error = StoreUnavailable
    escalation = Escalation(stream.record)
    for number in range(8):
        escalation.offer(incident(number))
    assert counted("lost") == before + 3
    task = asyncio.create_task(escalation.run())
    await until(lambda: stream.calls > 1)
    await end(task)
    assert counted("lost") == before + 8


async def test_a_batch_that_the_store_refuses_for_good_does_not_hold_up_the_next() -> None:
    stream, before = Stream(), counted("lost")
    stream.error = StoreRefused
    escalation = Escalation(stream.record)
    task = asyncio.create_task(escalation.run())
    escalation.offer(incident(1))
    await until(lambda: counted("lost") == before + 1)
    stream.error = None
    escalation.offer(incident(2))
    await until(lambda: stream.recorded == ["2"])
    await end(task)
