"""From verdicts to what happens on a connection, and the words that people are told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

import gateway
from filters.classes import Harm
from gateway.codecs import Codec, Message, codec_of
from gateway.enforce import NUDGE_LIFE_S, Enforcement, NudgeTokens, enforce
from gateway.replies import REASONS, Language
from gateway.routes import Downlink, Fields, Hide, Route
from protection.events import Event, Kind
from protection.modes import MODE_RULES
from protection.snapshot import Scope
from protection.verdicts import Disposition, Signal, Verdict

NOW = 1_800_000_000.0
EVENT = Event(Kind.BARRAGE, "alice", "call 138", id="7", target="bob", room="r")
PAYLOAD = '{"id":7,"text":"call 138", "n":1}'
ROUTE = Route("/ws", "ws://up", "json", Kind.BARRAGE, fields=Fields(id="id", text="text"))


def codec(**route: Any) -> Codec:
    found = codec_of(msgspec.structs.replace(ROUTE, **route))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("verdict", "forward", "told", "status"),
    [
        (Verdict(), PAYLOAD, [], 200),
        (Verdict(Disposition.NUDGE, "insult"), None, ["nudge"], 409),
        (Verdict(Disposition.MASK, "privacy", text="call ***"), '{"id":7,"text":"call ***","n":1}', ["mask"], 200),
        (Verdict(Disposition.REJECT, "insult"), None, ["reject"], 403),
        (Verdict(Disposition.DISCONNECT, "insult"), None, ["disconnect"], 403),
        (
            Verdict(Disposition.REJECT, "flood", 2.0, signals=(Signal("rate", "flood", Disposition.REJECT, 2.0),)),
            None,
            ["reject"],
            429,
        ),
        (
            Verdict(Disposition.REJECT, "muted", 9.0, signals=(Signal("sanction", "muted", Disposition.REJECT, 9.0),)),
            None,
            ["reject"],
            403,
        ),
    ],
)
def test_each_disposition_is_carried_out(verdict: Verdict, forward: str | None, told: list[str], status: int) -> None:
    outcome = enforce(verdict, Message(EVENT, 7), PAYLOAD, codec(), Language(), "token")
    assert (outcome.forward, outcome.status) == (forward, status)
    assert [reply["disposition"] for reply in outcome.replies] == told
    assert all(reply["id"] == 7 and reply["message"] for reply in outcome.replies)
    assert outcome.disconnect == (verdict.disposition is Disposition.DISCONNECT)


HIDDEN = Signal("text", "mockery", Disposition.HIDE)
NUDGED = Signal("text", "insult", Disposition.NUDGE)
MASKED = Signal("text", "privacy", Disposition.MASK)


@pytest.mark.req("S1", "P5")
@pytest.mark.parametrize(
    ("signals", "forward", "told"),
    [
        ((HIDDEN,), PAYLOAD, []),
        ((NUDGED, HIDDEN), None, [("nudge", "insult")]),
        ((HIDDEN, MASKED, NUDGED), '{"id":7,"text":"call ***","n":1}', [("mask", "privacy")]),
    ],
)
@pytest.mark.parametrize(
    "route", [{"downlink": Downlink()}, {"hide": Hide(forward=True)}, {"hide": Hide(answer="{payload}")}]
)
def test_a_hidden_message_is_to_its_sender_what_it_would_be_if_nobody_hid_it(
    signals: tuple[Signal, ...], forward: str | None, told: list[tuple[str, str]], route: dict[str, Any]
) -> None:
    verdict = Verdict(Disposition.HIDE, "mockery", signals=signals, text="call ***")
    outcome = enforce(verdict, Message(EVENT, 7), PAYLOAD, codec(**route), Language(), "token")
    stands_in = forward is not None and "hide" in route and bool(route["hide"].answer)
    assert outcome.forward == (None if stands_in else forward)
    assert [(reply["disposition"], reply["reason"]) for reply in outcome.replies] == told
    assert (outcome.stand_in is not None) == stands_in
    if outcome.stand_in is not None:
        assert outcome.stand_in.body(0, UUID(int=0)) == forward
        assert outcome.stand_in.message.event.text == ("call ***" if MASKED in signals else EVENT.text)


@pytest.mark.req("S1", "P7")
def test_what_no_downlink_finds_again_is_refused_where_it_would_be_forwarded() -> None:
    limit = Signal("rate", "stranger-dm", Disposition.HIDE)
    verdict = Verdict(Disposition.HIDE, "mockery", signals=(HIDDEN, limit))

    def outcome(**route: Any) -> Enforcement:
        return enforce(verdict, Message(EVENT, 7), PAYLOAD, codec(**route), Language(), "")

    for route in ({"downlink": Downlink()}, {"hide": Hide(forward=True)}):
        assert (outcome(**route).forward, outcome(**route).status) == (None, 403)
    assert outcome(hide=Hide(answer="ok")).stand_in is not None


@pytest.mark.req("S1", "P5")
def test_a_route_that_cannot_hide_refuses() -> None:
    verdict = Verdict(Disposition.HIDE, "mockery", signals=(HIDDEN, MASKED), text="call ***")
    outcome = enforce(verdict, Message(EVENT, 7), PAYLOAD, codec(), Language(), "token")
    assert (outcome.forward, outcome.status, outcome.stand_in) == (None, 403, None)
    assert [(reply["disposition"], reply["reason"]) for reply in outcome.replies] == [("reject", "mockery")]


@pytest.mark.req("S5")
def test_support_is_sent_beside_whatever_else_is_said() -> None:
    outcome = enforce(Verdict(support=True), Message(EVENT, 7), PAYLOAD, codec(), Language(), "")
    assert outcome.forward == PAYLOAD
    assert [(reply["type"], reply["topic"]) for reply in outcome.replies] == [("shieldwire.notice", "support")]


@pytest.mark.req("D1")
@pytest.mark.parametrize(
    ("change", "later", "accepted"),
    [
        ({}, 0, True),
        ({}, NUDGE_LIFE_S - 1, True),
        ({}, NUDGE_LIFE_S + 1, False),
        ({"text": "call 139"}, 0, False),
        ({"sender": "mallory"}, 0, False),
        ({"target": "carol"}, 0, False),
        ({"room": "other"}, 0, False),
        ({"mentions": ("carol",)}, 0, False),
        ({"id": "8"}, 0, True),
    ],
)
def test_a_nudge_token_is_good_for_the_same_words_only(change: dict[str, Any], later: float, accepted: bool) -> None:
    tokens = NudgeTokens(b"key")
    token = tokens.issue(EVENT, NOW)
    assert tokens.accepts(token, msgspec.structs.replace(EVENT, **change), NOW + later) is accepted
    assert not NudgeTokens(b"other key").accepts(token, EVENT, NOW)


@pytest.mark.parametrize(
    "token", ["", ".", "x.y", "99999999999999999999.a", "1800000500.", "²³.x", "1800000500.\ud800"]
)
def test_a_token_that_was_never_issued_is_not_accepted(token: str) -> None:
    assert not NudgeTokens(b"key").accepts(token, EVENT, NOW)


def test_every_reason_that_can_be_given_has_words_in_both_languages() -> None:
    given = {harm.value for harm in Harm if harm is not Harm.DISTRESS}
    given |= {scope.value for scope in Scope}
    given |= {rule.reason for rule in MODE_RULES.values() if rule.reason}
    sources = "".join(file.read_text() for file in Path(gateway.__file__).parent.rglob("*.py"))
    given |= set(re.findall(r'(?:MessageError|self\.error|reader\.error|Refusal)\((?:\d+, )?"([a-z0-9-]+)"', sources))
    assert given <= set(REASONS)
    for chinese, english in REASONS.values():
        assert re.search(r"[\u4e00-\u9fff]", chinese)
        assert english.isascii()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "你被禁言"),
        ("en-GB,en;q=0.9,zh;q=0.1", "You are muted."),
        ("de,fr", " / "),
        ("", " / "),
    ],
)
def test_people_are_answered_in_their_language(header: str, said: str) -> None:
    assert said in Language.of(header).say(("你被禁言", "You are muted."))
