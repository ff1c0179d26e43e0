"""One-key protection and circles through the API (requirements P1, P6)."""

from __future__ import annotations

import pytest

from protection.protections import Switch
from tests.gateway.api.client import Api, Worker

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("P1")]

DAY_S = 86_400
ALL = sorted(Switch)


async def test_one_key_closes_everything_for_seven_days_on_every_worker(api: Api, worker: Worker, person: str) -> None:
    before = worker.state.now()
    answer = await api.put(f"users/{person}/protection", {"preset": "one-key"}, role="user", sub=person)
    assert answer.keys() == {"epoch", "applied", "of", "durable", "until"}
    assert (answer["applied"], answer["of"], answer["durable"]) == (1, 1, True)
    assert before + 7 * DAY_S <= answer["until"] <= worker.state.now() + 7 * DAY_S
    assert await api.get(f"users/{person}/protection", role="user", sub=person) == {
        "active": True, "kinds": ALL, "until": answer["until"], "preset": "one-key",
    }  # fmt: skip
    protection = worker.state.protection_of(person)
    assert protection is not None
    assert protection.kinds == frozenset(Switch)


async def test_an_empty_call_is_the_one_key(api: Api, person: str) -> None:
    await api.put(f"users/{person}/protection")
    assert (await api.get(f"users/{person}/protection"))["kinds"] == ALL


@pytest.mark.parametrize("switch", Switch)
async def test_each_switch_can_be_closed_alone(api: Api, person: str, switch: Switch) -> None:
    path = f"users/{person}/protection"
    await api.put(path, {"kinds": [switch.value], "duration": 60})
    answer = await api.get(path)
    assert (answer["active"], answer["kinds"], answer["preset"]) == (True, [switch.value], "")


async def test_all_switches_named_one_by_one_are_the_preset(api: Api, person: str) -> None:
    await api.put(f"users/{person}/protection", {"preset": "one-key", "kinds": ALL, "duration": "12h"})
    assert (await api.get(f"users/{person}/protection"))["preset"] == "one-key"


async def test_a_release_opens_and_a_second_one_changes_nothing(api: Api, person: str) -> None:
    await api.put(f"users/{person}/protection")
    for _ in range(2):
        answer = await api.delete(f"users/{person}/protection")
        assert answer.keys() == {"epoch", "applied", "of", "durable"}
        assert await api.get(f"users/{person}/protection") == {
            "active": False, "kinds": [], "until": 0.0, "preset": "",
        }  # fmt: skip


async def test_a_later_call_replaces_an_earlier_one_and_counts_up_the_epoch(api: Api, person: str) -> None:
    first = await api.put(f"users/{person}/protection", {"duration": "1h"})
    second = await api.put(f"users/{person}/protection", {"duration": "2h", "kinds": ["dm"]})
    assert second["epoch"] > first["epoch"]
    answer = await api.get(f"users/{person}/protection")
    assert (answer["kinds"], answer["until"]) == (["dm"], second["until"])


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"preset": "two-key"}, "preset"),
        ({"kinds": ["dm", "fax"]}, "kinds"),
        ({"kinds": []}, "kinds"),
        ({"kinds": "dm"}, "kinds"),
        ({"duration": "0s"}, "duration"),
        ({"duration": "-7d"}, "duration"),
        ({"duration": "367d"}, "duration"),
        ({"duration": 0}, "duration"),
        ({"duration": 366 * DAY_S + 1}, "duration"),
        ({"duration": 1.5}, "duration"),
        ({"duration": None}, "duration"),
        ({"duration": "7d\n"}, "duration"),
        ({"durration": "7d"}, "durration"),
    ],
)
async def test_what_cannot_be_engaged_is_refused_by_name_and_nothing_is_closed(
    body: object, complaint: str, api: Api
) -> None:
    status, message = await api.refusal("PUT", "users/unharmed/protection", body)
    assert status == 400
    assert complaint in message
    assert not (await api.get("users/unharmed/protection"))["active"]


@pytest.mark.req("P6")
async def test_a_circle_takes_in_and_lets_go(api: Api, worker: Worker, person: str) -> None:
    path = f"users/{person}/circle"
    assert await api.get(f"{path}/friend") == {"trusted": False, "kinds": []}
    assert (await api.put(f"{path}/friend", {}, role="platform"))["durable"]
    assert await api.get(f"{path}/friend") == {"trusted": True, "kinds": ["chosen"]}
    assert await worker.state.is_trusted(person, "friend")
    assert not await worker.state.is_trusted("friend", person)
    await api.delete(f"{path}/friend")
    assert await api.get(f"{path}/friend") == {"trusted": False, "kinds": []}


@pytest.mark.req("P6")
async def test_a_circle_changes_in_bulk(api: Api, person: str) -> None:
    path = f"users/{person}/circle"
    await api.post(path, {"add": ["a", "b", "c"]}, role="user", sub=person)
    await api.post(path, {"add": ["d"], "remove": ["a", "b"]}, role="user", sub=person)
    trusted = {other: (await api.get(f"{path}/{other}"))["trusted"] for other in "abcd"}
    assert trusted == {"a": False, "b": False, "c": True, "d": True}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "add, remove"),
        ({"add": ["x"], "remove": ["x"]}, "remove"),
        ({"add": [f"friend {n}" for n in range(1_001)]}, "add"),
        ({"add": [""]}, "add"),
        ({"add": ["x" * 129]}, "add"),
        ({"remove": ["bell\u0007"]}, "remove"),
        ({"add": "x"}, "add"),
    ],
)
async def test_a_bulk_change_that_makes_no_sense_changes_nothing(body: object, complaint: str, api: Api) -> None:
    status, message = await api.refusal("POST", "users/unharmed/circle", body)
    assert status == 400
    assert complaint in message
    assert await api.get("users/unharmed/circle/x") == {"trusted": False, "kinds": []}
