"""``shieldwire bench fanout``: what one frame of a broadcast to 1,000 viewers costs, over what it costs nginx."""

from __future__ import annotations

import contextlib
import statistics

from bench import proxies, traffic
from bench.proxies import Process
from bench.traffic import Client, Metrics, Upstream

VIEWERS = 1_000
BROADCASTS = 20
"""In one round, one after the other has arrived everywhere."""
ROUNDS = 7


def measure() -> Metrics:
    """All metrics of this bench, by name; None for what cannot be measured here. Takes about half a minute."""
    return traffic.run(_measure())


async def _measure() -> Metrics:
    samples: dict[str, list[float]] = {}
    async with Upstream() as upstream:
        with contextlib.ExitStack() as stack:
            rooms: dict[str, tuple[Process, list[Client], Upstream]] = {}
            for name, process in (
                ("fast", stack.enter_context(proxies.gateway(upstream.port, "fast"))),
                ("nginx", stack.enter_context(proxies.nginx(upstream.port))),
            ):
                if process is not None:
                    known = set(upstream.sockets)
                    viewers = await traffic.connected(process.port, VIEWERS)
                    room = Upstream()
                    room.sockets = [each for each in upstream.sockets if each not in known]
                    rooms[name] = process, viewers, room
            for turn in range(ROUNDS + 1):
                for name, (process, viewers, room) in rooms.items():
                    before = process.cpu_s()
                    for _ in range(BROADCASTS):
                        arrived = [viewer.expect(1) for viewer in viewers]
                        for each in room.sockets:
                            each.transport.write(traffic.ANSWER)
                        await traffic.finished(arrived)
                    if turn:
                        cost = (process.cpu_s() - before) / (BROADCASTS * VIEWERS) * 1e6
                        samples.setdefault(name, []).append(cost)
            for _, viewers, _room in rooms.values():
                traffic.close(viewers)
    us = {name: statistics.median(values) for name, values in samples.items()}
    vs_nginx = us["fast"] / us["nginx"] if "nginx" in us else None
    return {"cost_vs_nginx": vs_nginx, **{f"{name}_us": value for name, value in us.items()}}
