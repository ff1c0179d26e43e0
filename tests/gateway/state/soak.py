"""Random flips and faults, and whether every replica stays true.

    python -m tests.gateway.state.soak [ACTIONS [SEED]]

One worker changes protections; others, in processes of their own, only watch, and write down what they saw and whether
they called it fresh. Faults: the store is killed and restarted, connections are cut, a watcher is stopped for longer
than its deadline, change streams are trimmed to nothing. In the end all replicas must equal the store, and whatever a
watcher saw while it called itself fresh must have been no older than its deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
from redis.exceptions import RedisError

from gateway.settings import StateSettings
from gateway.state.errors import StoreUnavailable
from gateway.state.partitions import Keys
from gateway.state.state import State, open_state
from protection.policy import Policy
from protection.protections import ONE_KEY, Protection
from tests.gateway.state.servers import Process
from tests.gateway.state.waiting import until

PEOPLE = [f"person-{number}" for number in range(24)]
WRITERS = 8
"""At the same time; each has people of its own, so that what is said of one person has an order."""
STALENESS_S = 1.0
LOOK_S = 0.005
MOST_LINE = 1 << 28
POLICY = Policy()

Seen = tuple[float | None, ...]
"""Until when each of `PEOPLE` is protected, to somebody; None: not at all."""


class Sight(msgspec.Struct):
    """What a watcher saw, from one look to the last that showed the same (steady clock), and whether it was fresh."""

    first: float
    last: float
    fresh: bool
    seen: Seen


class Deed(msgspec.Struct):
    """One change of one person: what it made of them, when it was asked for and answered (None: it never was)."""

    value: float | None
    asked: float
    answered: float | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What came of a soak. ``wrong`` are sentences; there should be none."""

    actions: int
    answered: int
    faults: dict[str, int]
    sights: int
    stale_sights: int
    reasserted: int
    wrong: list[str]


async def soak(folder: Path, actions: int, seed: int, stop_s: float = 5.0, watchers: int = 2) -> Outcome:
    """Do so many random things, then compare everything."""
    rng = random.Random(seed)
    history: dict[str, list[Deed]] = {person: [Deed(None, float("-inf"), float("-inf"))] for person in PEOPLE}
    restarting = asyncio.Lock()
    faults = dict.fromkeys(("restart", "cut", "stop", "trim"), 0)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(Process(folder))
        settings = StateSettings(url=server.url, staleness_s=STALENESS_S)
        state = await stack.enter_async_context(open_state(settings, lambda: POLICY, "writer", server.url))
        others = [await stack.enter_async_context(_watcher(server.url, f"w{number}")) for number in range(watchers)]
        pending: set[asyncio.Task[None]] = set()

        async def write(people: Sequence[str], count: int) -> None:
            for number in range(count):
                await _flip(state, rng.choice(people), rng.random() < 0.7, 2e9 + rng.random() * 1e6, history)
                if number % 50 == 49:
                    pending.add(asyncio.ensure_future(fault()))

        async def fault() -> None:
            least = min(faults, key=lambda name: faults[name])
            kind = rng.choices(("trim", "cut", "restart", "stop"), (60, 20, 10, 5))[0] if faults[least] else least
            faults[kind] += 1
            match kind:
                case "restart":
                    async with restarting:
                        server.kill()
                        server.start()
                        await server.serving()
                case "stop":
                    other = rng.choice(others)
                    other.send_signal(signal.SIGSTOP)
                    await asyncio.sleep(stop_s)
                    other.send_signal(signal.SIGCONT)
                case "cut":
                    with contextlib.suppress(RedisError):  # it may be down, too
                        await server.call("CLIENT", "KILL", "TYPE", "normal")
                case "trim":
                    with contextlib.suppress(RedisError):
                        stream = Keys(64).of_partition(rng.randrange(64), "changes")
                        await server.call("XTRIM", stream, "MAXLEN", 0)

        await asyncio.gather(*(write(PEOPLE[number::WRITERS], actions // WRITERS) for number in range(WRITERS)))
        await asyncio.gather(*pending)
        await until(lambda: state.status().connected and state.status().fresh, 20)
        stored = await _stored(server)
        wrong = _compare("the writer", [_until(state, person) for person in PEOPLE], stored)
        sights = 0
        stale = 0
        for number, other in enumerate(others):
            at_last, seen = await _report(other)
            wrong += _compare(f"watcher {number}", at_last, stored)
            wrong += [f"watcher {number}: {fault}" for sight in seen for fault in too_old(sight, history)]
            sights += len(seen)
            stale += sum(not sight.fresh for sight in seen)
        wrong += [
            f"the store holds {stored[number]} for {person}, which was never asked for or was taken back"
            for number, person in enumerate(PEOPLE)
            if stored[number] not in possible(history[person], float("inf"), float("inf"))
        ]
        answered = sum(deed.answered is not None for deeds in history.values() for deed in deeds[1:])
        return Outcome(actions, answered, faults, sights, stale, state.counters()["reasserted"], wrong)


async def _flip(state: State, person: str, engage: bool, until_s: float, history: dict[str, list[Deed]]) -> None:
    deed = Deed(until_s if engage else None, time.monotonic())
    history[person].append(deed)
    try:
        answer = await (state.engage(person, Protection(ONE_KEY, until_s)) if engage else state.release(person))
    except StoreUnavailable:
        await asyncio.sleep(0.02)
    else:
        if answer.durable:
            deed.answered = time.monotonic()


def possible(deeds: Sequence[Deed], answered_by: float, asked_by: float) -> set[float | None]:
    """What somebody may see who knows all that was answered by one time, and perhaps what was asked for by another."""
    base = max(
        number for number, deed in enumerate(deeds) if deed.answered is not None and deed.answered <= answered_by
    )
    return {deed.value for deed in deeds[base:] if deed.asked <= asked_by}


def too_old(sight: Sight, history: dict[str, list[Deed]]) -> list[str]:
    """What a watcher saw, and called fresh, that its deadline does not excuse."""
    if not sight.fresh:
        return []
    return [
        f"saw {value} for {person} at {sight.last:.3f} and called it fresh"
        for person, value in zip(PEOPLE, sight.seen, strict=True)
        if value not in possible(history[person], sight.last - STALENESS_S, sight.last)
    ]


def _compare(who: str, seen: Sequence[float | None], stored: Sequence[float | None]) -> list[str]:
    pairs = zip(PEOPLE, seen, stored, strict=True)
    return [f"{who} holds {here} for {person}, the store {there}" for person, here, there in pairs if here != there]


async def _stored(server: Process) -> list[float | None]:
    keys = Keys(64)
    values = [await server.call("HGET", keys.of_partition(keys.partition(p), "protection"), p) for p in PEOPLE]
    return [msgspec.json.decode(value, type=Protection).until if value else None for value in values]


# -- the watchers


@contextlib.asynccontextmanager
async def _watcher(url: str, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.state.soak", "watch", url, name,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=MOST_LINE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"watching\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):  # it ends when it has reported
            process.send_signal(signal.SIGCONT)
        process.stdin.close()
        await process.wait()


async def _report(process: asyncio.subprocess.Process) -> tuple[list[float | None], list[Sight]]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"report\n")
    return msgspec.json.decode(await process.stdout.readline(), type=tuple[list[float | None], list[Sight]])


async def watch(url: str, name: str) -> None:
    """Look every few milliseconds until asked for a report."""
    settings = StateSettings(url=url, staleness_s=STALENESS_S)
    async with open_state(settings, lambda: POLICY, name, url) as state:
        print("watching", flush=True)
        sights: list[Sight] = []
        asked = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
        while not asked.done():
            now = time.monotonic()
            fresh, seen = state.status().fresh, tuple(_until(state, person) for person in PEOPLE)
            if sights and (sights[-1].fresh, sights[-1].seen) == (fresh, seen):
                sights[-1].last = now
            else:
                sights.append(Sight(now, now, fresh, seen))
            await asyncio.sleep(LOOK_S)
        if await asked:
            asked_at = time.monotonic()
            await until(lambda: state.status().fresh and state.reader.age_s < time.monotonic() - asked_at, 20)
            at_last = [_until(state, person) for person in PEOPLE]
            print(msgspec.json.encode((at_last, sights)).decode(), flush=True)


def _until(state: State, person: str) -> float | None:
    protection = state.protection_of(person)
    return protection.until if protection is not None else None


def main(actions: int = 10_000, seed: int = 0) -> int:
    """Soak; prints what came of it and answers an exit status."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(soak(Path(folder), actions, seed or int(time.time())))
    print(msgspec.json.format(msgspec.json.encode(outcome)).decode())
    return bool(outcome.wrong)


if __name__ == "__main__":
    if sys.argv[1:2] == ["watch"]:
        asyncio.run(watch(*sys.argv[2:]))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
