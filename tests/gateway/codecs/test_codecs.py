"""Codecs: what is a message, what it says, and what two parsers could read in two ways."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codecs import Codec, MessageError, RequestFields, codec_of
from gateway.routes import Fields, Route
from protection.events import Event, Kind

FIELDS = Fields(id="id", text="data.text", sender="user", target="to", room="path.room", mentions="at")
JSON = Route("/{room}", "ws://up", "json", Kind.BARRAGE, {"type": "say", "op": 5}, FIELDS)
FORM = Route("/{room}", "http://up", "form", Kind.COMMENT, {}, Fields(id="id", text="msg", target="to", room="room"))
TEXT = Route("/{room}", "ws://up", "text", Kind.CHAT, {}, Fields(room="path.room", target="query.to"))
REQUEST = RequestFields("alice", {"room": "r1"}, {"to": "bob"}, {})
MESSAGE: dict[str, Any] = {
    "id": 7,
    "type": "say",
    "op": 5,
    "data": {"text": "你好", "n": 1},
    "to": "bob",
    "at": ["eve", 3],
}


def codec(route: Route) -> Codec:
    found = codec_of(route)
    assert found is not None
    return found


def written(**changes: Any) -> str:
    return json.dumps({**MESSAGE, **changes}, ensure_ascii=False)


def test_a_json_message_becomes_an_event() -> None:
    message = codec(JSON).decode(written(), REQUEST)
    assert message is not None
    assert message.id == 7
    assert message.event == Event(Kind.BARRAGE, "alice", "你好", "7", "bob", "r1", ("eve", "3"))


def test_a_form_and_a_plain_text_become_events() -> None:
    form = codec(FORM).decode("id=9&msg=a+b%21&to=bob&room=r2&x=1&x=2", REQUEST)
    text = codec(TEXT).decode("hello", REQUEST)
    assert form is not None
    assert form.event == Event(Kind.COMMENT, "alice", "a b!", "9", "bob", "r2")
    assert text is not None
    assert text.event == Event(Kind.CHAT, "alice", "hello", "", "bob", "r1")


@pytest.mark.parametrize(
    "payload",
    [
        written(type="ping"),
        written(op=True),
        written(op="5"),
        '{"type" : "ping",  "n":1, "n":2}',
        "[1, 2]",
        "7",
        '{"type":"ping","text":"\\ud83d\\ude00"}',
    ],
)
def test_what_does_not_match_is_no_message(payload: str) -> None:
    assert codec(JSON).decode(payload, REQUEST) is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("{", "invalid-json"),
        ("", "invalid-json"),
        ("[" * 100_000, "invalid-json"),
        ('{"type":"say","op":5,"data":{"text":"\\ud800"}}', "invalid-json"),
        ('{"type":"say","op":5,"data":{"text":"a","text":"b"}}', "ambiguous-json"),
        ('{"type":"say","op":5,"data":{"text":"a","te\\u0078t":"b"}}', "ambiguous-json"),
        ('{"type":"ping","type":"say","op":5,"data":{"text":"b"}}', "ambiguous-json"),
        ('{"type":"say","type":"ping","op":5,"data":{"text":"b"}}', "ambiguous-json"),
        ('{"Type":"say","op":5,"data":{"text":"b"}}', "ambiguous-json"),
        ('{"type":"say","op":5,"data":{"text":"a","TEXT":"b"}}', "ambiguous-json"),
        ('{"type":"say","op":5.0,"data":{"text":"a"},"x":{"y":1,"y":2}}', "ambiguous-json"),
        (written(data={}), "missing-field"),
        (written(data=None), "missing-field"),
        (written(data={"text": 5}), "wrong-type"),
        (written(to=["bob"]), "wrong-type"),
        (written(to=True), "wrong-type"),
        (written(to="x" * 129), "wrong-type"),
        (written(to=" bob"), "wrong-type"),
        (written(to="cafe\u0301"), "wrong-type"),
        (written(to="b\u0007b"), "wrong-type"),
        (written(id={}), "wrong-type"),
        (written(at=7), "wrong-type"),
        (written(at=["x"] * 65), "wrong-type"),
    ],
)
def test_bad_json_messages_are_named(payload: str, reason: str) -> None:
    with pytest.raises(MessageError) as caught:
        codec(JSON).decode(payload, REQUEST)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("msg=%ff", "invalid-form"),
        ("msg=a&msg=b", "ambiguous-form"),
        ("m%73g=a&msg=b", "ambiguous-form"),
        ("msg=a&Msg=b", "ambiguous-form"),
        ("msg=a&msg[]=b", "ambiguous-form"),
        ("msg=a&+msg=b", "ambiguous-form"),
        ("msg[x]=b", "ambiguous-form"),
        ("id=1", "missing-field"),
        ("&".join(["a=1"] * 1001), "invalid-form"),
    ],
)
def test_bad_forms_are_named(payload: str, reason: str) -> None:
    with pytest.raises(MessageError) as caught:
        codec(FORM).decode(payload, REQUEST)
    assert caught.value.reason == reason


def test_the_error_carries_the_messages_own_id() -> None:
    with pytest.raises(MessageError) as caught:
        codec(JSON).decode(written(data={}), REQUEST)
    assert caught.value.id == 7


def test_the_authenticated_identity_wins_over_the_payload() -> None:
    def sender(identity: str, payload_counts: bool) -> str:
        request = msgspec.structs.replace(REQUEST, identity=identity, payload_sender_counts=payload_counts)
        message = codec(JSON).decode(written(user="mallory"), request)
        assert message is not None
        return message.event.sender

    assert sender("alice", True) == "alice"
    assert sender("", True) == "mallory"
    with pytest.raises(MessageError, match="sign in"):
        sender("", False)


def test_a_dm_needs_a_target() -> None:
    route = msgspec.structs.replace(JSON, kind=Kind.DM)
    with pytest.raises(MessageError, match="to is missing"):
        codec(route).decode(written(to=None), REQUEST)


def test_who_aims_at_the_rooms_owner_must_name_the_room() -> None:
    fields = msgspec.structs.replace(FIELDS, target="@room.owner", room="room")
    route = msgspec.structs.replace(JSON, fields=fields)
    for room in (None, ""):
        with pytest.raises(MessageError, match="room is missing"):
            codec(route).decode(written(room=room), REQUEST)


def test_the_kind_can_come_from_a_field() -> None:
    route = msgspec.structs.replace(JSON, kind=None, fields=msgspec.structs.replace(FIELDS, kind="kind"))
    message = codec(route).decode(written(kind="dm"), REQUEST)
    assert message is not None
    assert message.event.kind is Kind.DM
    with pytest.raises(MessageError, match="must be one of"):
        codec(route).decode(written(kind="shout"), REQUEST)


@pytest.mark.req("S1")
def test_another_text_leaves_every_other_value_as_it_was_written() -> None:
    payload = '{"big":123456789012345678901234567890, "data": {"text":"bad", "f":1.50}, "e":"\\u0041", "l":[1, 2]}'
    assert codec(JSON).with_text(payload, "***") == (
        '{"big":123456789012345678901234567890,"data":{"text":"***","f":1.50},"e":"\\u0041","l":[1, 2]}'
    )
    assert codec(FORM).with_text("a=%7e&msg=bad&b=+", "* *") == "a=%7e&msg=*+*&b=+".replace("*+*", "%2A+%2A")


@pytest.mark.req("D1")
def test_the_token_of_a_nudge_is_found_and_taken_out() -> None:
    message = codec(JSON).decode(written(shieldwire_token="1.x"), REQUEST)
    assert message is not None
    assert message.token == "1.x"
    assert "shieldwire_token" not in codec(JSON).without_token(written(shieldwire_token="1.x"))
    assert codec(FORM).without_token("msg=a&shieldwire_token=1.x") == "msg=a"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(
    extra=st.dictionaries(
        st.text(max_size=6).filter(lambda key: key.casefold() not in MESSAGE), json_values, max_size=4
    )
)
def test_whatever_else_a_message_carries_is_never_taken_for_an_ambiguity(extra: dict[str, Any]) -> None:
    extra.pop("user", None)
    message = codec(JSON).decode(json.dumps({**extra, **MESSAGE}), REQUEST)
    assert message is not None
    assert message.event.text == "你好"


@given(st.text(alphabet='{}[]":,\\ ute0t1', max_size=30))
def test_no_payload_raises_anything_but_a_message_error(payload: str) -> None:
    for route in (JSON, FORM, TEXT):
        try:
            message = codec(route).decode(payload, REQUEST)
        except MessageError:
            continue
        assert message is None or message.event.sender == "alice"
