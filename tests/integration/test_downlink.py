"""Downlink protection and hiding (requirements P5, P7, S1): a real platform, real sockets, two workers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import re
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect

from gateway.demo.ports import free_port
from tests.doubles import SLOW_S, Gateway, Platform, configuration, serving, until
from tests.integration.test_own_words import worker_of
from tests.integration.test_websocket import barrage, verdict

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("P7")]

INSULT = "傻逼滚出去"
HIDDEN = "丑八怪"
ADVERT = "加微信领红包"
PHONE = "13812345678"
END = '{"type":"end"}'
JSON = {"Content-Type": "application/json"}


def routes(platform: Platform) -> str:
    """The routes with a downlink or a way to hide; mockery is hidden."""
    ws, http = f"ws://127.0.0.1:{platform.ws_port}", f"http://127.0.0.1:{platform.http_port}"
    fields = 'fields = { id = "id", text = "text", sender = "user", target = "to", room = "room", mentions = "at" }'
    barrages = f'codec = "json"\nkind = "barrage"\nmatch = {{ type = "barrage" }}\n{fields}'
    broadcast = 'fields = { id = "id", text = "text", sender = "user", target = "to", room = "room", mentions = "at" }'
    return f"""
[policy.ladders]
mockery = ["hide", "hide", "hide"]
marketing = ["nudge", "nudge", "nudge"]
[[route]]
path = "/live"
upstream = "{ws}/live"
{barrages}
[route.downlink]
match = {{ type = "barrage" }}
{broadcast}
[[route]]
path = "/inbox"
upstream = "{ws}/inbox"
codec = "json"
kind = "dm"
{fields}
[route.downlink]
match = {{ type = "dm" }}
fields = {{ text = "text", sender = "user" }}
[[route]]
path = "/acks"
upstream = "{ws}/acks"
{barrages}
[route.hide]
answer = '{{"type":"taken","id":{{id}},"text":{{text}},"by":{{sender}}}}'
[[route]]
path = "/posts"
upstream = "{http}/posts"
codec = "json"
kind = "comment"
{fields}
[route.hide]
answer = '{{"got":2,"id":{{id}},"echo":{{payload}}}}'
status = 201
headers = {{ X-From = "platform" }}
[[route]]
path = "/posts/slow"
upstream = "{http}/posts/slow"
codec = "json"
kind = "comment"
{fields}
[route.hide]
answer = "{{payload}}"
[[route]]
path = "/posts/live"
upstream = "{http}/posts/live"
codec = "json"
kind = "comment"
{fields}
[route.hide]
forward = true
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncIterator[Platform]:
    async with Platform() as platform:
        yield platform


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """Two workers, both alive."""
    folder, port = tmp_path_factory.mktemp("downlink"), free_port()
    config = configuration(platform, folder / "data", port, routes(platform), workers=2)
    with serving(config, folder, port) as gateway:
        await gateway.ready()
        await until(lambda: gateway.api("DELETE", "users/anna/blocklist")[1]["of"] == 2, 60)
        await api(gateway, "PUT", "rooms/annas", {"owner": "anna"})
        await api(gateway, "PUT", "users/anna/circle/friend", {})
        await api(gateway, "PUT", "users/bob/blocklist", {"words": ["melon"]})
        await protect(gateway, "anna")
        yield gateway


async def api(gateway: Gateway, method: str, path: str, body: Any = None) -> None:
    """A change by the control API; it is in force on both workers when that is answered."""
    status, answer = await asyncio.to_thread(gateway.api, method, path, body)
    assert (status, answer["applied"], answer["of"]) == (200, 2, 2)


async def protect(gateway: Gateway, person: str) -> None:
    await api(gateway, "PUT", f"users/{person}/protection", {"preset": "one-key"})


async def on_both_workers(
    stack: AsyncExitStack, gateway: Gateway, platform: Platform, user: str, path: str = "/live"
) -> list[ClientConnection]:
    """Two sockets of one user, one at each worker, in the platform's room."""
    held: dict[int, ClientConnection] = {}
    for _ in range(64):
        handshakes = len(platform.handshakes)
        socket = await stack.enter_async_context(connect(gateway.ws(path, user)))
        await until(lambda handshakes=handshakes: len(platform.handshakes) > handshakes)
        held.setdefault(worker_of(gateway, socket), socket)
        if len(held) == 2:
            return list(held.values())
    raise AssertionError("one worker takes all the sockets")


async def frames_until_end(socket: ClientConnection) -> list[str | bytes]:
    """What the socket receives before the frame `END`."""
    frames = []
    async with asyncio.timeout(10):
        while (frame := await socket.recv()) != END:
            frames.append(frame)
    return frames


def counted(gateway: Gateway, metric: str) -> dict[str, float]:
    """The values of a counter with one label, of all workers together, by that label."""
    _, _, text = gateway.request("GET", "/shieldwire/metrics")
    found = re.findall(rf'^shieldwire_{metric}_total{{\w+="([^"]*)"}} (\S+)$', text.decode(), re.MULTILINE)
    return {label: float(value) for label, value in found}


def gained(gateway: Gateway, metric: str, before: dict[str, float]) -> dict[str, float]:
    """What a counter has gained since."""
    now = counted(gateway, metric)
    return {label: value - before.get(label, 0) for label, value in now.items() if value != before.get(label, 0)}


def said(text: str, by: Any = "stranger", **more: Any) -> str:
    return barrage(text, user=by, **more)


DEEP = "[" * 20_000 + "]" * 20_000
PASSES: list[str | bytes] = [
    said("主播唱得真好听"),
    said("a word to somebody else", to="emil", at=["bob"]),
    said("hello from a friend", "friend", to="anna"),
    said("hello from a friend", "friend", room="annas", at=["anna"]),
    said(INSULT, "anna", to="emil"),  # her own words are hers to see
    said("my own room", "anna", room="annas"),
    said("spaced \\u0041 \u2028 and numbered", 17, n=12345678901234567890),
    '{ "type" : "notice",  "text": "傻逼滚出去", "user":"stranger" }',
    '{"type":"notice","text":"\\ud800 only half a character"}',
    '{"type":"notice","n":1,"n":2}',
    f"no JSON at all: {INSULT}",
    "",
    f'{{"type":"barrage","user":"stranger","text":"{INSULT}"'.encode(),
    b"\x00\xff",
]
WITHHELD: list[str | bytes] = [
    said(INSULT),
    said(INSULT, "friend"),
    said(HIDDEN, to="emil"),
    said("hello", to="anna"),
    said("hello", at=["emil", "anna"]),
    said("hello", room="annas"),
    said("hello", by=17, room="annas"),
    '{"type":"barrage","text":"whose?"}',
    '{"type":"barrage","user":"stranger"}',
    '{"type":"barrage","user":"stranger","text":["no text"]}',
    '{"type":"barrage","user":"stranger","text":"twice","text":"said"}',
    '{"type":"barrage","user":"stranger","text":"\\ud800 a browser reads this"}',
    f'{{"type":"barrage","user":"stranger","text":"deep","x":{DEEP}}}',
    said("x" * 70_000),
]


@pytest.mark.req("P1", "P6")
async def test_a_protected_viewer_misses_exactly_those_frames_and_others_get_every_byte(
    gateway: Gateway, platform: Platform
) -> None:
    every = [frame for pair in zip(PASSES, WITHHELD, strict=True) for frame in pair]
    before = await asyncio.to_thread(counted, gateway, "withheld")
    async with AsyncExitStack() as stack:
        anna = await on_both_workers(stack, gateway, platform, "anna")
        others = await on_both_workers(stack, gateway, platform, "emil") + await on_both_workers(
            stack, gateway, platform, ""
        )
        for frame in every:
            await platform.say(frame)
        await platform.say(END)
        for socket in anna:
            assert await frames_until_end(socket) == PASSES
        for socket in others:
            assert await frames_until_end(socket) == every
    reasons = await asyncio.to_thread(gained, gateway, "withheld", before)
    assert {reason for reason, times in reasons.items() if times >= 2} == {"abuse", "protected", "unreadable"}


@pytest.mark.req("P5")
async def test_a_viewers_own_words_are_withheld_from_them_whoever_says_them_to_whomever(
    gateway: Gateway, platform: Platform
) -> None:
    frames = [said("a m e l o n"), said("a lemon", to="bob"), said("MELON", "friend", to="emil"), said("melon", "bob")]
    async with AsyncExitStack() as stack:
        bobs = await on_both_workers(stack, gateway, platform, "bob")
        others = await on_both_workers(stack, gateway, platform, "emil")
        for frame in (*frames, END):
            await platform.say(frame)
        for socket in bobs:
            assert await frames_until_end(socket) == [frames[1], frames[3]]
        for socket in others:
            assert await frames_until_end(socket) == frames


async def test_fragments_are_one_frame(gateway: Gateway, platform: Platform) -> None:
    frames = [said("a clean one"), said(INSULT), said("hello", to="anna"), said("the last")]
    async with AsyncExitStack() as stack:
        (anna, _), (emil, _) = [await on_both_workers(stack, gateway, platform, name) for name in ("anna", "emil")]
        for frame in frames:
            for connection in list(platform.room):
                await connection.send([frame[:5], frame[5:50], frame[50:]])
        await platform.say(END)
        assert await frames_until_end(anna) == [frames[0], frames[3]]
        assert await frames_until_end(emil) == frames


@pytest.mark.req("P1")
async def test_a_flip_on_open_sockets_takes_effect_with_the_next_frame(gateway: Gateway, platform: Platform) -> None:
    aimed = said("hello", to="carla")
    async with AsyncExitStack() as stack:
        sockets = await on_both_workers(stack, gateway, platform, "carla")
        for _ in range(3):
            await platform.say(aimed)
            await protect(gateway, "carla")
            await platform.say(aimed)
            await platform.say(END)
            for socket in sockets:
                assert await frames_until_end(socket) == [aimed]
            await api(gateway, "DELETE", "users/carla/protection")
            await platform.say(aimed)
            await platform.say(END)
            for socket in sockets:
                assert await frames_until_end(socket) == [aimed]


@pytest.mark.req("P6")
async def test_who_joins_or_leaves_the_circle_is_seen_or_not_with_the_next_frame(
    gateway: Gateway, platform: Platform
) -> None:
    aimed = said("hello", "newcomer", to="anna")
    async with AsyncExitStack() as stack:
        sockets = await on_both_workers(stack, gateway, platform, "anna")
        for method, seen in (("PUT", [aimed]), ("DELETE", []), ("PUT", [aimed])):
            await api(gateway, method, "users/anna/circle/newcomer", {} if method == "PUT" else None)
            await platform.say(aimed)
            await platform.say(END)
            for socket in sockets:
                assert await frames_until_end(socket) == seen


@pytest.mark.req("P4")
async def test_a_direct_message_is_aimed_at_whoever_holds_the_socket(gateway: Gateway, platform: Platform) -> None:
    frames = [json.dumps({"type": "dm", "user": user, "text": "hi"}) for user in ("stranger", "friend", "anna")]
    async with AsyncExitStack() as stack:
        (anna, _) = await on_both_workers(stack, gateway, platform, "anna", "/inbox")
        (emil, _) = await on_both_workers(stack, gateway, platform, "emil", "/inbox")
        for frame in (*frames, END):
            await platform.say(frame)
        assert await frames_until_end(anna) == frames[1:]
        assert await frames_until_end(emil) == frames


async def test_a_broadcast_is_judged_once_a_worker_and_not_at_all_for_the_unprotected(
    gateway: Gateway, platform: Platform
) -> None:
    async with AsyncExitStack() as stack:
        emils = await on_both_workers(stack, gateway, platform, "emil")
        before = await asyncio.to_thread(counted, gateway, "broadcasts")
        for frame in (said("nobody looks at this"), said(INSULT, to="nobody"), END):
            await platform.say(frame)
        for socket in emils:
            assert len(await frames_until_end(socket)) == 2
        assert await asyncio.to_thread(gained, gateway, "broadcasts", before) == {}

        annas = [socket for _ in range(10) for socket in await on_both_workers(stack, gateway, platform, "anna")]
        withheld = await asyncio.to_thread(counted, gateway, "withheld")
        for frame in (said("everybody looks at this"), said(INSULT, to="everybody"), END):
            await platform.say(frame)
        for socket in annas:
            assert len(await frames_until_end(socket)) == 1
        judged = await asyncio.to_thread(gained, gateway, "broadcasts", before)
        assert (judged["clean"], judged["abusive"]) == (2, 2)
        assert (await asyncio.to_thread(gained, gateway, "withheld", withheld))["abuse"] >= len(annas) == 20


@pytest.mark.req("S1")
async def test_a_hidden_message_looks_delivered_and_only_the_protected_miss_it(
    gateway: Gateway, platform: Platform
) -> None:
    hidden, clean = said(HIDDEN, "mocker", to="anna", room="r1"), said("好听", "mocker")
    async with AsyncExitStack() as stack:
        anna = await on_both_workers(stack, gateway, platform, "anna")
        others = await on_both_workers(stack, gateway, platform, "emil")
        await api(gateway, "PUT", "users/anna/circle/mocker", {})
        for sender in await on_both_workers(stack, gateway, platform, "mocker"):
            for message in (clean, hidden, clean, END):
                await sender.send(message)
            assert await frames_until_end(sender) == [clean, hidden, clean]  # not a word, and in order
            for socket in others:
                assert await frames_until_end(socket) == [clean, hidden, clean]
            for socket in anna:
                assert await frames_until_end(socket) == [clean, clean]


@pytest.mark.req("P5")
async def test_whom_a_person_hides_is_not_told_and_everybody_else_reads_them(
    gateway: Gateway, platform: Platform
) -> None:
    await api(
        gateway, "PUT", "users/dora/blocklist", {"users": ["pest"], "words": ["西瓜"], "hide": ["users", "words"]}
    )
    async with AsyncExitStack() as stack:
        doras = await on_both_workers(stack, gateway, platform, "dora")
        emils = await on_both_workers(stack, gateway, platform, "emil")
        for name, frames, seen in (
            ("pest", [said("hello", "pest", to="dora"), said("to all", "pest")], []),
            ("eater", [said("送你一个西 瓜", "eater", to="dora"), said("好听", "eater", to="dora")], [1]),
        ):
            for sender in await on_both_workers(stack, gateway, platform, name):
                for message in (*frames, END):
                    await sender.send(message)
                for socket in (sender, *emils):
                    assert await frames_until_end(socket) == frames
                for socket in doras:
                    assert await frames_until_end(socket) == [frames[place] for place in seen]


@pytest.mark.req("S1", "D1")
async def test_what_a_hidden_message_is_masked_or_nudged_for_is_masked_and_nudged(
    gateway: Gateway, platform: Platform
) -> None:
    async with AsyncExitStack() as stack:
        (anna, _), (emil, _) = [await on_both_workers(stack, gateway, platform, name) for name in ("anna", "emil")]
        (sender, _) = await on_both_workers(stack, gateway, platform, "both")
        await sender.send(said(f"{HIDDEN} {PHONE}", "both"))
        told = await verdict(sender)
        assert (told["disposition"], told["reason"]) == ("mask", "privacy")
        await sender.send(said(f"{HIDDEN}，{ADVERT}", "both"))
        told = await verdict(sender)
        assert (told["disposition"], told["reason"]) == ("nudge", "marketing")
        await sender.send(said(f"{HIDDEN}，{ADVERT}", "both", shieldwire_token=told["token"]))
        await sender.send(END)
        seen = [json.loads(frame)["text"] for frame in await frames_until_end(emil)]
        assert seen == [f"{HIDDEN} {'*' * len(PHONE)}", f"{HIDDEN}，{ADVERT}"]
        assert await frames_until_end(anna) == []


@pytest.mark.req("S1")
async def test_a_socket_without_downlink_answers_in_the_platforms_name_and_in_order(
    gateway: Gateway, platform: Platform
) -> None:
    before = len(platform.seen)
    first, last = said("first", "acker"), said("last", "acker")
    async with connect(gateway.ws("/acks", "acker")) as sender:
        for message in (first, barrage(HIDDEN, 'a "quoted" id'), last, END):
            await sender.send(message)
        answer = f'{{"type":"taken","id":"a \\"quoted\\" id","text":"{HIDDEN}","by":"acker"}}'
        assert await frames_until_end(sender) == [first, answer, last]
    assert platform.seen[before:] == [first, last, END]


async def posted(gateway: Gateway, path: str, text: str, number: int = 7) -> tuple[int, dict[str, str], Any]:
    body = json.dumps({"id": number, "text": text}, ensure_ascii=False).encode()
    status, headers, answer = await asyncio.to_thread(gateway.request, "POST", f"{path}?user=poster", body, **JSON)
    return status, headers, json.loads(answer)


@pytest.mark.req("S1")
async def test_over_http_the_platforms_answer_stands_in_or_the_message_goes_to_the_downlink_or_is_refused(
    gateway: Gateway, platform: Platform
) -> None:
    genuine = await posted(gateway, "/posts", "好听")
    before = len(platform.requests)
    status, headers, answer = await posted(gateway, "/posts", HIDDEN)
    assert len(platform.requests) == before
    assert (status, answer) == (201, {"got": 2, "id": 7, "echo": {"id": 7, "text": HIDDEN}})
    assert (status, set(headers)) == (genuine[0], genuine[1].keys() - {"set-cookie", "server"})
    status, headers, answer = await posted(gateway, "/posts", f"{HIDDEN} {PHONE}")
    assert headers["shieldwire-verdict"] == "mask"
    assert answer["echo"]["text"] == f"{HIDDEN} {'*' * len(PHONE)}"
    assert (await posted(gateway, "/posts", f"{HIDDEN}，{ADVERT}"))[0] == 409
    assert len(platform.requests) == before

    status, headers, _ = await posted(gateway, "/posts/live", HIDDEN)
    assert (status, json.loads(platform.requests[-1]["body"])["text"]) == (201, HIDDEN)
    assert not [name for name in headers if name.startswith("shieldwire")]

    status, _, answer = await posted(gateway, "/comments", HIDDEN)
    assert (status, answer["disposition"], answer["reason"]) == (403, "reject", "mockery")
    (said_at_start,) = (line for line in lines_of(gateway.log) if line["event"] == "hidden-messages-are-refused")
    assert "/comments" in said_at_start["routes"]
    assert not {"/live", "/acks", "/posts", "/posts/live"} & set(said_at_start["routes"])


@pytest.mark.req("S1")
async def test_an_answer_in_the_platforms_place_takes_the_platforms_time(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)  # kept alive: of one worker

    def took(text: str) -> tuple[int, float]:
        began = time.monotonic()
        body = json.dumps({"text": text}, ensure_ascii=False).encode()
        connection.request("POST", "/posts/slow?user=poster", body, JSON)
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.monotonic() - began

    with contextlib.closing(connection):
        assert (await asyncio.to_thread(took, "好听"))[0] == 201
        status, seconds = await asyncio.to_thread(took, HIDDEN)
        assert (status, seconds >= SLOW_S) == (200, True)


def lines_of(log: Path) -> Iterable[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def test_neither_logs_nor_metrics_hold_a_text_or_an_account(gateway: Gateway, platform: Platform) -> None:
    async with AsyncExitStack() as stack:
        anna = await on_both_workers(stack, gateway, platform, "anna")
        for frame in (said(f"{INSULT} secretberry", "secretary"), said("secretberry", "secretary", to="anna"), END):
            await platform.say(frame)
        assert await frames_until_end(anna[0]) == []
    _, _, metrics = await asyncio.to_thread(gateway.request, "GET", "/shieldwire/metrics")
    assert b'shieldwire_withheld_total{reason="protected"}' in metrics
    for secret in ("secret", "anna"):
        assert secret.encode() not in metrics
        assert secret not in gateway.log.read_text()
