"""Limits through the API: read, changed while messages pass, and taken back (requirements P3, S1, O3)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.api.bodies import LimitsBody
from protection.policy import Limits
from tests.gateway.api.client import Api, Worker

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("P3", "S1", "O3")]


async def test_every_limit_of_the_policy_can_be_changed() -> None:
    assert set(LimitsBody.__struct_fields__) == set(Limits.__struct_fields__)


async def test_limits_are_changed_by_name_and_the_others_are_the_policys(api: Api, worker: Worker) -> None:
    usual = {name: str(getattr(Limits(), name)) for name in Limits.__struct_fields__} | {"sender_flood": "60/10s"}
    assert await api.get("limits", role="platform") == {"limits": usual, "changed": []}
    answer = await api.put("limits", {"flood": "3/m", "strangers_reached": "5/h"})
    assert (answer["applied"], answer["of"], answer["durable"]) == (1, 1, True)
    changed = {"flood": "3/60s", "sender_flood": "9/60s", "strangers_reached": "5/3600s"}
    assert await api.get("limits") == {"limits": {**usual, **changed}, "changed": ["flood", "strangers_reached"]}
    await api.put("limits", {"dm_flood": "7/s"})
    assert (await api.get("limits"))["changed"] == ["dm_flood"], "what was named before is the policy's again"
    await api.delete("limits")
    assert await api.get("limits") == {"limits": usual, "changed": []}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "body: name at least one of flood, "),
        ({"flood": None}, "body: name at least one"),
        ({"flood": "0/s"}, "flood"),
        ({"flood": "-3/s"}, "flood"),
        ({"flood": "3 per minute"}, "flood"),
        ({"flood": "3/0s"}, "flood"),
        ({"flood": "10000000/d"}, "flood: at most 1000000"),
        ({"flood": "1/367d"}, "flood: at most"),
        ({"flod": "3/m"}, "`flod`"),
    ],
)
async def test_limits_that_make_no_sense_are_refused_by_name_and_change_nothing(
    api: Api, body: Any, complaint: str
) -> None:
    status, message = await api.refusal("PUT", "limits", body)
    assert status == 400
    assert complaint in message
    assert (await api.get("limits"))["changed"] == []
