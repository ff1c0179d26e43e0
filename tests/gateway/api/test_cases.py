"""Cases for moderators: as a list, and live over a real socket (requirement W6)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import Message

from gateway.api.cases import SILENCE, CaseStream
from protection.cases import Case, Incident
from protection.events import Kind
from protection.verdicts import Disposition
from tests.gateway.api.client import DEADLINE_S, Api, Worker, application, bearer, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("W6")]


def severe(subject: str, worker: Worker, number: int = 1) -> Incident:
    return Incident(
        subject=subject,
        sender=f"stranger {number}",
        kind=Kind.BARRAGE,
        text="去死吧",
        reason="self-harm",
        disposition=Disposition.REJECT,
        severe=True,
        at=worker.state.now() + number,  # the estimate of the store's clock may step back a little between two calls
        id=f"{subject} {number}",
        room="studio",
    )


async def test_a_case_is_listed_with_its_evidence_and_the_latest_first(api: Api, worker: Worker) -> None:
    for number, subject in enumerate(("first", "second"), 1):
        await worker.state.record([severe(subject, worker, number)])
    cases = (await api.get("cases", role="moderator"))["cases"]
    assert [case["subject"] for case in cases][:2] == ["second", "first"]
    (evidence,) = cases[0]["latest"]
    assert (evidence["sender"], evidence["text"], evidence["disposition"]) == ("stranger 2", "去死吧", "reject")
    assert (cases[0]["severe"], cases[0]["reasons"], cases[0]["incidents"]) == (True, ["self-harm"], 1)


async def test_a_limit_is_kept(api: Api, worker: Worker) -> None:
    await worker.state.record([severe("third", worker), severe("fourth", worker)])
    assert len((await api.get("cases?limit=1"))["cases"]) == 1


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=many", "limit=-1", "since=1"])
async def test_a_list_that_makes_no_sense_is_refused_by_name(query: str, api: Api) -> None:
    status, message = await api.refusal("GET", f"cases?{query}")
    assert status == 400
    assert query.partition("=")[0] in message


@asynccontextmanager
async def served(worker: Worker) -> AsyncIterator[str]:
    """The API on a real server on a free port; ends as a gateway does: it drains, then the server stops."""
    server = uvicorn.Server(uvicorn.Config(application(worker), port=0, lifespan="off", log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        worker.draining.set()
        server.should_exit = True
        await asyncio.wait_for(serving, DEADLINE_S)
        worker.draining.clear()


@asynccontextmanager
async def stream(address: str) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of a live stream of cases, once it is open."""
    headers = {**bearer("moderator"), "Accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(timeout=DEADLINE_S) as client,
        client.stream("GET", f"{address}/shieldwire/v1/cases", headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        yield lines


async def next_case(lines: AsyncIterator[str]) -> dict[str, Any]:
    async for line in lines:
        if line.startswith("data: "):
            case: dict[str, Any] = json.loads(line.removeprefix("data: "))
            return case
    raise AssertionError("the stream ended")


async def test_moderators_see_a_case_live_and_again_when_it_grows(worker: Worker) -> None:
    async with served(worker) as address, stream(address) as one, stream(address) as other:
        recorded = 0
        waiting = [asyncio.ensure_future(next_case(lines)) for lines in (one, other)]
        async with asyncio.timeout(DEADLINE_S):
            recorded += 1
            await worker.state.record([severe("live", worker, recorded)])
            assert {case["subject"] for case in await asyncio.gather(*waiting)} == {"live"}
            recorded += 1
            await worker.state.record([severe("live", worker, recorded)])
            for lines in (one, other):
                while (case := await next_case(lines))["incidents"] < recorded:
                    pass
                assert (case["incidents"], case["senders"]) == (recorded, recorded)
                assert case["latest"][0]["disposition"] == "reject"


async def test_a_drain_ends_the_stream_in_good_order(worker: Worker) -> None:
    async with served(worker) as address, stream(address) as lines:
        worker.draining.set()
        async with asyncio.timeout(DEADLINE_S):
            assert [line async for line in lines if line] == []


class Source:
    """Cases that come when the test says so; knows whether it was closed."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[Case] = asyncio.Queue()
        self.open = 0

    async def follow_cases(self) -> AsyncIterator[Case]:
        return self._told()

    async def _told(self) -> AsyncIterator[Case]:
        self.open += 1
        try:
            while True:
                yield await self.coming.get()
        finally:
            self.open -= 1


async def test_silence_is_filled_with_comments() -> None:
    source, left, written = Source(), asyncio.Event(), []

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        written.append(message.get("body", b""))

    live = CaseStream(await source.follow_cases(), asyncio.Event(), keepalive_s=0.001)
    telling = asyncio.ensure_future(live({"type": "http"}, receive, send))
    await until(lambda: written.count(SILENCE) >= 3)
    assert source.open == 1
    left.set()
    await telling
    assert source.open == 0


async def test_a_listener_who_leaves_is_followed_no_longer(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source()
    monkeypatch.setattr(worker.state, "follow_cases", source.follow_cases)
    async with served(worker) as address:
        async with stream(address), stream(address):
            await until(lambda: source.open == 2)
        await until(lambda: source.open == 0)
