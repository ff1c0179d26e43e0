"""A person's own words through the API (requirement P5)."""

from __future__ import annotations

from typing import Any

import pytest

from filters.own_words import LONGEST_WORD, MOST_WORDS
from tests.gateway.api.client import Api, Worker

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("P5")]

WORDS = ["西瓜", "my ex", "賤人"]


@pytest.mark.parametrize("who", ["user", "platform", "admin"])
async def test_words_are_put_told_and_taken_back(api: Api, who: str, worker: Worker) -> None:
    path, caller = f"users/anna-{who}/blocklist", {"role": who, "sub": f"anna-{who}"}
    assert await api.get(path, **caller) == {"words": []}
    answer = await api.put(path, {"words": WORDS}, **caller)
    assert answer.keys() == {"epoch", "applied", "of", "durable"}
    assert (answer["applied"], answer["of"], answer["durable"]) == (1, 1, True)
    assert await api.get(path, **caller) == {"words": WORDS}
    blocked = worker.state.blocked_by(f"anna-{who}")
    assert blocked is not None
    assert blocked.words.words == tuple(WORDS)
    for _ in range(2):
        assert (await api.delete(path, **caller))["applied"] == 1
        assert await api.get(path, **caller) == {"words": []}
    assert worker.state.blocked_by(f"anna-{who}") is None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_nobody_reads_or_writes_somebody_elses_list(api: Api, method: str) -> None:
    await api.put("users/berta/blocklist", {"words": WORDS})
    body: dict[str, list[str]] | None = {"words": []} if method == "PUT" else None
    for role in ("user", "moderator"):
        status, message = await api.refusal(method, "users/berta/blocklist", body, role=role, sub="carla")
        assert status == 403
        assert not [word for word in WORDS if word in message]
    assert await api.get("users/berta/blocklist") == {"words": WORDS}


async def test_a_later_list_replaces_an_earlier_one_and_an_empty_one_ends_it(api: Api, person: str) -> None:
    path = f"users/{person}/blocklist"
    await api.put(path, {"words": WORDS})
    await api.put(path, {"words": ["melon"]})
    assert await api.get(path) == {"words": ["melon"]}
    await api.put(path, {"words": []})
    assert await api.get(path) == {"words": []}


async def test_a_word_written_twice_is_kept_as_it_was_written_first(api: Api, person: str) -> None:
    path = f"users/{person}/blocklist"
    await api.put(path, {"words": ["賤人", "贱 人", "Melon", "ｍｅｌｏｎ"]})
    assert await api.get(path) == {"words": ["賤人", "Melon"]}


async def test_a_full_list_of_the_longest_words_is_taken(api: Api, person: str) -> None:
    words = ["瓜" * (LONGEST_WORD - 3) + f"{number:03}" for number in range(MOST_WORDS)]
    await api.put(f"users/{person}/blocklist", {"words": words})
    assert await api.get(f"users/{person}/blocklist") == {"words": words}


BAD: list[tuple[Any, str]] = [
    ({}, "words"),
    ({"words": None}, "words"),
    ({"words": "melon"}, "words"),
    ({"words": ["melon", 7]}, "words[1]"),
    ({"words": ["melon"] * (MOST_WORDS + 1)}, "length <= 200"),
    ({"words": ["melon", "瓜" * (LONGEST_WORD + 1)]}, "words[1]"),
    ({"words": [""]}, "words[0]"),
    ({"words": ["melon", "..."]}, 'words: "..." has no letters'),
    ({"words": ["a"]}, 'words: "a" is too short'),
    ({"words": ["去吧，瓜"]}, 'words: "去吧，瓜" can never be found'),
    ({"hide": ["words"]}, "words, users, classes: at least one list is needed"),
    ({"users": ["x" * 129]}, "users[0]"),
    ({"users": [""]}, "users[0]"),
    ({"users": ["bell\x07"]}, "users[0]"),
    ({"users": ["troll"] * 1001}, "users"),
    ({"users": ["unharmed"]}, "users: nobody blocks themselves"),
    ({"classes": ["kindness"]}, "classes[0]"),
    ({"classes": ["distress"]}, "classes: distress cannot be blocked"),
    ({"users": ["troll"], "hide": ["fax"]}, "hide"),
    ({"word": ["melon"]}, "`word`"),
    (["melon"], "body"),
]


@pytest.mark.parametrize(("body", "complaint"), BAD, ids=[complaint for _, complaint in BAD])
async def test_what_cannot_be_taken_is_refused_by_name_and_changes_nothing(api: Api, body: Any, complaint: str) -> None:
    await api.put("users/unharmed/blocklist", {"words": WORDS})
    status, message = await api.refusal("PUT", "users/unharmed/blocklist", body, role="user", sub="unharmed")
    assert status == 400
    assert message.startswith(("body: ", "words", "users: ", "classes: "))
    assert complaint in message
    assert await api.get("users/unharmed/blocklist") == {"words": WORDS}


async def test_a_verdict_counts_the_words_of_whom_it_concerns_and_does_not_name_them(api: Api) -> None:
    await api.put("users/dora/blocklist", {"words": WORDS})
    await api.put("rooms/doras", {"owner": "dora"})
    asked = {"kind": "barrage", "sender": "stranger", "text": "a letter to MY-EX"}
    aimed: list[dict[str, Any]] = [{"target": "dora"}, {"room": "doras"}, {"mentions": ["emil", "dora"]}]
    for where in aimed:
        answer = await api.post("verdicts", {**asked, **where})
        assert (answer["disposition"], answer["reason"], answer["hits"]) == ("reject", "own-word", [])
        assert answer["signals"] == [{"stage": "blocklist", "reason": "own-word", "disposition": "reject"}]
    own: dict[str, Any]
    for own in ({"target": "emil"}, {}, {"sender": "dora", "room": "doras"}, {"target": "dora", "text": "my exam"}):
        assert (await api.post("verdicts", {**asked, **own}))["disposition"] == "allow"


async def test_users_and_classes_are_told_as_they_were_set_and_what_is_hidden(api: Api, person: str) -> None:
    path = f"users/{person}/blocklist"
    lists = {"words": [], "users": ["troll", "{p00}:a"], "classes": ["insult", "sexual"], "hide": ["users"]}
    await api.put(path, {**lists, "users": ["troll", "{p00}:a", "troll"], "hide": ["words", "users"]})
    assert await api.get(path) == lists, "a list that is empty is not hidden"
    await api.put(path, {"users": ["troll"]})
    assert await api.get(path) == {"words": [], "users": ["troll"]}


async def test_a_verdict_counts_users_and_classes_and_hides_where_the_person_wants_it(api: Api) -> None:
    await api.put("users/fiona/blocklist", {"users": ["troll"], "classes": ["insult"], "hide": ["users"]})
    await api.put("users/fiona/circle/troll")
    asked = {"kind": "dm", "sender": "troll", "text": "hello", "target": "fiona"}
    hidden = await api.post("verdicts", asked)
    assert (hidden["disposition"], hidden["reason"]) == ("hide", "own-user")
    assert (await api.post("verdicts", {**asked, "sender": "stranger"}))["disposition"] == "allow"
    insult = await api.post("verdicts", {**asked, "sender": "stranger", "text": "you blockhead"})
    assert {"stage": "blocklist", "reason": "own-class", "disposition": "reject"} in insult["signals"]
