"""What orchestrators and Prometheus ask: is the process alive, may traffic come, how is it doing. Open to all."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.faults import json_answer
from gateway.api.gate import Gate

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"


class Health(msgspec.Struct, frozen=True):
    """The process answers: that is all it says."""

    alive: bool = True


class Readiness(msgspec.Struct, frozen=True):
    """Whether traffic may come, and what it waits for."""

    ready: bool
    waiting_for: Sequence[str] = ()
    degraded: Sequence[str] = ()
    """What works only in part, traffic going on: no reason to send it elsewhere, where it would be no better."""


async def healthz(gate: Gate, request: Request) -> Response:
    """The process is alive. A lost store or platform does not make it unhealthy: a restart would not help."""
    return json_answer(Health())


async def readyz(gate: Gate, request: Request) -> Response:
    """Whether traffic may come: 200, or 503 with what is not ready yet."""
    waiting_for = list(gate.ready())
    return json_answer(Readiness(not waiting_for, waiting_for, gate.degraded()), 503 if waiting_for else 200)


async def metrics(gate: Gate, request: Request) -> Response:
    """The metrics of all workers, in the text format of Prometheus or, for who accepts it, of OpenMetrics."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    body = await run_in_threadpool(encode, _registry())
    return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


def _registry() -> CollectorRegistry:
    """This process's metrics; with several workers, those that all of them write to one directory."""
    if not os.environ.get(MULTIPROCESS_DIR):
        return REGISTRY
    _forget_dead_workers(Path(os.environ[MULTIPROCESS_DIR]))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _forget_dead_workers(folder: Path) -> None:
    """Drop the gauges of processes that are gone: what they counted as open no longer is."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*_*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Probe(msgspec.Struct, frozen=True):
    """One probe. The first line of its function's docstring is its summary."""

    path: str
    run: Callable[[Gate, Request], Awaitable[Response]]
    answer: type
    """A struct, for JSON; ``str`` for plain text."""
    may_fail: bool = False
    """Whether its answer may come with status 503."""


PROBES = (
    Probe("/healthz", healthz, Health),
    Probe("/readyz", readyz, Readiness, may_fail=True),
    Probe("/metrics", metrics, str),
)
