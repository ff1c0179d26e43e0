"""Feeding circles through the API: lists and NDJSON of any length, taken in parts (requirement P6)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.api.reading import CHUNK, MAX_LINE, NDJSON
from protection.circle import STRANGER, Tie
from protection.events import Event, Kind
from tests.gateway.api.client import Api, Worker, bearer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("P6")]

MANY = 20 * CHUNK


async def fed(api: Api, person: str, body: bytes | AsyncIterator[bytes], **who: str) -> httpx.Response:
    headers = {**bearer(who.get("role", "platform"), who.get("sub", "server")), "Content-Type": NDJSON}
    return await api.http.post(f"/shieldwire/v1/users/{person}/circle", content=body, headers=headers)


async def test_a_list_is_taken_and_the_later_entry_about_an_account_counts(
    api: Api, worker: Worker, person: str
) -> None:
    entries = ["a", {"id": "b", "kind": "friends"}, {"id": "b", "kind": "follows"}, "c", {"id": "c", "remove": True}]
    answer = await api.post(f"users/{person}/circle", entries)
    assert (answer["entries"], answer["applied"], answer["durable"]) == (5, 1, True)
    ties = [await worker.state.ties(person, other) for other in "abc"]
    assert ties == [Tie.CHOSEN, Tie.FRIEND | Tie.FOLLOWED, STRANGER]


async def test_a_feed_of_any_length_comes_in_parts_and_one_lookup_finds_anybody_in_it(
    api: Api, worker: Worker, person: str
) -> None:
    async def lines() -> AsyncIterator[bytes]:
        text = b"".join(
            json.dumps({"id": f"朋友{number}", "kind": "friends"}).encode() + b"\n" for number in range(MANY)
        )
        for start in range(0, len(text), 50_021):  # not at the ends of lines
            yield text[start : start + 50_021]

    response = await fed(api, person, lines())
    assert response.status_code == 200, response.text
    assert response.json()["entries"] == MANY
    for number in (0, CHUNK - 1, CHUNK, MANY - 1):
        assert await worker.state.ties(person, f"朋友{number}") == Tie.FRIEND
    assert await worker.state.ties(person, f"朋友{MANY}") == STRANGER
    await api.put(f"users/{person}/protection")
    calls = worker.state.store.calls
    snapshot = await worker.state.load(Event(Kind.COMMENT, "朋友7", "hello", target=person))
    assert snapshot.concerned[0].trusted
    assert worker.state.store.calls == calls + 3, "one lookup, and the sender's own flood limits"


async def test_lines_may_be_empty_and_the_last_may_lack_its_end(api: Api, worker: Worker, person: str) -> None:
    response = await fed(api, person, b'"a"\r\n\n  \n{"id":"b"}')
    assert response.json()["entries"] == 2
    assert await worker.state.is_trusted(person, "b")


async def test_what_came_before_a_line_that_makes_no_sense_stands_and_the_line_is_named(
    api: Api, worker: Worker, person: str
) -> None:
    good = b"".join(f'"f{number}"\n'.encode() for number in range(CHUNK))
    response = await fed(api, person, good + b'"late"\n{"id":"x","kind":"enemies"}\n"after"\n')
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(f"line {CHUNK + 2}: ")
    assert await worker.state.is_trusted(person, f"f{CHUNK - 1}")
    for other in ("late", "x", "after"):
        assert not await worker.state.is_trusted(person, other)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "at least one account"),
        (b"\n\n", "at least one account"),
        (b"friend", "line 1"),
        (b'"a"\n""', "line 2"),
        (b'"' + b"x" * 129 + b'"', "line 1"),
        (b'"' + b"x" * MAX_LINE, "line 1: longer than"),
        (b'"bell\\u0007"', "line 1"),
        (b'{"id":"a","removed":true}', "line 1"),
        (b'{"kind":"friends"}', "line 1"),
        (b"\xff\n", "line 1"),
        (b"[" * 2000, "line 1"),
    ],
)
async def test_a_feed_that_makes_no_sense_is_refused_by_line(api: Api, body: bytes, complaint: str) -> None:
    response = await fed(api, "unharmed", body)
    assert response.status_code == 400
    assert complaint in response.json()["error"]["message"]


async def test_a_user_feeds_their_own_circle_alone(api: Api) -> None:
    assert (await fed(api, "anna", b'"friend"', role="user", sub="anna")).status_code == 200
    refused = await fed(api, "anna", b'"mallory"', role="user", sub="mallory")
    assert refused.status_code == 403


async def test_a_list_may_have_four_mebibytes(api: Api) -> None:
    status, message = await api.refusal_of_raw("POST", "users/unharmed/circle", b"[" + b" " * (4 << 20) + b'"a"]')
    assert (status, message) == (413, "body: at most 4194304 bytes are read here")
