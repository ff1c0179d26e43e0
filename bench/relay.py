"""``shieldwire bench relay``: what a message through the gateway costs, beside nginx, which judges nothing.

64 connections; one message in flight on each (``d1``) or sixteen (``d16``). A cost is CPU time of the proxy's processes
for one message and its answer; all contenders take turns in one run, and each is worth the median of its rounds.
Shares are nginx's cost over the gateway's. ``added_p99_vs_nginx`` is what the fast lane adds to the 99th percentile of
a round trip without a proxy, over what nginx adds.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import AsyncIterator, Mapping, Sequence

from bench import proxies, traffic
from bench.proxies import Process
from bench.report import BenchError
from bench.traffic import Client, Metrics, Upstream

CONNECTIONS = 64
ROUNDS = 7
MESSAGES = {1: 12_800, 16: 51_200}
"""In one round, by depth."""
TIMED_CONNECTIONS = 8
TIMED = 250
"""Round trips of one connection in one round, for the percentile."""
SLOW_MB = 64
"""Offered to a client that does not read."""
STALLED_S = 1.0

_MIB = 1 << 20


def measure() -> Metrics:
    """All metrics of this bench, by name; None for what cannot be measured here. Takes about a minute."""
    return traffic.run(_measure())


async def _measure() -> Metrics:
    async with Upstream() as upstream:
        with contextlib.ExitStack() as stack:
            contenders: dict[str, Process | None] = {
                "fast": stack.enter_context(proxies.gateway(upstream.port, "fast")),
                "portable": stack.enter_context(proxies.gateway(upstream.port, "portable")),
                "nginx": stack.enter_context(proxies.nginx(upstream.port)),
            }
            running = {name: process for name, process in contenders.items() if process is not None}
            us = await _costs(running)
            p99 = await _percentiles({name: p.port for name, p in running.items()} | {"direct": upstream.port})
            slow = await _slow_reader(running["fast"], upstream)
    found: Metrics = {}
    for lane in ("fast", "portable"):
        for depth in MESSAGES:
            found[f"{lane}_vs_nginx_d{depth}"] = _ratio(us.get(("nginx", depth)), us[lane, depth])
    added = {name: max(value - p99["direct"], 1e-9) for name, value in p99.items()}
    found["added_p99_vs_nginx"] = _ratio(added["fast"], added.get("nginx"))
    found["slow_reader_mb"] = slow
    found |= {f"{name}_us_d{depth}": value for (name, depth), value in us.items()}
    return found | {f"{name}_p99_us": value * 1e6 for name, value in p99.items()}


def _ratio(value: float | None, over: float | None) -> float | None:
    return value / over if value is not None and over is not None else None


async def _costs(running: Mapping[str, Process]) -> dict[tuple[str, int], float]:
    """Microseconds of CPU for one message, by contender and depth."""
    samples: dict[tuple[str, int], list[float]] = {}
    for depth, messages in MESSAGES.items():
        batches = traffic.batches(depth)
        each = messages // depth // CONNECTIONS
        for _ in range(ROUNDS):
            for name, process in running.items():
                async with _chatting(process.port, CONNECTIONS, batches) as clients:
                    before = process.cpu_s()
                    await traffic.finished([client.begin(batches, each) for client in clients])
                    cost = (process.cpu_s() - before) / (each * depth * CONNECTIONS) * 1e6
                    samples.setdefault((name, depth), []).append(cost)
    return {key: statistics.median(values) for key, values in samples.items()}


async def _percentiles(ports: Mapping[str, int]) -> dict[str, float]:
    """The 99th percentile of a round trip in seconds, by contender: the median of its rounds."""
    samples: dict[str, list[float]] = {name: [] for name in ports}
    batches = traffic.batches(1)
    for _ in range(ROUNDS):
        for name, port in ports.items():
            async with _chatting(port, TIMED_CONNECTIONS, batches) as clients:
                times: list[float] = []
                for client in clients:
                    client.round_trips = times
                await traffic.finished([client.begin(batches, TIMED) for client in clients])
                samples[name].append(statistics.quantiles(times, n=100)[98])
    return {name: statistics.median(values) for name, values in samples.items()}


@contextlib.asynccontextmanager
async def _chatting(port: int, count: int, batches: Sequence[bytes]) -> AsyncIterator[list[Client]]:
    """So many clients that have all said something already; for seconds only: they answer no pings."""
    clients = await traffic.connected(port, count)
    await traffic.finished([client.begin(batches, 1) for client in clients])
    yield clients
    traffic.close(clients)


async def _slow_reader(process: Process, upstream: Upstream) -> float:
    """How many MB a gateway grows by while a client does not read what it is sent."""
    known = set(upstream.sockets)
    (client,) = await traffic.connected(process.port, 1)
    socket = next(each for each in upstream.sockets if each not in known)
    client.transport.pause_reading()
    before = process.rss_kib()
    most = before
    loop = asyncio.get_running_loop()
    for _ in range(SLOW_MB):
        socket.transport.write(traffic.ANSWER * (_MIB // len(traffic.ANSWER)))
    until = loop.time() + STALLED_S
    while loop.time() < until:
        await asyncio.sleep(0.05)
        most = max(most, process.rss_kib())
    if not socket.transport.get_write_buffer_size():
        raise BenchError("what a client did not read was taken all the same: nobody was slow")
    traffic.close([client])
    socket.transport.abort()
    return (most - before) / 1024
