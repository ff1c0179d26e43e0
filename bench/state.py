"""``shieldwire bench state``: what shared state costs, and whether its limits hold. About half a minute.

Everything runs on an embedded engine of the bench's own, with worker processes as the gateway has them. Client costs
are CPU time of this process; peers are asked in turns with us, in the same run (``bench.limiters``).
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

import uvloop

from bench.limiters import Check, limiters
from bench.report import BenchError
from bench.store_workers import Task, admitted, workers
from gateway.settings import StateSettings
from gateway.state.engine import Engine
from gateway.state.errors import StoreUnavailable
from gateway.state.link import Reply
from gateway.state.partitions import Keys
from gateway.state.scripts import DM, SEND_DM
from gateway.state.state import State, open_state
from protection.events import Event, Kind
from protection.policy import Limits, Policy
from protection.protections import ONE_KEY, Protection
from ratelimit.lease import excess_bound, terms
from ratelimit.rate import MICROSECONDS, Rate

PROCESSES = 4
FLIPS = 500
FLIP_EVERY_S = 0.02
QUOTA = 200
ATTEMPTS = 2_000
FLOOD = Rate(40, 2)
FLOOD_S = 6.0
CLOCK_S = 0.01
"""A message is admitted by the store up to so long before its sender's worker has heard so."""
SENDERS, ROOMS, BURST, AT_ONCE = 1_024, 10, 20, 64
DMS = 2_000
BATCHES = (1, 16, 128)
ROUNDS = 7
ENDLESS = Rate(1_000_000, 60)
DM_LIMITS = Limits(dm_flood=ENDLESS, strangers_reached=ENDLESS, stranger_dm=ENDLESS, strangers_dm=ENDLESS)


def measure() -> dict[str, float]:
    """All metrics of this bench, by name."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_measure(folder))  # the loop that the gateway runs on
        except StoreUnavailable as error:
            raise BenchError(f"the bench's own store was away, as on a machine too busy to measure: {error}") from error


async def _measure(folder: str) -> dict[str, float]:
    async with Engine(folder) as engine:
        return {
            **await flips(engine),
            **await quota(engine),
            **await leases(engine),
            **await public_messages(engine),
            **await direct_messages(engine),
        }


def _state(engine: Engine, limits: Limits | None = None) -> AbstractAsyncContextManager[State]:
    policy = Policy(limits=limits or Limits())
    return open_state(StateSettings(data_dir=str(engine.data_dir)), lambda: policy, "bench", engine.url)


async def flips(engine: Engine) -> dict[str, float]:
    """From the call that protects a person until the last of all worker processes has applied it."""
    async with workers(engine.url, str(engine.data_dir), PROCESSES) as others, _state(engine) as state:
        called, answers = [], []
        for number in range(FLIPS):  # one after the other, but none waits for the disk of the one before
            called.append(time.monotonic())
            flip = state.engage(f"person-{number}", Protection(ONE_KEY, until=2e9))
            answers.append(asyncio.ensure_future(flip))
            await asyncio.sleep(FLIP_EVERY_S)
        for answer in await asyncio.gather(*answers):
            if (answer.applied, answer.of, answer.durable) != (PROCESSES + 1, PROCESSES + 1, True):
                raise BenchError(f"a flip was not in force everywhere: {answer}")
        seen = [await other.ask(Task("seen")) for other in others]
    if any(len(times) != FLIPS for times in seen):
        raise BenchError("a worker has not seen every flip")
    ms = [1e3 * (max(applied) - at) for at, *applied in zip(called, *seen, strict=True)]
    return {"flip_p50_ms": statistics.median(ms), "flip_p99_ms": statistics.quantiles(ms, n=100)[98]}


async def quota(engine: Engine) -> dict[str, float]:
    """Strangers' DMs at one target, all at once from all processes: how many more (or fewer) pass than may."""
    limits = {"strangers_dm": (QUOTA, 3600), "stranger_dm": (10, 3600), "dm_flood": (10, 3600)}
    async with workers(engine.url, str(engine.data_dir), PROCESSES, **limits) as others:
        start = time.monotonic() + 0.5
        tasks = [Task("dms", f"w{number}", ATTEMPTS // PROCESSES, start=start) for number in range(PROCESSES)]
        answers = await asyncio.gather(*(other.ask(task) for other, task in zip(others, tasks, strict=True)))
    passed = sum(answer[0] for answer in answers)
    return {"quota_excess": abs(passed - QUOTA), "quota_attempts": ATTEMPTS}


async def leases(engine: Engine) -> dict[str, float]:
    """One sender on all processes: the worst window against what the rate and the bound of leases allow there."""
    rate = (FLOOD.limit, FLOOD.period_s)
    endless = (ENDLESS.limit, ENDLESS.period_s)  # so that the limit in one room is the one that is met
    async with workers(engine.url, str(engine.data_dir), PROCESSES, flood=rate, sender_flood=endless) as others:
        start = time.monotonic() + 0.5
        tasks = [Task("flood", f"w{number}", seconds=FLOOD_S, start=start) for number in range(PROCESSES)]
        answers = await asyncio.gather(*(other.ask(task) for other, task in zip(others, tasks, strict=True)))
    times = sorted(itertools.chain(*answers))
    bound = excess_bound(FLOOD, terms(FLOOD), PROCESSES)
    worst = worst_excess(times, FLOOD)
    if len(times) < FLOOD.limit * FLOOD_S / FLOOD.period_s / 2:
        raise BenchError(f"only {len(times)} messages were admitted: the limit was not put to the test")
    return {"lease_excess_over_bound": max(0, worst - bound), "lease_excess": worst, "lease_bound": bound}


def worst_excess(times: Sequence[float], rate: Rate) -> int:
    """By how much the fullest window (of any length) exceeds what the rate alone admits in it."""
    interval_s = rate.interval_us / MICROSECONDS
    worst = 0
    for first, begins in enumerate(times):
        for last in range(first, len(times)):
            window_s = times[last] - begins + CLOCK_S
            worst = max(worst, last - first + 1 - rate.limit - int(window_s / interval_s))
    return worst


async def public_messages(engine: Engine) -> dict[str, float]:
    """Commands for the store per public message: a crowd in bursts, one sender alone, and a crowd of one line each."""
    async with _state(engine) as state:

        async def talk(number: int, lines: int, crowd: str) -> None:
            event = Event(Kind.CHAT, f"{crowd}-{number}", "hello", room=f"room-{number % ROOMS}")
            for _ in range(lines):
                if not admitted(await state.load(event)):
                    raise BenchError("a message within its limit was refused")

        async def crowd(name: str, senders: int, lines: int) -> float:
            """Senders who talk at the same time, `AT_ONCE` of them at a time."""
            before = state.store.sent
            for start in range(0, senders, AT_ONCE):
                await asyncio.gather(*(talk(number, lines, name) for number in range(start, start + AT_ONCE)))
            return (state.store.sent - before) / (senders * lines)

        burst = await crowd("burst", SENDERS, BURST)
        line = await crowd("line", SENDERS, 1)
        before = state.store.sent
        for number in range(AT_ONCE):
            await talk(number, BURST, "alone")
        return {
            "store_commands_per_public_message": burst,
            "store_commands_per_message_of_single_lines": line,
            "store_commands_per_message_of_lone_burst": (state.store.sent - before) / (AT_ONCE * BURST),
        }


async def direct_messages(engine: Engine) -> dict[str, float]:
    """What a stranger's DM costs: how often it waits, and CPU for its checks, beside other limiters."""
    async with _state(engine, DM_LIMITS) as state:
        return {"dm_roundtrips": await round_trips(state), **await check_costs(engine, state)}


async def round_trips(state: State) -> float:
    """Writes to the store per DM, one DM after the other: at most so many times did it wait."""
    await state.load(Event(Kind.DM, "first", "hello", target="target"))  # brings the scripts into the store
    link = state.store.link(b"")
    before = link.writes
    for number in range(DMS):
        await state.load(Event(Kind.DM, f"sender-{number}", "hello", target=f"target-{number % 50}"))
    return (link.writes - before) / DMS


async def check_costs(engine: Engine, state: State) -> dict[str, float]:
    """Client CPU in microseconds, all in turns: of the checks of one DM, of all that is loaded for it, and of peers.

    The checks of a DM are those of its target (circle, this stranger, all strangers) and of its sender; so many DMs
    are checked in one turn of the loop. A peer asks for one limit, one at a time, and is compared with ours alike.
    """
    numbers = itertools.count()
    checks = _checks(state, numbers)

    async def check(batch: int) -> None:
        for reply in [reply for _ in range(batch) for reply in checks()]:
            await reply

    async def load(batch: int) -> None:
        some = itertools.islice(numbers, batch)
        dms = (Event(Kind.DM, f"s-{number % 5000}", "hello", target=f"t-{number % 500}") for number in some)
        await asyncio.gather(*map(state.load, dms))

    async with limiters(engine.url) as peers:
        contenders: dict[str, tuple[Callable[[int], Awaitable[object]], int]] = {
            **{f"dm_check_client_us_{batch}": (check, batch) for batch in BATCHES},
            **{f"dm_load_us_{batch}": (load, batch) for batch in BATCHES},
            **{f"{name}_us": (_one(peer, numbers), 1) for name, peer in peers.items()},
        }
        samples: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(ROUNDS + 1):
            for name, (call, batch) in contenders.items():
                samples[name].append(await _us_each(call, batch))
    us = {name: statistics.median(times[1:]) for name, times in samples.items()}
    return {
        "dm_check_client_us": us["dm_check_client_us_16"],
        "dm_check_vs_limits": us["dm_check_client_us_1"] / us["limits_us"],
        **us,
    }


def _checks(state: State, numbers: Iterator[int]) -> Callable[[], tuple[Reply, Reply]]:
    """What `gateway.state.loading` asks the store for one DM, without what it does with the answer."""
    keys, store = Keys(StateSettings().partitions), state.store
    one = (ENDLESS.interval_us, ENDLESS.period_us)
    reached = Limits().strangers_reached

    def ask() -> tuple[Reply, Reply]:
        number = next(numbers)
        sender, target = f"s-{number % 5000}", f"t-{number % 500}"
        pair, everyone = keys.pair("dm-pair", target, sender), keys.of("dm-strangers", target)
        of_target = (keys.of("members", target), pair, everyone, keys.pair("talk", target, sender))
        of_sender = (keys.of("dm-flood", sender), keys.of("reached", sender))
        return (
            store.run(DM, of_target, (sender, *one, *one, 0)),
            store.run(SEND_DM, of_sender, (*one, target, reached.limit, reached.period_s * 1000)),
        )

    return ask


def _one(peer: Check, numbers: Iterator[int]) -> Callable[[int], Awaitable[object]]:
    return lambda _: peer(next(numbers) % 5000)


async def _us_each(call: Callable[[int], Awaitable[object]], batch: int) -> float:
    times = max(1, DMS // batch)
    started = time.process_time_ns()
    for _ in range(times):
        await call(batch)
    return (time.process_time_ns() - started) / (times * batch) / 1e3
