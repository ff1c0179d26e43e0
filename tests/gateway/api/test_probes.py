"""Health, readiness and metrics."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.telemetry import MESSAGES
from tests.gateway.api.client import Api, Worker

LABELS = {"kind": "chat", "disposition": "reject"}
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_process_that_answers_is_alive_whatever_it_waits_for(api: Api, worker: Worker) -> None:
    worker.missing.append("the store")
    response = await api.http.get("/shieldwire/healthz")
    assert (response.status_code, response.json()) == (200, {"alive": True})
    worker.missing.clear()


async def test_ready_is_who_waits_for_nothing(api: Api, worker: Worker) -> None:
    response = await api.http.get("/shieldwire/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True, "waiting_for": [], "degraded": []})
    worker.missing[:] = ["the filters are warming up", "the store"]
    response = await api.http.get("/shieldwire/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "waiting_for": worker.missing, "degraded": []}
    worker.missing.clear()


async def test_balancers_may_ask_without_wanting_a_body(api: Api) -> None:
    for probe in ("healthz", "readyz", "metrics"):
        assert (await api.http.head(f"/shieldwire/{probe}")).status_code == 200


async def test_metrics_are_what_prometheus_reads(api: Api) -> None:
    MESSAGES.labels(**LABELS).inc()
    response = await api.http.get("/shieldwire/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(response.text)}
    (count,) = (s.value for s in families["shieldwire_messages"].samples if s.labels == LABELS and "_total" in s.name)
    assert count >= 1


async def test_openmetrics_for_who_prefers_it(api: Api) -> None:
    response = await api.http.get("/shieldwire/metrics", headers={"Accept": "application/openmetrics-text"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


async def test_several_workers_are_one_set_of_metrics(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker writes to one directory; whichever is asked answers for all."""
    count = "from gateway.telemetry import MESSAGES; MESSAGES.labels('dm', 'allow').inc(3)"
    for _ in range(2):
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", count, env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        )
        assert await asyncio.wait_for(worker.wait(), 30) == 0
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    response = await api.http.get("/shieldwire/metrics")
    assert 'shieldwire_messages_total{disposition="allow",kind="dm"} 6.0' in response.text
