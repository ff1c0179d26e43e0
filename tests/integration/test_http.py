"""The portable lane for HTTP, as a client and a platform see it."""

from __future__ import annotations

import asyncio
import http.client
import json
import select
import socket
from typing import Any

import pytest

from tests.doubles import Gateway, Platform, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def send(
    gateway: Gateway, method: str, path: str, body: bytes | None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    status, answered, answer = await asyncio.to_thread(gateway.request, method, path, body, **headers)
    return status, answered, json.loads(answer or b"null")


def comment(text: str, **more: Any) -> bytes:
    return json.dumps({"id": "c1", "text": text, **more}, ensure_ascii=False).encode()


async def test_a_clean_comment_reaches_the_platform_byte_for_byte(gateway: Gateway, platform: Platform) -> None:
    body = b'{ "text" : "a \\u0041 fine evening", "n": 1.0 }'
    status, headers, answer = await send(gateway, "POST", "/comments?user=alice&x=%20", body, **JSON, **{"X-Mine": "1"})
    seen = platform.requests[-1]
    assert (status, answer) == (201, {"got": len(body)})
    assert (seen["method"], seen["target"], seen["body"]) == ("POST", "/comments?user=alice&x=%20", body)
    sent = dict(seen["headers"])
    assert (sent[b"x-mine"], sent[b"x-forwarded-for"]) == (b"1", b"127.0.0.1")
    assert sent[b"host"] == f"127.0.0.1:{gateway.port}".encode()
    assert headers["x-from"] == "platform"


@pytest.mark.req("S1")
async def test_an_abusive_comment_is_answered_403_and_not_forwarded(gateway: Gateway, platform: Platform) -> None:
    before = len(platform.requests)
    status, _, answer = await send(gateway, "POST", "/comments?user=alice", comment("你这个贱人怎么还不去死"), **JSON)
    assert (status, answer["type"], answer["id"], answer["disposition"]) == (403, "shieldwire.verdict", "c1", "reject")
    assert len(platform.requests) == before


@pytest.mark.req("D1")
async def test_a_nudge_is_409_and_its_token_may_come_as_a_header(gateway: Gateway) -> None:
    status, _, answer = await send(gateway, "POST", "/comments?user=rude", comment("你好蠢"), **JSON)
    assert (status, answer["disposition"]) == (409, "nudge")
    token = {"Shieldwire-Token": answer["token"]}
    status, _, _ = await send(gateway, "POST", "/comments?user=rude", comment("你好蠢"), **JSON, **token)
    assert status == 201
    status, _, _ = await send(gateway, "POST", "/comments?user=other", comment("你好蠢"), **JSON, **token)
    assert status == 409


@pytest.mark.req("P3")
async def test_a_flood_is_429_with_retry_after(gateway: Gateway) -> None:
    for _ in range(40):
        status, headers, answer = await send(gateway, "POST", "/comments?user=flooder", comment("hi", room="r"), **JSON)
        if status != 201:
            break
    assert (status, answer["reason"]) == (429, "flood")
    assert int(headers["retry-after"]) >= 1


async def test_forms_are_judged_too(gateway: Gateway, platform: Platform) -> None:
    status, _, _ = await send(gateway, "POST", "/forms?user=alice", b"text=hello+you&x=%7e", **FORM)
    assert (status, platform.requests[-1]["body"]) == (201, b"text=hello+you&x=%7e")
    status, _, answer = await send(gateway, "POST", "/forms?user=alice", "text=傻逼滚出去".encode(), **FORM)
    assert (status, answer["disposition"]) == (403, "reject")


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "reason"),
    [
        ("/comments?user=a", b"{nope", JSON, 400, "invalid-json"),
        ("/comments?user=a", b'{"text":"a","text":"b"}', JSON, 400, "ambiguous-json"),
        ("/comments?user=a", b'{"id":"9"}', JSON, 400, "missing-field"),
        ("/comments?user=a", b'{"text":7}', JSON, 400, "wrong-type"),
        ("/comments?user=a", b'{"text":"\xff"}', JSON, 400, "invalid-utf8"),
        ("/comments?user=a", b'{"text":"' + b"x" * 2_000_000 + b'"}', JSON, 413, "too-large"),
        ("/comments?user=a", b"text=a", FORM, 415, "unsupported-media-type"),
        ("/comments?user=a", b"{}", {"Content-Type": "application/json; charset=gbk"}, 415, "unsupported-media-type"),
        ("/comments?user=a", b"{}", {**JSON, "Content-Encoding": "gzip"}, 415, "unsupported-media-type"),
        ("/comments", b'{"text":"hello"}', JSON, 401, "unauthenticated"),
        ("/comments?user=a&user=b", b'{"text":"hello"}', JSON, 400, "ambiguous-request"),
        ("/x/../comments?user=a", b'{"text":"hello"}', JSON, 400, "ambiguous-path"),
        ("/down", b"", {}, 502, "upstream-unavailable"),
    ],
)
async def test_bad_input_is_named_to_its_sender(
    gateway: Gateway, platform: Platform, path: str, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    before = len(platform.requests)
    answered, _, answer = await send(gateway, "POST", path, body, **headers)
    assert (answered, answer["reason"]) == (status, reason)
    assert len(platform.requests) == before


@pytest.mark.parametrize("path", ["/comments?user=a", "/x/../comments?user=a", "/shieldwire/v1/verdicts"])
async def test_an_answer_before_the_end_of_a_body_is_not_lost_to_a_reset(gateway: Gateway, path: str) -> None:
    body = comment("x" * 3_000_000)
    head = f"POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as client:
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:2_000_000])
        assert select.select([client], [], [], 10)[0], "no answer yet"
        client.sendall(body[2_000_000:])
        with client.makefile("rb") as answer:
            status, whole = answer.readline(), answer.read()
    assert status.split()[1].startswith(b"4")
    assert b"HTTP/1.1" not in whole


@pytest.mark.req("S5")
async def test_support_reaches_a_person_in_distress_over_http_too(gateway: Gateway) -> None:
    status, headers, _ = await send(gateway, "POST", "/comments?user=sad", comment("我真的不想活了"), **JSON)
    assert (status, headers["shieldwire-notice"]) == (201, "support")
    status, _, answer = await send(gateway, "POST", "/comments?user=sad", comment("傻逼滚出去。我真的不想活了"), **JSON)
    assert (status, answer["disposition"], answer["notice"]["topic"]) == (403, "reject", "support")


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "HEAD"])
async def test_no_method_carries_a_message_past_the_judge(gateway: Gateway, platform: Platform, method: str) -> None:
    before = len(platform.requests)
    status, _, _ = await asyncio.to_thread(gateway.request, method, "/comments?user=a", comment("傻逼滚出去"), **JSON)
    assert (status, len(platform.requests)) == (403, before)


async def test_a_message_whose_sender_hangs_up_still_arrives(gateway: Gateway, platform: Platform) -> None:
    bodies = [comment(f"sent and gone {number}") for number in range(20)]
    for number, body in enumerate(bodies):
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        head = f"POST /comments?user=gone{number} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()
    await until(lambda: set(bodies) <= {request["body"] for request in platform.requests})


AMBIGUOUS = {
    "Host twice": "Host: a\r\nHost: b\r\nContent-Type: application/json\r\n",
    "no Host": "Content-Type: application/json\r\n",
    "a Host that is a path": "Host: x/live/annas/ws?\r\nContent-Type: application/json\r\n",
    "a Host with a password": "Host: u:p@x\r\nContent-Type: application/json\r\n",
    "Content-Type twice": "Host: h\r\nContent-Type: application/json\r\nContent-Type: text/plain\r\n",
    "Content-Type declared hop-by-hop": "Host: h\r\nConnection: content-type\r\nContent-Type: application/json\r\n",
    "Content-Type declared in the first of two Connections": (
        "Host: h\r\nConnection: content-type\r\nConnection: close\r\nContent-Type: application/json\r\n"
    ),
    "Host declared hop-by-hop": "Host: h\r\nConnection: keep-alive, Host\r\nContent-Type: application/json\r\n",
    "charset twice": "Host: h\r\nContent-Type: application/json; charset=gbk; charset=utf-8\r\n",
}


@pytest.mark.parametrize("headers", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
async def test_requests_that_the_platform_could_read_otherwise_are_refused(
    gateway: Gateway, platform: Platform, headers: str
) -> None:
    before, shaken = len(platform.requests), len(platform.handshakes)
    body = comment("a fine evening")
    requests = [f"POST /comments?user=a HTTP/1.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body]
    if (
        "Content-Type" not in headers.replace("Content-Type: application/json\r\n", "", 1)
        and "Connection" not in headers
    ):
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        requests.append(f"GET /ws?user=a HTTP/1.1\r\n{headers}{upgrade}{key}\r\n".encode())
    for request in requests:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(request)
        status = int((await asyncio.wait_for(reader.readline(), 5)).split()[1])
        writer.close()
        assert status in (400, 415), request
    assert (len(platform.requests), len(platform.handshakes)) == (before, shaken)


async def test_a_judged_path_cannot_be_slipped_past(gateway: Gateway) -> None:
    for path in ("//comments?user=a", "/%63omments?user=a", "/COMMENTS?user=a", "/comments/?user=a"):
        status, _, _ = await send(gateway, "POST", path, comment("傻逼滚出去"), **JSON)
        assert status == 403, path
    for path in ("/comments;x=1?user=a", "/comments%3Bx?user=a", "/comments%20?user=a", "/comments%00?user=a"):
        status, _, _ = await send(gateway, "POST", path, comment("傻逼滚出去"), **JSON)
        assert status == 400, path


async def test_everything_else_streams_through_with_its_headers(gateway: Gateway, platform: Platform) -> None:
    big = bytes(range(256)) * 20_000
    status, _, answer = await send(gateway, "PUT", "/upload", big, **{"Content-Type": "application/octet-stream"})
    assert (status, answer, platform.requests[-1]["body"]) == (201, {"got": len(big)}, big)

    def raw() -> tuple[int, list[str], bytes, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
        connection.request("GET", "/page", headers={"Connection": "keep-alive, X-Hop", "X-Hop": "1"})
        answer = connection.getresponse()
        cookies, body = answer.headers.get_all("set-cookie") or [], answer.read()
        connection.request(
            "POST", "/chunks", iter([b"one", b"two"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
        )
        connection.getresponse().read()
        connection.request("HEAD", "/page")
        head = connection.getresponse()
        status, nothing = head.status, head.read()
        connection.close()
        return status, cookies, body, nothing

    status, cookies, body, nothing = await asyncio.to_thread(raw)
    assert (status, cookies, body, nothing) == (201, ["a=1", "b=2"], b'{"got":0}', b"")
    page, chunks = platform.requests[-3], platform.requests[-2]
    assert b"x-hop" not in dict(page["headers"])
    assert chunks["body"] == b"onetwo"


async def test_streamed_responses_arrive_whole(gateway: Gateway) -> None:
    status, _, body = await asyncio.to_thread(gateway.request, "GET", "/events/stream")
    assert (status, body) == (200, b"data: 0\n\ndata: 1\n\ndata: 2\n\n")


async def test_metrics_count_without_naming_anybody(gateway: Gateway) -> None:
    await send(gateway, "POST", "/comments?user=secretive", comment("傻逼滚出去", to="victim-of-metrics"), **JSON)

    def counted() -> bool:
        text = gateway.request("GET", "/shieldwire/metrics")[2].decode()
        assert "secretive" not in text
        assert "victim-of-metrics" not in text
        return 'shieldwire_messages_total{disposition="reject",kind="comment"}' in text

    await until(counted)
    log = gateway.log.read_text()
    assert "secretive" not in log
    assert "user=" not in log
    assert "傻逼" not in gateway.log.read_text()
