"""Measures, and threads that are slowed or restricted, as clients meet them (requirements D2, S1)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.doubles import Gateway, Platform
from tests.integration.test_websocket import barrage, receives, verdict

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR = {"duration": "1h", "reason": "incitement"}


async def call(gateway: Gateway, method: str, path: str, body: Any = None) -> None:
    status, answer = await asyncio.to_thread(gateway.api, method, path, body)
    assert status == 200, answer


async def comment(gateway: Gateway, user: str, room: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    body = json.dumps({"text": "hello", "room": room}).encode()
    address = f"/comments?user={user}"
    headers = {"Content-Type": "application/json"}
    status, told, answer = await asyncio.to_thread(gateway.request, "POST", address, body, **headers)
    return status, told, json.loads(answer)


@pytest.mark.req("D2")
async def test_closing_an_account_cuts_its_sockets_and_lets_it_in_nowhere_until_it_is_lifted(
    gateway: Gateway, platform: Platform, names: Iterator[str]
) -> None:
    troll, other = next(names), next(names)
    async with (
        connect(gateway.ws(user=troll)) as judged,
        connect(gateway.ws("/raw/anywhere", user=troll)) as opaque,
        connect(gateway.ws(user=other)) as bystander,
    ):
        await judged.send(barrage("hello", 1))
        await receives(bystander, barrage("hello", 1))
        await call(gateway, "PUT", f"accounts/{troll}/sanctions", {"measure": "close", **HOUR})
        for socket in (judged, opaque):
            await asyncio.wait_for(socket.wait_closed(), 5)
            assert (socket.close_code, socket.close_reason) == (4410, "account closed")
        await bystander.send(barrage("still here", 2))
        await receives(bystander, barrage("still here", 2))
    for path in ("/ws", "/raw/anywhere"):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(gateway.ws(path, user=troll)):
                pass
        assert refused.value.response.status_code == 403
        assert json.loads(refused.value.response.body or b"{}")["reason"] == "account-closed"
    status, _, told = await comment(gateway, troll, "thread")
    assert (status, told["reason"]) == (403, "account-closed")
    status, _, _ = await asyncio.to_thread(gateway.request, "GET", f"/anything?user={troll}")
    assert status == 403
    await call(gateway, "DELETE", f"accounts/{troll}/sanctions?measure=close")
    async with connect(gateway.ws(user=troll)) as back:
        await back.send(barrage("back", 3))
        await receives(back, barrage("back", 3))


@pytest.mark.req("D2")
async def test_suspended_dms_leave_public_messages_alone(gateway: Gateway, names: Iterator[str]) -> None:
    troll, other = next(names), next(names)
    async with connect(gateway.ws("/dm", user=troll)) as dms, connect(gateway.ws(user=troll)) as public:
        await call(gateway, "PUT", f"accounts/{troll}/sanctions", {"measure": "suspend-dm", **HOUR})
        await dms.send(json.dumps({"id": 1, "text": "hello", "to": other}))
        told = await verdict(dms)
        assert (told["id"], told["reason"]) == (1, "dm-suspended")
        assert 3500 < told["retry_after"] <= 3600
        await public.send(barrage("hello", 2))
        await receives(public, barrage("hello", 2))


@pytest.mark.req("S1")
async def test_a_thread_at_risk_is_slowed_and_restricted(gateway: Gateway, names: Iterator[str]) -> None:
    owner, friend, stranger = next(names), next(names), next(names)
    thread = f"thread of {owner}"
    await call(gateway, "PUT", f"rooms/{thread.replace(' ', '%20')}", {"owner": owner})
    await call(gateway, "PUT", f"users/{owner}/circle/{friend}", {"kind": "friends"})
    mode = f"rooms/{thread.replace(' ', '%20')}/mode"
    await call(gateway, "PUT", mode, {"mode": "slow", "slow_s": 600})
    assert (await comment(gateway, stranger, thread))[0] == 201
    status, headers, told = await comment(gateway, stranger, thread)
    assert (status, told["reason"]) == (429, "room-slow")
    assert 590 <= int(headers["retry-after"]) <= 600
    await call(gateway, "PUT", mode, {"mode": "circle-only", "duration": "1h"})
    assert (await comment(gateway, friend, thread))[0] == 201
    status, _, told = await comment(gateway, stranger, thread)
    assert (status, told["reason"]) == (403, "room-circle-only")
    await call(gateway, "PUT", mode, {"mode": "read-only"})
    status, _, told = await comment(gateway, friend, thread)
    assert (status, told["reason"]) == (403, "room-read-only")
    await call(gateway, "DELETE", mode)
    assert (await comment(gateway, friend, thread))[0] == 201
