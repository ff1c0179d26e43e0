"""Measures against accounts through the API (requirement D2)."""

from __future__ import annotations

import pytest

from tests.gateway.api.client import Api, Worker

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("D2")]

MUTE = {"measure": "mute", "duration": "1h", "reason": "辱骂 / insults"}


async def test_a_mute_has_an_end_a_reason_and_somebody_who_decided(api: Api, worker: Worker, person: str) -> None:
    before = worker.state.now()
    answer = await api.put(f"accounts/{person}/sanctions", MUTE, role="moderator", sub="mo")
    assert before + 3_600 <= answer["until"] <= worker.state.now() + 3_600
    assert (answer["applied"], answer["of"], answer["durable"]) == (1, 1, True)
    (sanction,) = worker.state.sanctions_of(person)
    assert (sanction.reason, sanction.by, sanction.until) == (MUTE["reason"], "mo", answer["until"])
    assert await api.get(f"accounts/{person}/sanctions") == {
        "sanctions": [{"measure": "mute", "until": answer["until"], "reason": MUTE["reason"], "by": "mo"}]
    }


@pytest.mark.parametrize("query", ["", "?measure=mute"])
async def test_a_lifted_mute_is_gone(query: str, api: Api) -> None:
    path = "accounts/forgiven/sanctions"
    await api.put(path, MUTE)
    await api.delete(path + query, role="moderator")
    assert await api.get(path) == {"sanctions": []}


async def test_a_second_mute_replaces_the_first(api: Api, person: str) -> None:
    await api.put(f"accounts/{person}/sanctions", MUTE)
    second = await api.put(f"accounts/{person}/sanctions", {**MUTE, "duration": "2h"})
    (sanction,) = (await api.get(f"accounts/{person}/sanctions"))["sanctions"]
    assert sanction["until"] == second["until"]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"measure": "exile"}, "measure"),
        ({"duration": "forever"}, "duration"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"by": "somebody else"}, "by"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(changed: dict[str, str], complaint: str, api: Api) -> None:
    status, message = await api.refusal("PUT", "accounts/unharmed/sanctions", {**MUTE, **changed})
    assert status == 400
    assert complaint in message
    assert await api.get("accounts/unharmed/sanctions") == {"sanctions": []}


@pytest.mark.parametrize("missing", MUTE)
async def test_a_measure_without_end_or_reason_does_not_exist(missing: str, api: Api) -> None:
    body = {name: value for name, value in MUTE.items() if name != missing}
    status, message = await api.refusal("PUT", "accounts/unharmed/sanctions", body)
    assert status == 400
    assert missing in message


async def test_an_unknown_measure_cannot_be_lifted(api: Api) -> None:
    status, message = await api.refusal("DELETE", "accounts/unharmed/sanctions?measure=exile")
    assert status == 400
    assert "measure" in message
