"""``shieldwire bench memory``: what a connection that says nothing takes of the gateway's memory, and of nginx's."""

from __future__ import annotations

import contextlib

from bench import proxies, traffic
from bench.proxies import Process
from bench.traffic import Metrics, Upstream

WARMING = 2_000
"""Connections before the first reading: what is taken once is not shared out, what was freed is taken again."""
CONNECTIONS = 3_000


def measure() -> Metrics:
    """All metrics of this bench, by name; None for what cannot be measured here. Takes some ten seconds."""
    return traffic.run(_measure())


async def _measure() -> Metrics:
    async with Upstream() as upstream:
        with contextlib.ExitStack() as stack:
            gateway = stack.enter_context(proxies.gateway(upstream.port, "fast"))
            nginx = stack.enter_context(proxies.nginx(upstream.port))
            return {
                "kib_per_idle_connection": await _kib_each(gateway),
                "nginx_kib_per_idle_connection": None if nginx is None else await _kib_each(nginx),
            }


async def _kib_each(process: Process) -> float:
    warming = await traffic.connected(process.port, WARMING)
    await traffic.finished([client.begin(traffic.batches(1), 1) for client in warming])
    await proxies.settled(process)
    before = process.rss_kib()
    clients = await traffic.connected(process.port, CONNECTIONS)
    await proxies.settled(process)
    after = process.rss_kib()
    traffic.close([*warming, *clients])
    return (after - before) / CONNECTIONS
