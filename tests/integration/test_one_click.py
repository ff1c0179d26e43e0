"""A person under attack, from the prompt to the reminder, on their own open sockets (requirements P1, P2)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.doubles import Gateway

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.req("P1", "P2")]

HALF_A_DAY_S = 43_200


async def notices(socket: ClientConnection, wanted: int) -> list[dict[str, Any]]:
    """The next notices on this socket."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(8):
        while len(found) < wanted:
            message = json.loads(await socket.recv())
            if message["type"] == "shieldwire.notice":
                found.append(message)
    return found


async def call(gateway: Gateway, method: str, path: str, body: Any = None) -> Any:
    status, answer = await asyncio.to_thread(gateway.api, method, path, body)
    assert status == 200, answer
    return answer


async def test_a_prompt_reaches_every_socket_of_its_person_and_its_link_closes_them_to_strangers(
    gateway: Gateway, names: Iterator[str]
) -> None:
    person, stranger = next(names), next(names)
    english = {"Accept-Language": "en"}
    async with (
        connect(gateway.ws(user=person)) as one,
        connect(gateway.ws("/raw/anywhere", user=person), additional_headers=english) as other,
        connect(gateway.ws(user=stranger)) as sender,
    ):
        made = await call(gateway, "POST", f"users/{person}/protection/link", {"tell": True})
        (told,), (told_in_english,) = await notices(one, 1), await notices(other, 1)
        assert (told["topic"], told["link"], told["until"]) == ("protect", made["link"], made["expires"])
        assert "一键开启防护" in told["message"]
        assert told_in_english["message"].startswith("You may be under attack.")
        status, _, _ = await asyncio.to_thread(gateway.request, "POST", told["link"])
        assert status == 200
        await sender.send(json.dumps({"id": 7, "type": "barrage", "text": "hello", "to": person}))
        refused = json.loads(await asyncio.wait_for(sender.recv(), 5))
        assert (refused["id"], refused["reason"]) == (7, "protected"), "nobody else was told, and it is in force"


async def test_a_reminder_comes_half_a_day_before_the_end_and_the_end_is_told(
    gateway: Gateway, names: Iterator[str]
) -> None:
    person = next(names)
    path = f"users/{person}/protection"
    async with connect(gateway.ws(user=person)) as one, connect(gateway.ws(user=person)) as other:
        answer = await call(gateway, "PUT", path, {"duration": HALF_A_DAY_S + 1})
        assert answer["until"] > time.time() + HALF_A_DAY_S
        for socket in (one, other):
            (told,) = await notices(socket, 1)
            assert (told["topic"], told["until"]) == ("protection-ending", answer["until"])
        short = await call(gateway, "PUT", path, {"duration": "1s"})
        for socket in (one, other):
            (told,) = await notices(socket, 1)  # and no second reminder before it
            assert (told["topic"], told["until"]) == ("protection-ended", short["until"])
        assert not (await call(gateway, "GET", path))["active"]
