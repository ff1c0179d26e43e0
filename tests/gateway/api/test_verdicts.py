"""Verdicts without traffic: the same decision as on the wire, at nobody's charge."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from filters import samples
from filters.hits import MODEL
from filters.reader import Reader
from gateway.api.bodies import MAX_QUESTIONS
from gateway.api.verdicts import unsent
from gateway.evaluate import Row, evaluate
from protection.events import Event, Kind
from protection.pipeline import decide
from tests.gateway.api.client import Api, Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

HARMLESS = {"kind": "chat", "sender": "stranger", "text": "nice song"}


def by_terms(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [hit for hit in answer["hits"] if hit["view"] != MODEL]


@pytest.mark.req("W1", "S1")
async def test_abuse_is_answered_in_the_form_of_the_command_line(api: Api) -> None:
    answer = await api.post("verdicts", {**HARMLESS, "text": "好听，你这个Block-Head！"}, role="platform")
    assert answer.pop("us") > 0
    assert by_terms(answer) == [{"class": "insult", "start": 6, "end": 16, "view": "raw", "why": "blockhead"}]
    assert 0 < answer.pop("score") < 1
    assert {"stage": "text", "reason": "insult", "disposition": "reject"} in answer.pop("signals")
    assert len(answer.pop("hits")) <= 2
    assert answer == {"disposition": "reject", "reason": "insult"}


@pytest.mark.req("P4")
async def test_what_only_the_model_finds_is_answered_with_its_strongest_grams(api: Api, worker: Worker) -> None:
    text = "大家记住她家在哪栋楼，晚上一起去敲门，让她别想睡"
    answer = await api.post("verdicts", {**HARMLESS, "text": text})
    (hit,) = answer["hits"]
    assert hit["view"] == MODEL
    chance, _, grams = hit["why"].partition(": ")
    assert 0 < float(chance) < 1
    clause = text[hit["start"] : hit["end"]]
    weights = [gram.rpartition(" ") for gram in grams.split(", ")]
    assert all(gram in clause and float(weight) > 0 for gram, _, weight in weights)
    assert answer["signals"] == [{"stage": "text", "reason": hit["class"], "disposition": answer["disposition"]}]
    # What was asked about is not in the hit that travels on to moderation: reasons are for those who ask.
    assert worker.reader.scan(text).hits[0].why == clause


@pytest.mark.req("W3", "P4")
async def test_eval_decides_as_the_gateway_does(api: Api, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "reader", Reader.shipped())
    lines = samples.bank()[::200]
    asked = {"events": [{**HARMLESS, "text": line.text} for line in lines]}
    dispositions = [answer["disposition"] for answer in (await api.post("verdicts", asked))["verdicts"]]
    report = evaluate([Row(line.text, True) for line in lines])
    flagged = [disposition != "allow" for disposition in dispositions]
    refused = [disposition not in ("allow", "nudge") for disposition in dispositions]
    assert sum(refused) > 0
    assert report.flag.recall == round(sum(flagged) / len(lines), 4)
    assert report.refuse.recall == round(sum(refused) / len(lines), 4)


@pytest.mark.req("W3")
async def test_the_harmless_passes(api: Api) -> None:
    answer = await api.post("verdicts", HARMLESS)
    assert (answer["disposition"], answer["reason"], answer["signals"], answer["hits"]) == ("allow", "", [], [])


@pytest.mark.req("P1", "P6")
@pytest.mark.parametrize("kind", ["dm", "comment", "barrage", "forward", "chat"])
async def test_a_protected_person_is_closed_to_strangers_and_open_to_friends(kind: str, api: Api, person: str) -> None:
    path = f"users/{person.replace('[', '').replace(']', '')}"
    target = path.removeprefix("users/")
    await api.put(f"{path}/protection")
    await api.put(f"{path}/circle/friend")
    asked = [
        {**HARMLESS, "kind": kind, "target": target, "sender": sender} for sender in ("stranger", "friend", target)
    ]
    answers = (await api.post("verdicts", {"events": asked}))["verdicts"]
    assert [answer["reason"] for answer in answers] == ["protected", "", ""]


async def test_mutes_and_room_modes_count_too(api: Api) -> None:
    await api.put("accounts/loud/sanctions", {"measure": "mute", "duration": "1h", "reason": "noise"})
    await api.put("rooms/closed/mode", {"mode": "shut"})
    asked = [{**HARMLESS, "sender": "loud"}, {**HARMLESS, "room": "closed"}, {**HARMLESS, "mentions": ["anybody"]}]
    answers = (await api.post("verdicts", {"events": asked}))["verdicts"]
    assert [answer["reason"] for answer in answers] == ["muted", "room-shut", ""]


@pytest.mark.req("P3")
async def test_asking_is_not_sending_and_costs_nobody_anything(api: Api, worker: Worker) -> None:
    limit = worker.policy.limits.stranger_dm.limit
    question = {"kind": "dm", "sender": "asker", "target": "asked about", "text": "hello"}
    batch = {"events": [question] * MAX_QUESTIONS}
    answers = (await api.post("verdicts", batch))["verdicts"]
    assert {answer["disposition"] for answer in answers} == {"allow"}
    sent = Event(Kind.DM, "asker", "hello", target="asked about")
    allowed = [all(c.allowance.allowed for c in (await worker.state.load(sent)).charges) for _ in range(limit + 1)]
    assert allowed == [True] * limit + [False]  # the quota was whole: the wire charges it, and only the wire
    assert (await api.post("verdicts", question))["disposition"] == "allow"


@pytest.mark.req("P1")
async def test_the_api_sees_what_the_wire_sees(api: Api, worker: Worker) -> None:
    await api.put("users/closed/protection")
    await api.put("users/no-mentions/protection", {"kinds": ["mention"]})
    await api.post("users/closed/circle", {"add": ["friend"]})
    await api.post("users/owner/circle", {"add": ["friend"]})
    for room, mode in (("open", "open"), ("circle", "circle-only"), ("quiet", "read-only")):
        await api.put(f"rooms/{room}", {"owner": "owner"})
        await api.put(f"rooms/{room}/mode", {"mode": mode})
    scan = worker.reader.scan("hello")
    senders, rooms = ("friend", "stranger", "owner"), ("", "open", "circle", "quiet", "unknown")
    targets, mentions = ("", "closed", "owner", "nobody"), ((), ("closed",), ("no-mentions", "friend"))
    for kind, sender, room, target, mentioned in itertools.product(Kind, senders, rooms, targets, mentions):
        event = Event(kind, sender, "hello", target=target, room=room, mentions=mentioned)
        on_the_wire = msgspec.structs.replace(await worker.state.load(event), charges=())
        asked = await unsent(worker.state, event)
        assert [(c.person, c.role) for c in asked.concerned] == [(c.person, c.role) for c in on_the_wire.concerned]
        assert decide(event, asked, scan, worker.policy) == decide(event, on_the_wire, scan, worker.policy), event


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "kind"),
        ({"sender": "s", "text": "t"}, "kind"),
        ({**HARMLESS, "kind": "telegram"}, "kind"),
        ({**HARMLESS, "sender": ""}, "sender"),
        ({**HARMLESS, "text": None}, "text"),
        ({**HARMLESS, "target": "x" * 129}, "target"),
        ({**HARMLESS, "mentions": ["x"] * 101}, "mentions"),
        ({**HARMLESS, "insisted": True}, "insisted"),
        ({"events": []}, "events"),
        ({"events": [HARMLESS] * (MAX_QUESTIONS + 1)}, "events"),
        ({"events": [HARMLESS, {**HARMLESS, "kind": "telegram"}]}, "events[1].kind"),
        ({"events": [HARMLESS], **HARMLESS}, "kind"),
        ([HARMLESS], "object"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_by_name(body: object, complaint: str, api: Api) -> None:
    status, message = await api.refusal("POST", "verdicts", body)
    assert status == 400
    assert complaint in message


async def test_a_batch_may_be_larger_than_other_bodies_but_not_without_end(api: Api) -> None:
    answers = await api.post("verdicts", {"events": [{**HARMLESS, "text": "la " * 1_300}] * 200})
    assert len(answers["verdicts"]) == 200
    status, message = await api.refusal("POST", "verdicts", {**HARMLESS, "text": "la " * 400_000})
    assert (status, message) == (413, "body: at most 1048576 bytes are read here")
