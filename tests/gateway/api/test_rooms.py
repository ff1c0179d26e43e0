"""Rooms and their modes through the API (requirement S3)."""

from __future__ import annotations

import pytest

from protection.modes import DEFAULT_SLOW_S, RoomMode
from tests.gateway.api.client import Api, Worker

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("S3")]


async def test_a_room_has_the_owner_that_the_platform_names(api: Api, worker: Worker, person: str) -> None:
    assert await api.get(f"rooms/{person}") == {"owner": "", "mode": "open", "until": 0.0}
    answer = await api.put(f"rooms/{person}", {"owner": "streamer"}, role="platform")
    assert (answer["applied"], answer["of"], answer["durable"]) == (1, 1, True)
    assert (await api.get(f"rooms/{person}"))["owner"] == "streamer"
    room = worker.state.room(person)
    assert room is not None
    assert room.owner == "streamer"


@pytest.mark.parametrize("mode", RoomMode)
async def test_each_mode_is_set_for_a_time_read_and_cleared(api: Api, worker: Worker, mode: RoomMode) -> None:
    path = f"rooms/room-{mode.value}/mode"
    before = worker.state.now()
    answer = await api.put(path, {"mode": mode.value, "duration": "10m"}, role="moderator")
    assert before + 600 <= answer["until"] <= worker.state.now() + 600
    assert await api.get(path) == {"mode": mode.value, "until": answer["until"], "slow_s": DEFAULT_SLOW_S}
    await api.delete(path, role="moderator")
    assert await api.get(path) == {"mode": "open", "until": 0.0, "slow_s": DEFAULT_SLOW_S}


async def test_without_a_duration_a_mode_holds_until_it_is_cleared(api: Api, person: str) -> None:
    answer = await api.put(f"rooms/{person}/mode", {"mode": "shut"})
    assert answer["until"] == 0.0
    assert await api.get(f"rooms/{person}/mode") == {"mode": "shut", "until": 0.0, "slow_s": DEFAULT_SLOW_S}


async def test_slow_mode_says_how_slow(api: Api, worker: Worker, person: str) -> None:
    await api.put(f"rooms/{person}/mode", {"mode": "slow", "slow_s": 5})
    assert (await api.get(f"rooms/{person}/mode"))["slow_s"] == 5
    room = worker.state.room(person)
    assert room is not None
    assert room.slow_s == 5


async def test_a_mode_keeps_the_owner_and_an_owner_the_mode(api: Api, person: str) -> None:
    await api.put(f"rooms/{person}/mode", {"mode": "read-only"})
    await api.put(f"rooms/{person}", {"owner": "streamer"})
    assert await api.get(f"rooms/{person}") == {"owner": "streamer", "mode": "read-only", "until": 0.0}
    await api.delete(f"rooms/{person}/mode")
    assert await api.get(f"rooms/{person}") == {"owner": "streamer", "mode": "open", "until": 0.0}


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("rooms/r", {}, "owner"),
        ("rooms/r", {"owner": ""}, "owner"),
        ("rooms/r", {"owner": 7}, "owner"),
        ("rooms/r", {"owner": "x", "parties": []}, "parties"),
        ("rooms/r/mode", {}, "mode"),
        ("rooms/r/mode", {"mode": "loud"}, "mode"),
        ("rooms/r/mode", {"mode": "slow", "slow_s": 0}, "slow_s"),
        ("rooms/r/mode", {"mode": "slow", "slow_s": 3_601}, "slow_s"),
        ("rooms/r/mode", {"mode": "shut", "slow_s": 5}, "slow_s"),
        ("rooms/r/mode", {"mode": "slow", "duration": "0m"}, "duration"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(path: str, body: object, complaint: str, api: Api) -> None:
    status, message = await api.refusal("PUT", path, body)
    assert status == 400
    assert complaint in message
    assert await api.get("rooms/r") == {"owner": "", "mode": "open", "until": 0.0}
