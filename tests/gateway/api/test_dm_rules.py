"""Rules for direct messages, and what the platform knows of accounts, through the API (requirements P3, P6, P10)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.gateway.api.client import Api, Worker

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("P3")]

DEFAULTS = {
    "per_stranger": None, "strangers": None, "quiet": None, "scope": "anyone", "older_than_days": None,
    "until_reply": False, "refuse_all": False, "action": "refuse", "own": False, "minor": False,
}  # fmt: skip
NIGHT = {"start": "22:00", "end": "07:30", "zone": "Asia/Shanghai"}
RULES = {
    "per_stranger": "2/3600s", "strangers": "20/86400s", "quiet": NIGHT, "scope": "older-than", "older_than_days": 30,
    "until_reply": True, "refuse_all": False, "action": "hide",
}  # fmt: skip


async def test_rules_are_read_as_they_were_set_and_cleared(api: Api, person: str) -> None:
    path = f"users/{person}/dm-rules"
    me = {"role": "user", "sub": person}
    assert await api.get(path, **me) == DEFAULTS
    answer = await api.put(path, {**RULES, "per_stranger": "2/h", "strangers": "20/d"}, **me)
    assert (answer["applied"], answer["of"], answer["durable"]) == (1, 1, True)
    assert await api.get(path, **me) == {**RULES, "own": True, "minor": False}
    await api.put(path, {"scope": "friends"}, **me)
    assert (await api.get(path, **me))["quiet"] is None, "they replace the former ones"
    await api.delete(path, **me)
    assert await api.get(path, **me) == DEFAULTS


BAD: list[tuple[Any, str]] = [
    ({"quiet": {**NIGHT, "zone": "Mars/Olympus"}}, "quiet.zone: 'Mars/Olympus' is no IANA time zone"),
    ({"quiet": {**NIGHT, "zone": "../../etc/passwd"}}, "quiet.zone"),
    ({"quiet": {**NIGHT, "zone": "x" * 65}}, "quiet.zone"),
    ({"quiet": {**NIGHT, "start": "24:00"}}, "quiet.start"),
    ({"quiet": {**NIGHT, "end": "7:00"}}, "quiet.end"),
    ({"quiet": {**NIGHT, "end": "07:00\n"}}, "quiet.end"),
    ({"quiet": {**NIGHT, "end": "22:00"}}, "start and end are the same"),
    ({"quiet": {"start": "22:00", "end": "07:00"}}, "zone"),
    ({"per_stranger": "-1/h"}, "per_stranger"),
    ({"per_stranger": "0/h"}, "per_stranger"),
    ({"per_stranger": "5/0s"}, "per_stranger"),
    ({"per_stranger": "٥/h"}, "per_stranger"),
    ({"strangers": "1000001/d"}, "strangers: at most 1000000"),
    ({"strangers": "5/400d"}, "strangers: at most"),
    ({"strangers": "9" * 40 + "/s"}, "strangers"),
    ({"strangers": 5}, "strangers"),
    ({"scope": "everyone"}, "scope"),
    ({"scope": "older-than"}, "older_than_days: belongs to scope older-than"),
    ({"scope": "friends", "older_than_days": 3}, "older_than_days: belongs to scope older-than"),
    ({"scope": "older-than", "older_than_days": 0}, "older_than_days"),
    ({"scope": "older-than", "older_than_days": -5}, "older_than_days"),
    ({"scope": "older-than", "older_than_days": 10**9}, "older_than_days"),
    ({"action": "mask"}, "action"),
    ({"until_reply": "yes"}, "until_reply"),
    ({"switch": "dm"}, "`switch`"),
]


@pytest.mark.parametrize(("body", "complaint"), BAD, ids=[str(number) for number in range(len(BAD))])
async def test_rules_that_make_no_sense_are_refused_by_name_and_change_nothing(
    api: Api, body: object, complaint: str
) -> None:
    status, message = await api.refusal("PUT", "users/unharmed/dm-rules", body)
    assert status == 400
    assert complaint in message
    assert await api.get("users/unharmed/dm-rules") == DEFAULTS


async def test_nobody_changes_the_rules_of_somebody_else(api: Api) -> None:
    for method in ("PUT", "GET", "DELETE"):
        status, message = await api.refusal(method, "users/anna/dm-rules", {}, role="user", sub="mallory")
        assert (status, message) == (403, "a user may do this only for themselves")


@pytest.mark.req("P3", "P6")
async def test_a_verdict_counts_the_rules_of_whom_it_is_for(api: Api, worker: Worker, person: str) -> None:
    path = f"users/{person}"
    await api.put(f"{path}/circle/friend", {"kind": "friends"})
    await api.put(f"{path}/circle/star", {"kind": "follows"})
    await api.put("accounts/vip", {"verified": True})

    async def reasons(body: dict[str, Any], *senders: str) -> list[str]:
        await api.put(f"{path}/dm-rules", body)
        asked = [{"kind": "dm", "sender": sender, "text": "hello", "target": person} for sender in senders]
        return [answer["reason"] for answer in (await api.post("verdicts", {"events": asked}))["verdicts"]]

    everybody = ("stranger", "friend", "star", "vip")
    assert await reasons({}, *everybody) == ["", "", "", ""]
    assert await reasons({"scope": "friends"}, *everybody) == ["dm-scope", "", "dm-scope", "dm-scope"]
    assert await reasons({"scope": "verified"}, *everybody) == ["dm-scope", "", "", ""]
    assert await reasons({"refuse_all": True}, *everybody) == ["dm-closed"] * 4
    asked = {"kind": "dm", "sender": "stranger", "text": "hello", "target": person}
    await api.put(f"{path}/dm-rules", {"scope": "nobody", "action": "hide"})
    assert (await api.post("verdicts", asked))["disposition"] == "hide"
    assert (await api.post("verdicts", {**asked, "kind": "comment"}))["disposition"] == "allow"


@pytest.mark.req("P6")
async def test_the_kinds_of_a_circle_are_told(api: Api, person: str) -> None:
    path = f"users/{person}/circle"
    await api.put(f"{path}/bob", {"kind": "friends"})
    await api.put(f"{path}/bob", {"kind": "follows"})
    assert await api.get(f"{path}/bob") == {"trusted": True, "kinds": ["friends", "follows"]}
    await api.post(path, {"kind": "friends", "remove": ["bob"]})
    assert await api.get(f"{path}/bob") == {"trusted": True, "kinds": ["follows"]}
    status, message = await api.refusal("PUT", f"{path}/bob", {"kind": "enemies"})
    assert status == 400
    assert "kind" in message


@pytest.mark.req("P10")
async def test_a_minor_is_marked_by_flag_or_by_birth_and_no_birth_is_kept(
    api: Api, worker: Worker, person: str
) -> None:
    path = f"accounts/{person}"
    await api.put(path, {"minor": True}, role="platform")
    assert await api.get(path) == {"created": 0.0, "verified": False, "minor": True}
    rules = await api.get(f"users/{person}/dm-rules", role="user", sub=person)
    assert (rules["scope"], rules["own"], rules["minor"]) == ("follows", False, True)
    await api.put(f"users/{person}/dm-rules", {"per_stranger": "1/d"}, role="user", sub=person)
    assert (await api.get(f"users/{person}/dm-rules"))["scope"] == "follows", "what is left out stays closed"
    await api.put(f"users/{person}/dm-rules", {"scope": "anyone"}, role="user", sub=person)
    assert (await api.get(f"users/{person}/dm-rules"))["scope"] == "anyone"
    await api.delete(f"users/{person}/dm-rules")
    await api.put(path, {"birth": "2001-02-03", "created": 5, "verified": True})
    assert await api.get(path) == {"created": 5.0, "verified": True, "minor": False}
    today = datetime.fromtimestamp(worker.state.now(), UTC).date()
    for years, minor in ((17, True), (18, True), (19, False)):  # 18 today: not everywhere on earth, all day
        birth = today.replace(year=today.year - years, day=min(today.day, 28))
        if years == 18:
            birth = birth.replace(year=birth.year + 1)
        await api.put(path, {"birth": birth.isoformat()})
        assert (await api.get(path))["minor"] is minor
    await api.delete(path)
    assert not (await api.get(path))["minor"]


@pytest.mark.req("P10")
@pytest.mark.parametrize(
    ("birth", "adult"),
    [
        ("2008-05-01", datetime(2026, 5, 1, 12, tzinfo=UTC)),
        ("2008-02-29", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2006-02-29", None),
    ],
)
async def test_somebody_is_of_age_when_it_is_their_birthday_everywhere(
    api: Api, worker: Worker, birth: str, adult: datetime | None
) -> None:
    if adult is None:
        status, message = await api.refusal("PUT", "accounts/leap", {"birth": birth})
        assert status == 400
        assert "birth" in message
        return
    await api.put("accounts/leap", {"birth": birth})
    assert worker.state.replica.minor_until("leap") == adult.timestamp()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"created": -1}, "created"),
        ({"created": 1e18}, "created: lies in the future"),
        ({"created": "yesterday"}, "created"),
        ({"birth": "20.1.2010"}, "birth"),
        ({"birth": "9999-01-01"}, "birth: lies in the future"),
        ({"birth": "2010-01-01", "minor": True}, "minor: is told by birth"),
        ({"age": 12}, "`age`"),
    ],
)
async def test_facts_that_make_no_sense_are_refused_by_name(api: Api, body: object, complaint: str) -> None:
    status, message = await api.refusal("PUT", "accounts/unharmed", body)
    assert status == 400
    assert complaint in message
