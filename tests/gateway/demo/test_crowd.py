"""The crowd as real clients, here of a platform without a gateway: everything is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.demo.crowd import MOST_SOCKETS, Tally, perform
from gateway.demo.plans import Channel, Utterance
from tests.gateway.demo.live import COMMENTS_PATH, DEADLINE_S, Live, heard, live, token_for


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path) as running:
        yield running


async def crowd(platform: Live, **switch: Any) -> dict[str, Any]:
    if switch:
        answer = await platform.http.request("POST", "/api/demo/crowd", token_for("viewer"), switch)
    else:
        answer = await platform.http.request("GET", "/api/demo/crowd")
    assert answer.status == 200
    status: dict[str, Any] = msgspec.json.decode(answer.body)
    return status


async def test_every_utterance_is_sent_by_its_account_through_its_channel(platform: Live) -> None:
    plan = [
        Utterance(0.0, "stranger-1", Channel.BARRAGE, "one"),
        Utterance(0.0, "stranger-2", Channel.COMMENT, "two"),
        Utterance(0.0, "stranger-1", Channel.DM, "three"),
        Utterance(0.01, "stranger-2", Channel.BARRAGE, "four"),
    ]
    tally = Tally()
    async with await platform.room("viewer") as viewer, await platform.direct("streamer") as streamer:
        await perform(plan, platform.base_url, token_for, tally, "test")
        shown = [await heard(viewer, id=f"test-{n}") for n in (0, 1, 3)]
        private = await heard(streamer, type="dm")
    told = [(frame["user"], frame["type"], frame["text"]) for frame in [*shown, private]]
    assert sorted(told) == sorted((u.account, u.channel, u.text) for u in plan)
    assert (tally.sent, tally.failed) == (4, 0)


async def test_it_never_holds_more_connections_than_its_ceiling(platform: Live) -> None:
    plan = [Utterance(0.0, f"stranger-{n}", Channel.BARRAGE, "hi") for n in range(MOST_SOCKETS + 20)]
    most = 0
    async with await platform.room("viewer") as viewer:
        performing = asyncio.create_task(perform(plan, platform.base_url, token_for, Tally(), "test"))
        for n in range(len(plan)):
            async with asyncio.timeout(DEADLINE_S):
                while (frame := msgspec.json.decode(await viewer.recv())).get("id") != f"test-{n}":
                    most = max(most, frame.get("count", 0))
        await performing
        await heard(viewer, type="presence", count=1)  # and it leaves none open
    assert most == MOST_SOCKETS + 1


async def test_where_nobody_answers_its_messages_are_counted_as_failed(platform: Live, unused_tcp_port: int) -> None:
    plan = [Utterance(0.0, "stranger-1", channel, "hi") for channel in Channel]
    tally = Tally()
    await perform(plan, f"http://127.0.0.1:{unused_tcp_port}", token_for, tally, "test")
    assert (tally.sent, tally.failed) == (3, 3)


async def test_the_switch_starts_and_stops_it(platform: Live) -> None:
    assert (await crowd(platform))["on"] is False
    async with await platform.room("viewer") as viewer:
        assert (await crowd(platform, on=True, intensity="high"))["on"] is True
        assert (await heard(viewer, type="barrage"))["user"].startswith("stranger-")
        stopped = await crowd(platform, on=False)
        await heard(viewer, type="presence", count=1)
    assert stopped["on"] is False
    assert stopped["intensity"] == "high"
    assert stopped["tally"]["sent"] >= 1


async def test_starting_it_anew_replaces_the_one_that_runs(platform: Live) -> None:
    async with await platform.room("viewer") as viewer:
        await crowd(platform, on=True, intensity="low")
        await heard(viewer, id="crowd-1-0")
        await crowd(platform, on=True, intensity="high")
        await heard(viewer, id="crowd-2-0")
        assert (await crowd(platform, on=False))["intensity"] == "high"
        await heard(viewer, type="presence", count=1)


async def test_pressed_many_times_at_once_it_is_still_one_crowd(platform: Live) -> None:
    async with await platform.room("viewer") as viewer:
        await asyncio.gather(*(crowd(platform, on=True, intensity="low") for _ in range(5)))
        await heard(viewer, id="crowd-5-0")
        assert (await crowd(platform, on=False))["on"] is False
        await heard(viewer, type="presence", count=1)  # nobody of the other four is left


@pytest.mark.parametrize(("token", "body", "status"), [("", {"on": True}, 401), ("viewer", {"on": "yes"}, 422)])
async def test_the_switch_needs_a_seat_and_a_clear_word(
    platform: Live, token: str, body: dict[str, Any], status: int
) -> None:
    answer = await platform.http.request("POST", "/api/demo/crowd", token and token_for(token), body)
    assert answer.status == status
    assert (await crowd(platform))["on"] is False


async def test_comments_of_the_crowd_are_kept_like_any_others(platform: Live) -> None:
    await perform([Utterance(0.0, "stranger-1", Channel.COMMENT, "hi")], platform.base_url, token_for, Tally(), "test")
    listed = msgspec.json.decode((await platform.http.request("GET", COMMENTS_PATH)).body)
    assert [comment["id"] for comment in listed["comments"]] == ["test-0"]
