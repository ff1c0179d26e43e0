"""The demo's platform, alone: what any platform behind the gateway does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from gateway.demo import seats
from gateway.demo.client import Answer, open_socket
from gateway.demo.platform import PAGES
from tests.gateway.demo.live import COMMENTS_PATH, ROOM_PATH, Live, heard, live, say, token_for


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path) as running:
        yield running


def body_of(answer: Answer) -> Any:
    return msgspec.json.decode(answer.body)


async def test_a_barrage_reaches_everybody_in_the_room_under_its_senders_own_name(platform: Live) -> None:
    async with await platform.room("viewer") as viewer, await platform.room("stranger") as stranger:
        await say(stranger, type="barrage", id="b1", text="晚上好", user="streamer")
        seen = await heard(viewer, type="barrage")
        echoed = await heard(stranger, type="barrage")
    assert seen == echoed
    assert (seen["id"], seen["text"], seen["user"], seen["room"]) == ("b1", "晚上好", "stranger", seats.ROOM)


async def test_rooms_are_apart(platform: Live) -> None:
    async with (
        await platform.room("viewer") as viewer,
        await open_socket(platform.base_url, "/live/elsewhere/ws", token_for("stranger")) as elsewhere,
    ):
        await say(elsewhere, type="barrage", id="b1", text="not for the studio")
        await heard(elsewhere, id="b1")
        await say(viewer, type="ping")
        assert await heard(viewer) == {"type": "pong"}


async def test_presence_counts_the_sockets_of_the_room(platform: Live) -> None:
    async with await platform.room("viewer") as viewer:
        async with await platform.room("stranger"):
            assert (await heard(viewer, type="presence"))["count"] == 2
        assert (await heard(viewer, type="presence"))["count"] == 1


@pytest.mark.parametrize(
    ("frame", "message_id"),
    [
        ("{not json", ""),
        ("[]", ""),
        ('{"type":"barrage","id":"b1","text":7}', ""),
        ('{"type":"barrage","id":"b1","text":"  "}', "b1"),
        ('{"type":"barrage","id":"b1","text":"' + "x" * 4001 + '"}', "b1"),
        (b"\xff\xfe", ""),
    ],
)
async def test_a_bad_frame_is_answered_and_ends_nothing(platform: Live, frame: str | bytes, message_id: str) -> None:
    async with await platform.room("viewer") as viewer:
        await viewer.send(frame)
        answer = await heard(viewer, type="error")
        assert answer["id"] == message_id
        assert answer["message"]
        await say(viewer, type="barrage", id="after", text="still here")
        await heard(viewer, type="barrage", id="after")


async def test_frames_of_other_types_are_ignored(platform: Live) -> None:
    async with await platform.room("viewer") as viewer:
        await say(viewer, type="typing", on=True)
        await say(viewer, type="ping")
        assert await heard(viewer) == {"type": "pong"}


async def test_a_direct_message_reaches_its_target_and_comes_back_as_a_receipt(platform: Live) -> None:
    async with (
        await platform.direct("stranger") as sender,
        await platform.direct("streamer") as target,
        await platform.direct("viewer") as other,
    ):
        await say(sender, type="dm", id="d1", to="streamer", text="a private word")
        assert await heard(sender) == await heard(target)
        await say(other, type="dm", id="d2", to="viewer", text="a note to myself")
        assert (await heard(other))["id"] == "d2"  # nothing of the others' came before it


async def test_direct_messages_are_shown_to_those_who_wrote_or_received_them(platform: Live) -> None:
    async with await platform.direct("stranger") as sender:
        await say(sender, type="dm", id="d1", to="streamer", text="a private word")
        await heard(sender, id="d1")
    for account, shown in (("stranger", ["d1"]), ("streamer", ["d1"]), ("viewer", [])):
        answer = await platform.http.request("GET", "/api/dms", token_for(account))
        assert [dm["id"] for dm in body_of(answer)["dms"]] == shown
    assert (await platform.http.request("GET", "/api/dms")).status == 401


async def test_a_direct_message_to_nobody_is_answered(platform: Live) -> None:
    async with await platform.direct("stranger") as sender:
        await say(sender, type="dm", id="d1", text="hello?")
        assert (await heard(sender, type="error"))["id"] == "d1"


async def test_a_comment_is_kept_and_shown_to_the_room(platform: Live) -> None:
    async with await platform.room("viewer") as viewer:
        posted = await platform.http.request("POST", COMMENTS_PATH, token_for("friend"), {"id": "c1", "text": "好听"})
        shown = await heard(viewer, type="comment")
    assert posted.status == 201
    assert body_of(posted) == shown
    listed = body_of(await platform.http.request("GET", COMMENTS_PATH))
    assert listed == {"comments": [shown]}
    assert (shown["user"], shown["text"]) == ("friend", "好听")


@pytest.mark.parametrize(
    ("token", "body", "status"),
    [
        ("", {"id": "c1", "text": "hi"}, 401),
        ("forged.token.here", {"id": "c1", "text": "hi"}, 401),
        (seats.issue("another secret, also of decent length", "viewer"), {"id": "c1", "text": "hi"}, 401),
        (seats.issue("x" * 48, "viewer", life_s=-60), {"id": "c1", "text": "hi"}, 401),
        (token_for("viewer"), {"id": "c1", "text": " "}, 422),
        (token_for("viewer"), {"id": "c1"}, 422),
        (token_for("viewer"), ["hi"], 422),
    ],
)
async def test_a_bad_comment_is_refused_with_the_reason(platform: Live, token: str, body: Any, status: int) -> None:
    answer = await platform.http.request("POST", COMMENTS_PATH, token, body)
    assert answer.status == status
    assert body_of(answer)["message"]
    assert body_of(await platform.http.request("GET", COMMENTS_PATH)) == {"comments": []}


async def test_a_socket_without_a_valid_token_is_turned_away(platform: Live) -> None:
    for path in (ROOM_PATH, "/dm/ws"):
        with pytest.raises(InvalidStatus) as refused:
            await open_socket(platform.base_url, path, "forged.token.here")
        assert refused.value.response.status_code == 403


async def test_login_hands_out_the_token_of_a_seat(platform: Live) -> None:
    for seat in seats.SEATS.values():
        answer = body_of(await platform.http.request("POST", "/api/login", body={"seat": seat.account}))
        assert seats.read("x" * 48, answer["token"]) == seats.Claims(seat.account, seat.role)
        assert (answer["account"], answer["role"], answer["room"]) == (seat.account, seat.role, seats.ROOM)
    assert (await platform.http.request("POST", "/api/login", body={"seat": "emperor"})).status == 404


async def test_every_file_of_the_pages_is_served_under_a_strict_policy(platform: Live) -> None:
    assert (await platform.http.request("GET", "/")).body == (PAGES / "index.html").read_bytes()
    for file in PAGES.iterdir():
        answer = await platform.http.request("GET", f"/{file.name}")
        assert (answer.status, answer.body) == (200, file.read_bytes())
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
    assert (await platform.http.request("GET", "/../platform.py")).status == 404


def test_the_pages_carry_no_inline_script_or_style_and_write_no_markup() -> None:
    page = (PAGES / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=|javascript:", page) == []
    for script in PAGES.glob("*.js"):
        written = script.read_text()
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", written) == [], (
            script.name
        )
        assert re.findall(r"https?://", written) == [], script.name


def test_every_word_of_the_pages_is_there_in_both_languages() -> None:
    words = dict(re.findall(r'^  "?([\w-]+)"?: \[(".*")\],$', (PAGES / "i18n.js").read_text(), re.MULTILINE))
    used = set(re.findall(r'data-i18n(?:-\w+)?="(\w+)"', (PAGES / "index.html").read_text()))
    for script in PAGES.glob("*.js"):
        used |= set(re.findall(r'\bt\("([\w-]+)"', script.read_text()))
    assert len(used) > 40
    assert used <= words.keys()
    for key, pair in words.items():
        chinese, english = re.fullmatch(r'"(.+)", "(.+)"', pair).groups()  # type: ignore[union-attr]
        assert re.search(r"[\u4e00-\u9fff]", chinese), key
        assert not re.search(r"[\u4e00-\u9fff]", english), key
        assert set(re.findall(r"\{\w+\}", chinese)) == set(re.findall(r"\{\w+\}", english)), key
