"""A person's own words, from the API to the sockets that are open (requirement P5): two workers and a real store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect

from gateway.demo.ports import free_port
from tests.doubles import Gateway, Platform, configuration, serving, until
from tests.integration.test_faults import children
from tests.integration.test_websocket import barrage, receives, verdict

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("P5")]

WORDS = ["西瓜", "鳳梨", "melon"]
DISGUISED = ["送你一个西 瓜", "西-瓜", "西\u200b瓜！", "一个凤梨", "鳳*梨", "a ＭＥＬＯＮ for you", "m e l o n"]
LIST = "users/anna/blocklist"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncIterator[Platform]:
    async with Platform() as platform:
        yield platform


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """Two workers, both alive."""
    folder, port = tmp_path_factory.mktemp("own-words"), free_port()
    with serving(configuration(platform, folder / "data", port, workers=2), folder, port) as gateway:
        await gateway.ready()
        await until(lambda: gateway.api("DELETE", LIST)[1]["of"] == 2, 60)
        yield gateway


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def forgotten(gateway: Gateway) -> None:
    """Every test begins without a list."""
    await change(gateway, "DELETE")


async def change(gateway: Gateway, method: str, words: list[str] | None = None) -> None:
    """Change the list as its owner does; it is in force on both workers when that is answered."""
    body = None if words is None else {"words": words}
    status, answer = await asyncio.to_thread(gateway.api, method, LIST, body, "user", "anna")
    assert (status, answer["applied"], answer["of"]) == (200, 2, 2)


def worker_of(gateway: Gateway, socket: ClientConnection) -> int:
    """The process that holds the other end of this socket."""
    ours, theirs = f":{socket.local_address[1]:04X}", f":{gateway.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (inode,) = (row[9] for row in rows if row[1].endswith(theirs) and row[2].endswith(ours))
    for pid in children(gateway.process.pid):
        if f"socket:[{inode}]" in {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}:
            return pid
    raise AssertionError("no worker holds it")


async def test_a_list_is_in_force_at_once_on_the_open_sockets_of_both_workers_and_ends_at_once(
    gateway: Gateway,
) -> None:
    async with AsyncExitStack() as stack:
        viewer = await stack.enter_async_context(connect(gateway.ws(user="viewer")))
        held: dict[int, ClientConnection] = {}
        for number in range(64):
            socket = await stack.enter_async_context(connect(gateway.ws(user=f"stranger{number}")))
            held.setdefault(worker_of(gateway, socket), socket)
            if len(held) == 2:
                break
        assert len(held) == 2
        for turn in range(3):
            await change(gateway, "DELETE")
            for number, socket in enumerate(held.values()):
                await socket.send(barrage("送你一个西瓜", f"{turn} {number} open", to="anna"))
                await receives(viewer, barrage("送你一个西瓜", f"{turn} {number} open", to="anna"))
            await change(gateway, "PUT", WORDS)
            for socket in held.values():
                await socket.send(barrage("送你一个西瓜", turn, to="anna"))
                told = await verdict(socket)
                assert (told["id"], told["disposition"], told["reason"]) == (turn, "reject", "own-word")


@pytest.mark.parametrize("text", DISGUISED)
@pytest.mark.parametrize("how", [{"to": "anna"}, {"at": ["emil", "anna"]}, {"room": "annas"}])
async def test_a_disguised_word_aimed_at_its_owner_does_not_arrive_and_the_sender_learns_no_word(
    gateway: Gateway, platform: Platform, text: str, how: dict[str, Any]
) -> None:
    await asyncio.to_thread(gateway.api, "PUT", "rooms/annas", {"owner": "anna"})
    await change(gateway, "PUT", WORDS)
    before = list(platform.seen)
    async with connect(
        gateway.ws(user=f"sender{DISGUISED.index(text)}"), additional_headers={"Accept-Language": "zh"}
    ) as sender:
        await sender.send(barrage(text, 1, **how))
        told = await verdict(sender)
        assert told == {
            "type": "shieldwire.verdict",
            "id": 1,
            "disposition": "reject",
            "reason": "own-word",
            "message": "对方不接收含有某些字词的消息，这条消息没有送达。",
            "retry_after": 0,
            "appeal": "",
        }
    assert platform.seen == before


@pytest.mark.parametrize(
    ("text", "how", "sender"),
    [
        ("一个东瓜", {"to": "anna"}, "stranger"),
        ("from the west，瓜 and watermelons", {"to": "anna"}, "stranger"),
        ("往西，瓜熟了", {"to": "anna"}, "stranger"),
        ("送你一个西瓜", {"to": "emil"}, "stranger"),
        ("送你一个西瓜", {}, "stranger"),
        ("我要一个西瓜", {"to": "emil", "at": ["anna"], "room": "annas"}, "anna"),
    ],
)
async def test_what_holds_no_word_or_is_not_aimed_at_its_owner_or_is_their_own_passes(
    gateway: Gateway, text: str, how: dict[str, Any], sender: str
) -> None:
    await asyncio.to_thread(gateway.api, "PUT", "rooms/annas", {"owner": "anna"})
    await change(gateway, "PUT", WORDS)
    async with connect(gateway.ws(user="viewer")) as viewer, connect(gateway.ws(user=sender)) as socket:
        message = barrage(text, **how)
        await socket.send(message)
        await receives(viewer, message)


async def test_friends_are_refused_too_by_dm_and_by_comment_in_either_language(gateway: Gateway) -> None:
    await asyncio.to_thread(gateway.api, "PUT", "users/anna/circle/friend", {})
    await change(gateway, "PUT", WORDS)
    async with connect(gateway.ws("/dm", user="friend"), additional_headers={"Accept-Language": "en"}) as friend:
        await friend.send(json.dumps({"id": 1, "text": "have a melon", "to": "anna"}))
        told = await verdict(friend)
        words = "This person takes no messages with certain words; it was not delivered."
        assert (told["reason"], told["message"]) == ("own-word", words)
    comment = json.dumps({"text": "have a melon", "to": "anna"}).encode()
    status, _, body = await asyncio.to_thread(
        gateway.request, "POST", "/comments?user=friend", comment, **{"Content-Type": "application/json"}
    )
    assert (status, json.loads(body)["reason"]) == (403, "own-word")


async def test_neither_logs_nor_metrics_nor_cases_hold_a_word_of_the_list(gateway: Gateway) -> None:
    await change(gateway, "PUT", ["secretberry"])
    async with connect(gateway.ws(user="curious")) as socket:
        for number in range(5):
            await socket.send(barrage("a secretberry", number, to="anna"))
            assert (await verdict(socket))["reason"] == "own-word"
    _, _, metrics = await asyncio.to_thread(gateway.request, "GET", "/shieldwire/metrics")
    assert b'shieldwire_signals_total{reason="own-word",stage="blocklist"}' in metrics
    assert b"secretberry" not in metrics
    assert "secretberry" not in gateway.log.read_text()
    _, answer = await asyncio.to_thread(gateway.api, "GET", "cases", None, "moderator")
    assert "secretberry" not in json.dumps(answer)
