"""``shieldwire bench state-memory``: what a million protected people take in the store and in each worker.

And how long a worker that starts needs to load them. Some ten seconds, and a gigabyte.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from itertools import groupby

import msgspec

from bench.probes import anonymous_mb
from gateway.settings import StateSettings
from gateway.state.engine import Engine
from gateway.state.link import read_info
from gateway.state.partitions import Keys
from gateway.state.replica import Noun
from gateway.state.state import open_state
from gateway.state.store import Store
from protection.policy import Policy
from protection.protections import ONE_KEY, Protection

PEOPLE = 1_000_000
AT_ONCE = 500
SLOW_S = 10.0


def measure() -> dict[str, float]:
    """All metrics of this bench, by name."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(folder))


async def _measure(folder: str) -> dict[str, float]:
    async with Engine(folder) as engine:
        empty, full = await _fill(engine)
        gc.collect()
        before, started = anonymous_mb(), time.perf_counter()
        policy = Policy()
        async with open_state(StateSettings(data_dir=folder), lambda: policy, "bench", engine.url) as state:
            await state.loaded()
            loaded_s = time.perf_counter() - started
            gc.collect()
            return {
                "store_mb_1m": full - empty,
                "worker_mb_1m": anonymous_mb() - before,
                "snapshot_s_1m": loaded_s,
            }


async def _fill(engine: Engine) -> tuple[float, float]:
    """Protect everybody, as so many changes would have; the store's memory before and after, in MB."""
    keys = Keys(StateSettings().partitions)
    value = msgspec.json.encode(Protection(ONE_KEY, until=2e9))
    people = sorted((f"user-{number:08}" for number in range(PEOPLE)), key=keys.partition)
    async with Store(engine.url, timeout_s=SLOW_S) as store:
        empty = await _used_mb(store)
        for partition, members in groupby(people, keys.partition):
            fields = [field for person in members for field in (person, value)]
            hashed = keys.of_partition(partition, Noun.PROTECTION)
            for start in range(0, len(fields), 2 * AT_ONCE):
                await store.command("HSET", hashed, *fields[start : start + 2 * AT_ONCE])
            await store.command("SET", keys.of_partition(partition, "epoch"), len(fields) // 2)
        return empty, await _used_mb(store)


async def _used_mb(store: Store) -> float:
    return int(read_info(await store.command("INFO", "memory", key=b""))["used_memory"]) / 2**20
