"""What is withheld from a viewer: the memo of broadcasts, and the rules of one person (requirements P5, P7)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from filters.classes import Harm
from gateway import telemetry
from gateway.codecs import RequestFields
from gateway.downlink import MOST_CHARACTERS, Viewer, Viewers
from gateway.routes import Downlink, Fields, Route
from protection.blocklist import Blocked, Blocklist
from protection.circle import STRANGER, Tie
from protection.events import Kind
from protection.modes import Room
from protection.policy import Policy
from protection.protections import ONE_KEY, Protection, Switch
from protection.rules import Rules
from protection.verdicts import Disposition

pytestmark = pytest.mark.req("P7")

NOW = 1_800_000_000.0
FIELDS = Fields(id="id", text="d.text", sender="d.user", target="to", room="path.room", mentions="at")
ROUTE = Route(
    "/{room}", "ws://up", "json", Kind.BARRAGE, fields=FIELDS, downlink=Downlink({"t": {"of": "say"}}, FIELDS)
)
INSULT = "傻逼滚出去"


class Told:
    """State as it was told: what viewers ask of `gateway.state.state.State`."""

    def __init__(self) -> None:
        self.time = NOW
        self.protections: dict[str, Protection] = {}
        self.blocked: dict[str, Blocked] = {}
        self.rooms = {"annas": Room("anna")}
        self.circle: set[tuple[str, str]] = set()
        self.asked = 0

    def now(self) -> float:
        return self.time

    def room(self, room_id: str) -> Room | None:
        return self.rooms.get(room_id)

    def protection_of(self, person: str) -> Protection | None:
        return self.protections.get(person)

    def blocked_by(self, person: str) -> Blocked | None:
        return self.blocked.get(person)

    async def ties_or_stranger(self, person: str, other: str) -> Tie:
        self.asked += 1
        return Tie.FRIEND if (person, other) in self.circle else STRANGER


class Worker:
    """The viewers of one worker, with rules that can be changed."""

    def __init__(self) -> None:
        self.state = Told()
        self.rules = Rules.shipped()
        self.viewers = Viewers(self.state, lambda: self.rules, max_message=1000)

    def join(self, person: str, room: str = "r", route: Route = ROUTE) -> Viewer:
        viewer = self.viewers.join(route, person, RequestFields(person, {"room": room}, {}, {}))
        assert viewer is not None
        return viewer

    def protect(self, person: str, *switches: Switch, until: float = NOW + 60) -> None:
        self.state.protections[person] = Protection(frozenset(switches) or ONE_KEY, until)
        self.viewers.changed(person)


@pytest.fixture
def worker() -> Worker:
    return Worker()


def say(text: str, user: Any = "stranger", **more: Any) -> str:
    return json.dumps({"t": {"of": "say"}, "d": {"text": text, "user": user}, **more}, ensure_ascii=False)


def judged() -> float:
    """How many frames this process has judged so far."""
    return sum(
        sample.value
        for metric in telemetry.BROADCASTS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )


async def test_a_thousand_viewers_are_judged_for_once(worker: Worker) -> None:
    viewers = [worker.join(f"viewer{number}") for number in range(1000)]
    for viewer in viewers:
        worker.protect(viewer.person)
    before = judged()
    for text, withheld in (("主播唱得真好听", False), (INSULT, True)):
        assert {await viewer.withholds(say(text)) for viewer in viewers} == {withheld}
    assert judged() - before == 2


async def test_what_is_remembered_is_of_this_frame_in_this_room_and_route_alone(worker: Worker) -> None:
    other = Route("/other/{room}", "ws://up", "json", Kind.BARRAGE, fields=FIELDS, downlink=Downlink({}, FIELDS))
    worker.protect("anna")
    here, own, elsewhere = worker.join("anna"), worker.join("anna", "annas"), worker.join("anna", route=other)
    frames = [say("hello"), say(INSULT), say("hello", to="anna"), '{"d":{"text":"傻逼滚出去","user":"x"}}']
    for _ in range(2):
        assert [await here.withholds(frame) for frame in frames] == [False, True, True, False]
        assert [await own.withholds(frame) for frame in frames] == [True, True, True, False]
        assert [await elsewhere.withholds(frame) for frame in frames] == [False, True, True, True]


async def test_what_is_remembered_is_bounded_and_gone_with_the_policy_that_judged_it(worker: Worker) -> None:
    worker.protect("anna")
    anna = worker.join("anna")
    assert not await anna.withholds(say("你好蠢"))
    worker.rules = Rules(worker.rules.reader, Policy({Harm.INSULT: (Disposition.REJECT,) * 3}))
    assert await anna.withholds(say("你好蠢"))
    for number in range(MOST_CHARACTERS // 500 + 10):
        await anna.withholds(f'{{"n":{number}}}')
    before = judged()
    await anna.withholds(say("你好蠢"))
    assert judged() - before == 1


async def test_nothing_is_judged_for_whoever_has_no_protection_or_whose_protection_has_ended(worker: Worker) -> None:
    worker.protect("anna", until=NOW - 1)
    before = judged()
    assert not await worker.join("anna").withholds(say(INSULT))
    assert judged() == before
    assert not worker.join("emil").guarded
    assert worker.viewers.join(ROUTE, "", RequestFields("", {}, {}, {})) is None
    plain = Route("/x", "ws://up", "json", Kind.CHAT, fields=FIELDS)
    assert worker.viewers.join(plain, "anna", RequestFields("anna", {}, {}, {})) is None


async def test_all_sockets_of_a_person_learn_of_a_change_and_none_of_those_that_left(worker: Worker) -> None:
    first, second, left = (worker.join("anna") for _ in range(3))
    worker.viewers.leave(left)
    worker.protect("anna")
    assert (first.guarded, second.guarded, left.guarded) == (True, True, False)
    del worker.state.protections["anna"]
    worker.state.blocked["anna"] = Blocked(Blocklist(("melon",)))
    worker.viewers.changed("anna")
    assert first.guarded
    assert [await first.withholds(say(text)) for text in ("melon", "lemon", INSULT)] == [True, False, True]
    del worker.state.blocked["anna"]
    worker.viewers.changed("anna")
    assert not first.guarded
    worker.viewers.leave(first)
    worker.viewers.leave(second)
    worker.viewers.changed("anna")


@pytest.mark.req("P1", "P6")
@pytest.mark.parametrize(
    ("switch", "kind", "how", "withheld"),
    [
        (Switch.BARRAGE, Kind.BARRAGE, {"to": "anna"}, True),
        (Switch.BARRAGE, Kind.CHAT, {"to": "anna"}, True),
        (Switch.BARRAGE, Kind.BARRAGE, {"at": ["anna"]}, False),
        (Switch.MENTION, Kind.BARRAGE, {"at": ["emil", "anna"]}, True),
        (Switch.MENTION, Kind.BARRAGE, {"to": "anna"}, False),
        (Switch.COMMENT, Kind.COMMENT, {"to": "anna"}, True),
        (Switch.COMMENT, Kind.BARRAGE, {"to": "anna"}, False),
        (Switch.DM, Kind.DM, {}, True),
        (Switch.DM, Kind.DM, {"to": "emil"}, False),
        (Switch.BARRAGE, Kind.DM, {}, False),
        (Switch.BARRAGE, Kind.BARRAGE, {}, False),
    ],
)
async def test_each_switch_withholds_strangers_and_asks_for_the_relation_only_then(
    worker: Worker, switch: Switch, kind: Kind, how: dict[str, Any], withheld: bool
) -> None:
    worker.protect("anna", switch)
    worker.state.circle.add(("anna", "friend"))
    route = Route("/{room}", "ws://up", "json", kind, fields=FIELDS, downlink=Downlink({}, FIELDS))
    anna = worker.join("anna", route=route)
    assert await anna.withholds(say("hello", **how)) is withheld
    assert worker.state.asked == withheld
    assert not await anna.withholds(say("hello", "friend", **how))


@pytest.mark.req("S1", "S3")
async def test_abuse_said_one_character_a_frame_is_withheld_when_it_is_complete(worker: Worker) -> None:
    worker.protect("anna")
    anna = worker.join("anna")
    assert [await anna.withholds(say(letter)) for letter in "傻逼"] == [False, True]


@pytest.mark.req("P5")
async def test_whom_and_what_a_viewer_has_blocked_is_withheld_whoever_it_is_aimed_at(worker: Worker) -> None:
    worker.state.blocked["anna"] = Blocked(Blocklist(users=("mallory",), classes=(Harm.MARKETING,)))
    anna = worker.join("anna")
    frames = [
        say("hello", "mallory", to="emil"),
        say("加微信领红包", "friend"),
        say("hello", "friend"),
        say("hi", "anna"),
    ]
    assert [await anna.withholds(frame) for frame in frames] == [True, True, False, False]
    assert not worker.state.asked


async def test_what_only_a_forgiving_parser_reads_is_held_against_matches_of_every_type(worker: Worker) -> None:
    worker.protect("anna")
    match = {"op": 5, "v": 1.5, "on": True}
    route = Route("/{room}", "ws://up", "json", Kind.BARRAGE, fields=FIELDS, downlink=Downlink(match, FIELDS))
    anna, half = worker.join("anna", route=route), '"d":{"text":"\\ud800"}'
    for frame, withheld in (
        (f'{{"op":5,"v":1.5,"on":true,{half}}}', True),
        (f'{{"op":5.0,"v":15e-1,"on":true,"big":{"9" * 5000},{half}}}', True),
        (f'{{"op":6,"v":1.5,"on":true,{half}}}', False),
        (f'{{"op":5,"v":1.5,"on":1,{half}}}', False),
        (f'{{"op":{"5" * 5000},"v":1.5,"on":true,{half}}}', False),
    ):
        assert await anna.withholds(frame) is withheld
