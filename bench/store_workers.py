"""Worker processes over one store, as `shieldwire bench state` needs them: ``python -m bench.store_workers``.

Standard input brings one `Task` a line (JSON), standard output takes one answer a line. Times are of the steady clock,
which all processes of a Linux machine share.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import uvloop

from gateway.settings import StateSettings
from gateway.state.replica import Change, Noun
from gateway.state.state import State, open_state
from protection.events import Event, Kind
from protection.policy import Limits, Policy
from protection.snapshot import Snapshot
from ratelimit.rate import Rate

MOST_LINE = 1 << 24


class Task(msgspec.Struct, frozen=True):
    """What a worker is to do: send ``count`` messages, or as many as the limit lets through in ``seconds``.

    ``dms``: all at once, from as many strangers to one target; answers how many were admitted. ``flood``: one sender in
    one room, in spurts; answers when each admitted message was. ``seen``: answers when each protection was applied.
    """

    do: str
    name: str = ""
    count: int = 0
    seconds: float = 0.0
    start: float = 0.0


class Setup(msgspec.Struct, frozen=True):
    """How a worker opens its state."""

    url: str
    data_dir: str
    worker: str
    limits: dict[str, tuple[int, int]] = {}

    def policy(self) -> Policy:
        """The policy with these limits (events, seconds)."""
        return Policy(limits=Limits(**{name: Rate(*rate) for name, rate in self.limits.items()}))


def admitted(snapshot: Snapshot) -> bool:
    """Whether all limits let the message pass."""
    return all(charge.allowance.allowed for charge in snapshot.charges)


class Worker:
    """A worker process, seen from the bench."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, task: Task) -> list[float]:
        """Have it do something; waits for the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        return msgspec.json.decode(await self._process.stdout.readline(), type=list[float])


@asynccontextmanager
async def workers(url: str, data_dir: str, count: int, **limits: tuple[int, int]) -> AsyncIterator[list[Worker]]:
    """So many workers, each in a process of its own, with their replicas loaded."""
    async with AsyncExitStack() as stack:
        started = []
        for number in range(count):
            setup = Setup(url, data_dir, f"bench-{number}", limits)
            started.append(Worker(await stack.enter_async_context(_process(setup))))
        for worker in started:
            await worker.ask(Task("ready"))
        yield started


@asynccontextmanager
async def _process(setup: Setup) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.store_workers", msgspec.json.encode(setup).decode(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=MOST_LINE,
    )  # fmt: skip
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        await process.wait()


# -- inside a worker


async def _dms(state: State, task: Task) -> list[float]:
    await asyncio.sleep(max(0.0, task.start - time.monotonic()))
    events = [Event(Kind.DM, f"{task.name}-{number}", "hello", target="target") for number in range(task.count)]
    snapshots = await asyncio.gather(*map(state.load, events))
    return [sum(map(admitted, snapshots))]


async def _flood(state: State, task: Task) -> list[float]:
    """Spurts and pauses of random length: a lease shows where events are bought long before they are spent."""
    rng = random.Random(task.name)  # noqa: S311 - a scenario
    event = Event(Kind.CHAT, "flooder", "hello", room="room")
    times: list[float] = []
    await asyncio.sleep(max(0.0, task.start - time.monotonic()))
    while time.monotonic() < task.start + task.seconds:
        for _ in range(rng.randrange(1, 40)):
            snapshot = await state.load(event)
            if not snapshot.fresh:
                raise RuntimeError("the store was away: the limits were this worker's own")
            if admitted(snapshot):
                times.append(time.monotonic())
        await asyncio.sleep(rng.choice((0.0, 0.01, 0.1, 0.3)))
    return times


async def _main(setup: Setup) -> None:
    policy = setup.policy()
    seen: list[float] = []

    def on_change(change: Change) -> None:
        if change.noun is Noun.PROTECTION:
            seen.append(time.monotonic())

    async with open_state(StateSettings(data_dir=setup.data_dir), lambda: policy, setup.worker, setup.url) as state:
        state.subscribe(on_change)
        while line := await asyncio.to_thread(sys.stdin.readline):
            task = msgspec.json.decode(line, type=Task)
            match task.do:
                case "dms":
                    answer = await _dms(state, task)
                case "flood":
                    answer = await _flood(state, task)
                case "seen":
                    answer, seen = seen, []
                case _:
                    await state.loaded()
                    answer = []
            print(msgspec.json.encode(answer).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Setup)))  # the loop that the gateway runs on
