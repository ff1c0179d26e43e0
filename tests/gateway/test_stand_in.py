"""What stands in for the platform's answer to a message that is hidden and not forwarded (requirements P5, S1)."""

from __future__ import annotations

import json
import random
from uuid import UUID

import pytest

from gateway.codecs import Message
from gateway.routes import PLACEHOLDERS, Hide
from gateway.stand_in import LONGEST_PAUSE_S, Pace, StandIn
from protection.events import Event, Kind

pytestmark = pytest.mark.req("S1")

ID = UUID(int=7)
EVENT = Event(Kind.COMMENT, "al", 'say "{id}"\n', id="9", target="bob", room="r")


def test_every_placeholder_is_filled_with_json_once_and_nothing_else_is_touched() -> None:
    template = "{" + ",".join(f'"{name}":{{{name}}}' for name in PLACEHOLDERS) + ',"x":{"id":1}}'
    said = StandIn(Hide(answer=template), Message(EVENT, 9), '{"a":"{text}"}').body(1_800_000_000.9, ID)
    assert json.loads(said) == {
        "id": 9,
        "text": 'say "{id}"\n',
        "sender": "al",
        "target": "bob",
        "room": "r",
        "payload": {"a": "{text}"},
        "time": 1_800_000_000,
        "uuid": str(ID),
        "x": {"id": 1},
    }
    assert StandIn(Hide(answer="{id}"), Message(EVENT, None), "").body(0, ID) == "null"


def test_on_a_route_of_plain_text_parts_stand_as_they_are() -> None:
    stand_in = StandIn(Hide(answer="{sender}> {text}{id}"), Message(EVENT, None), "", plain=True)
    assert stand_in.body(0, ID) == 'al> say "{id}"\n'


def test_headers_are_those_of_an_answer_and_the_operators_win() -> None:
    plain = dict(StandIn(Hide(answer="x"), Message(EVENT, 9), "").headers(12, 1_800_000_000))
    assert plain == {
        b"content-type": b"application/json",
        b"date": b"Fri, 15 Jan 2027 08:00:00 GMT",
        b"content-length": b"12",
    }
    hide = Hide(answer="x", headers={"Content-Type": "text/html", "Server": "nginx"})
    named = dict(StandIn(hide, Message(EVENT, 9), "").headers(12, 1_800_000_000))
    assert (named[b"content-type"], named[b"server"]) == (b"text/html", b"nginx")


def test_a_pause_is_one_that_the_platform_took_of_late_and_never_long() -> None:
    pace, randomness = Pace(), random.Random(1)
    assert pace.draw(randomness) == 0.0
    for seconds in (9.0, *(0.2 + number / 1000 for number in range(63))):
        pace.note(seconds)
    drawn = {pace.draw(randomness) for _ in range(2000)}
    assert drawn == {LONGEST_PAUSE_S, *(0.2 + number / 1000 for number in range(63))}
    pace.note(0.1)
    assert LONGEST_PAUSE_S not in {pace.draw(randomness) for _ in range(2000)}
