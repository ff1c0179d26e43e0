"""WebSocket traffic, as a client and a platform see it: the same in both lanes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from tests.doubles import Gateway, Platform, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(params=["default", "other"])
def gateway(request: pytest.FixtureRequest, gateway: Gateway, other_lane: Gateway) -> Gateway:
    """A gateway of each lane."""
    return gateway if request.param == "default" else other_lane


def barrage(text: str, number: Any = "1", **more: Any) -> str:
    return json.dumps({"id": number, "type": "barrage", "text": text, "room": "r1", **more}, ensure_ascii=False)


async def verdict(socket: ClientConnection) -> dict[str, Any]:
    """The next verdict on this socket; broadcasts in between are passed over."""
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), 5))
        if message.get("type") == "shieldwire.verdict":
            return dict(message)


async def receives(socket: ClientConnection, wanted: str | bytes) -> None:
    """Read until ``wanted`` arrives."""
    async with asyncio.timeout(5):
        while await socket.recv() != wanted:
            pass


@pytest.mark.parametrize(
    "message",
    [
        barrage("主播唱得真好听，加油！"),
        '{"type" : "ping",  "n":1, "n":2}',
        '{ "type":"barrage" , "text":"spaced \\u0041", "id":2, "big":12345678901234567890, "f":1.0 }',
        json.dumps({"type": "join", "pad": "x" * 60_000}),
    ],
)
async def test_what_passes_passes_byte_for_byte(gateway: Gateway, message: str) -> None:
    async with (
        connect(gateway.ws(user="viewer"), max_size=None) as viewer,
        connect(gateway.ws(user="sender"), max_size=None) as sender,
    ):
        await sender.send(message)
        await receives(viewer, message)


async def test_opaque_routes_carry_anything_both_ways(gateway: Gateway) -> None:
    async with connect(gateway.ws("/raw/early"), max_size=None) as socket:
        assert await asyncio.wait_for(socket.recv(), 5) == "early broadcast"
        for message in (b"\x00\xff binary", "你去死吧", "", "x" * 1_500_000):
            await socket.send(message)
            await receives(socket, message)


@pytest.mark.req("S1", "S3")
async def test_abuse_is_answered_in_the_contracts_form_and_the_socket_stays_open(
    gateway: Gateway, platform: Platform
) -> None:
    async with connect(gateway.ws(user="viewer")) as viewer, connect(gateway.ws(user="sender")) as sender:
        abuse = barrage("你这个贱人怎么还不去死", 2)
        await sender.send(abuse)
        told = await verdict(sender)
        assert told["disposition"] == "reject"
        assert told["id"] == 2
        assert set(told) == {"type", "id", "disposition", "reason", "message", "retry_after", "appeal"}
        clean = barrage("好听", 3)
        await sender.send(clean)
        assert await asyncio.wait_for(viewer.recv(), 5) == clean  # and nothing before it
        assert abuse not in platform.seen


@pytest.mark.req("W3")
@pytest.mark.parametrize(
    "text", ["this restaurant was awful and the streamer's argument is wrong", "这顿饭太难吃了，退钱"]
)
async def test_criticism_passes(gateway: Gateway, text: str) -> None:
    async with connect(gateway.ws(user="critic")) as critic:
        message = barrage(text)
        await critic.send(message)
        await receives(critic, message)


async def test_order_is_kept_and_every_message_gets_exactly_one_fate(gateway: Gateway) -> None:
    count = 15
    async with connect(gateway.ws(user="viewer")) as viewer, connect(gateway.ws(user="burst")) as sender:
        for number in range(count):
            await sender.send(barrage("傻逼滚出去" if number % 3 == 0 else f"第{number}句", number))
        delivered = [json.loads(await asyncio.wait_for(viewer.recv(), 5))["id"] for _ in range(count - count // 3)]
        assert delivered == [number for number in range(count) if number % 3]
        refused = [(await verdict(sender))["id"] for _ in range(count // 3)]
        assert refused == [number for number in range(count) if number % 3 == 0]


async def test_what_a_client_sent_before_it_left_still_arrives(gateway: Gateway, platform: Platform) -> None:
    """A refusal that can no longer be delivered must not cost the messages behind it."""
    parting = [barrage(f"goodbye {number}", number) for number in range(5)]
    async with connect(gateway.ws(user="leaver")) as leaver:
        for message in (parting[0], barrage("傻逼滚出去", 9), *parting[1:]):
            await leaver.send(message)
    await until(lambda: set(parting) <= {message for message in platform.seen if isinstance(message, str)})


@pytest.mark.req("D1")
async def test_a_nudged_message_sent_again_with_its_token_is_delivered_without_it(gateway: Gateway) -> None:
    async with connect(gateway.ws(user="viewer")) as viewer, connect(gateway.ws(user="rude")) as sender:
        nudged = {"id": "n", "type": "barrage", "text": "你好蠢", "room": "r1"}
        await sender.send(json.dumps(nudged, ensure_ascii=False))
        told = await verdict(sender)
        assert told["disposition"] == "nudge"
        await sender.send(json.dumps({**nudged, "text": "你这个贱人去死", "shieldwire_token": told["token"]}))
        assert (await verdict(sender))["disposition"] == "reject"
        await sender.send(json.dumps({**nudged, "shieldwire_token": told["token"]}))
        assert json.loads(await asyncio.wait_for(viewer.recv(), 5)) == nudged


@pytest.mark.req("P4", "D1")
async def test_abuse_without_a_listed_word_is_sent_back_with_a_reminder(gateway: Gateway, platform: Platform) -> None:
    rated = barrage("大家记住她家在哪栋楼，晚上一起去敲门，让她别想睡", "rated")
    async with connect(gateway.ws(user="rated")) as sender:
        await sender.send(rated)
        told = await verdict(sender)
        assert (told["id"], told["disposition"]) == ("rated", "nudge")
        assert rated not in platform.seen
        await sender.send(json.dumps({**json.loads(rated), "shieldwire_token": told["token"]}, ensure_ascii=False))
        await until(lambda: any('"rated"' in str(seen) for seen in platform.seen))


@pytest.mark.req("S5")
async def test_a_cry_in_no_list_is_delivered_and_answered_with_support(gateway: Gateway, platform: Platform) -> None:
    cry = barrage("我可能撑不到天亮了", "cry")
    async with connect(gateway.ws(user="tired")) as sender:
        await sender.send(cry)
        async with asyncio.timeout(5):
            while (told := json.loads(await sender.recv())).get("type") != "shieldwire.notice":
                pass
        assert told["topic"] == "support"
        await until(lambda: cry in platform.seen)


@pytest.mark.parametrize(
    ("payload", "reason", "number"),
    [
        ("{not json", "invalid-json", None),
        ('{"type":"barrage","id":"7","text":"ok","text":"abuse"}', "ambiguous-json", None),
        ('{"type":"barrage","id":"7"}', "missing-field", "7"),
        ('{"type":"barrage","id":"7","text":["no"]}', "wrong-type", "7"),
        (b'{"type":"barrage","text":"binary"}', "binary-frame", None),
        (json.dumps({"type": "barrage", "id": "7", "text": "x" * 2_000_000}), "too-large", None),
    ],
)
async def test_bad_input_is_told_to_its_sender_and_costs_nobody_else(
    gateway: Gateway, platform: Platform, payload: str | bytes, reason: str, number: str | None
) -> None:
    async with connect(gateway.ws(user="viewer")) as viewer, connect(gateway.ws(user="sender")) as sender:
        await sender.send(payload)
        told = await verdict(sender)
        assert (told["disposition"], told["reason"], told["id"]) == ("reject", reason, number)
        assert told["message"]
        good = barrage("still here")
        await sender.send(good)
        assert await asyncio.wait_for(viewer.recv(), 5) == good
        assert payload not in platform.seen


async def test_a_message_without_identity_is_an_error_to_its_sender(gateway: Gateway) -> None:
    async with connect(gateway.ws()) as anonymous:
        await anonymous.send(barrage("hello", 5, user="mallory"))
        told = await verdict(anonymous)
        assert (told["reason"], told["id"]) == ("unauthenticated", 5)


async def test_fragments_are_judged_as_the_one_message_that_they_are(gateway: Gateway, platform: Platform) -> None:
    async with connect(gateway.ws(user="viewer")) as viewer, connect(gateway.ws(user="sender")) as sender:
        abuse = barrage("你这个贱人怎么还不去死", 4)
        await sender.send(iter([abuse[:40], abuse[40:45], abuse[45:]]))
        assert (await verdict(sender))["id"] == 4
        clean = barrage("fragmented but fine")
        await sender.send(iter([clean[:7], clean[7:]]))
        assert await asyncio.wait_for(viewer.recv(), 5) == clean
        assert abuse not in platform.seen


async def test_invalid_utf8_closes_only_the_socket_that_sent_it(gateway: Gateway) -> None:
    async with connect(gateway.ws(user="viewer")) as viewer, connect(gateway.ws(user="broken")) as broken:
        frame = Frame(Opcode.TEXT, b'{"type":"barrage","text":"\xff\xfe"}')
        broken.transport.write(frame.serialize(mask=True))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(broken.recv(), 5)
        assert broken.close_code == 1007  # RFC 6455, section 8.1
        good = barrage("unharmed")
        await viewer.send(good)
        await receives(viewer, good)


async def test_an_unknown_route_and_an_upstream_that_is_down_are_said_at_the_handshake(gateway: Gateway) -> None:
    for path, status, reason in (("/nowhere", 404, "unknown-route"), ("/down", 502, "upstream-unavailable")):
        with pytest.raises(InvalidStatus) as refused:
            await connect(gateway.ws(path))
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body or b"")["reason"] == reason


async def test_the_upstreams_own_refusal_reaches_the_client(gateway: Gateway) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(gateway.ws("/raw/forbidden"))
    response = refused.value.response
    assert (response.status_code, response.headers["X-Why"], response.body) == (418, "teapot", b"no tea here")


async def test_close_codes_and_reasons_travel_both_ways(gateway: Gateway, platform: Platform) -> None:
    async with connect(gateway.ws("/raw/x")) as socket:
        await socket.send("close me")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
        assert (socket.close_code, socket.close_reason) == (4321, "as you wish")
    socket = await connect(gateway.ws("/raw/x"))
    await socket.close(4999, "goodbye")
    await until(lambda: (4999, "goodbye") in platform.closes)


async def test_a_client_that_leaves_amid_broadcasts_leaves_the_platform_at_once(
    gateway: Gateway, platform: Platform
) -> None:
    """The platform's answer to the close stands behind its broadcasts: somebody must read them."""
    before = len(platform.closes)
    for _ in range(3):
        leaver = await connect(gateway.ws("/raw/x"), close_timeout=0.3)  # it does not read: it would wait in vain
        await until(lambda: bool(platform.room))
        for number in range(2000):
            await platform.say(f"broadcast {number} " + "x" * 500)
        await leaver.close()
    await until(lambda: len(platform.closes) >= before + 3, 1.5)


async def test_an_upstream_that_dies_is_told_with_its_own_code_and_a_new_socket_works(
    gateway: Gateway, platform: Platform
) -> None:
    async with connect(gateway.ws(user="viewer")) as viewer:
        await until(lambda: bool(platform.room))
        platform.cut()
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(viewer.recv(), 5)
        assert viewer.close_code == 1014
    async with connect(gateway.ws(user="viewer")) as viewer:
        message = barrage("the stream is back")
        await viewer.send(message)
        await receives(viewer, message)


async def test_subprotocol_and_headers_reach_the_upstream_and_lies_about_origin_do_not(
    gateway: Gateway, platform: Platform
) -> None:
    headers = {"X-Forwarded-For": "6.6.6.6", "Connection-Id": "c", "Cookie": "k=v"}
    async with connect(
        gateway.ws("/raw/x"), subprotocols=[websockets.Subprotocol("chat.v2")], additional_headers=headers
    ) as s:
        assert s.subprotocol == "chat.v2"
    seen = platform.handshakes[-1]
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["Cookie"] == "k=v"
    assert seen["Host"] == f"127.0.0.1:{gateway.port}"
    assert seen["X-Forwarded-Host"] == f"127.0.0.1:{gateway.port}"


@pytest.mark.req("P1", "P6")
async def test_one_key_protection_holds_for_sockets_already_open(gateway: Gateway, names: Iterator[str]) -> None:
    victim, friend, stranger = next(names), next(names), next(names)
    async with connect(gateway.ws(user=stranger)) as stranger_s, connect(gateway.ws(user=friend)) as friend_s:
        await asyncio.to_thread(gateway.api, "PUT", f"users/{victim}/circle/{friend}", {})
        status, answer = await asyncio.to_thread(
            gateway.api, "PUT", f"users/{victim}/protection", {"preset": "one-key"}, "user", victim
        )
        assert status == 200
        assert answer["applied"] == answer["of"] == 1
        await stranger_s.send(barrage("hello, nice song", 4, to=victim))
        assert (await verdict(stranger_s))["reason"] == "protected"
        await stranger_s.send(barrage("hey", 5, at=[victim]))
        assert (await verdict(stranger_s))["reason"] == "protected"
        from_friend = barrage("hello from a friend", 6, to=victim)
        await friend_s.send(from_friend)
        await receives(friend_s, from_friend)
        await asyncio.to_thread(gateway.api, "DELETE", f"users/{victim}/protection", None, "user", victim)
        again = barrage("hello again", 7, to=victim)
        await stranger_s.send(again)
        await receives(stranger_s, again)


@pytest.mark.req("P3", "P4")
async def test_strangers_dms_are_counted_and_judged(gateway: Gateway, names: Iterator[str]) -> None:
    victim, stranger = next(names), next(names)
    async with connect(gateway.ws("/dm", stranger)) as socket:
        await socket.send(json.dumps({"id": 0, "text": "你去死吧", "to": victim}))
        assert (await verdict(socket))["disposition"] == "reject"
        for number in range(1, 6):  # the refused one was charged too
            await socket.send(json.dumps({"id": number, "text": "are you there?", "to": victim}))
        told = await verdict(socket)
        assert (told["id"], told["reason"], told["retry_after"] > 0) == (5, "stranger-dm", True)


@pytest.mark.req("S3", "D2")
async def test_a_moderator_mutes_a_sender_and_shuts_a_room(gateway: Gateway, names: Iterator[str]) -> None:
    room, sender = next(names), next(names)
    other_room = next(names)
    async with (
        connect(gateway.ws(f"/rooms/{room}/ws", sender)) as inside,
        connect(gateway.ws(f"/rooms/{other_room}/ws", "somebody")) as outside,
    ):
        mute = {"measure": "mute", "duration": "1h", "reason": "insults"}
        status, _ = await asyncio.to_thread(
            gateway.api, "PUT", f"accounts/{sender}/sanctions", mute, "moderator", "mod"
        )
        assert status == 200
        await inside.send(barrage("hello"))
        told = await verdict(inside)
        assert (told["reason"], told["retry_after"] > 3500) == ("muted", True)
        await asyncio.to_thread(gateway.api, "PUT", f"rooms/{room}/mode", {"mode": "shut"}, "moderator", "mod")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(inside.recv(), 5)
        assert (inside.close_code, inside.close_reason) == (4403, "room shut")
        await outside.send('{"type":"ping"}')
        await receives(outside, '{"type":"ping"}')
    async with connect(gateway.ws(f"/rooms/{room}/ws", "late")) as late:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(late.recv(), 5)
        assert late.close_code == 4403


@pytest.mark.req("W6", "S5")
async def test_severe_and_repeated_hits_become_cases(gateway: Gateway, names: Iterator[str]) -> None:
    severe, repeated, sender = next(names), next(names), next(names)
    async with connect(gateway.ws(user=sender)) as socket:
        await socket.send(barrage("你这个贱人怎么还不去死", 1, to=severe))
        for number in range(3):
            await socket.send(barrage("傻逼滚出去", number, to=repeated))

    def subjects() -> set[str]:
        return {case["subject"] for case in gateway.api("GET", "cases")[1]["cases"]}

    await until(lambda: {severe, repeated} <= subjects())
    cases = {case["subject"]: case for case in gateway.api("GET", "cases")[1]["cases"]}
    assert (cases[severe]["severe"], cases[severe]["incidents"]) == (True, 1)
    assert (cases[repeated]["severe"], cases[repeated]["incidents"], cases[repeated]["senders"]) == (False, 3, 1)


@pytest.mark.req("S5")
async def test_a_cry_for_help_is_delivered_and_answered_with_support(gateway: Gateway) -> None:
    async with connect(gateway.ws(user="sad")) as socket:
        message = barrage("我真的不想活了")
        await socket.send(message)
        async with asyncio.timeout(5):
            first, second = await socket.recv(), await socket.recv()
        notice = json.loads(first if first != message else second)
        assert message in (first, second)
        assert (notice["type"], notice["topic"]) == ("shieldwire.notice", "support")
