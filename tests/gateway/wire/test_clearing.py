"""What passes without a verdict of the portable lane, and what it takes that it does."""

from __future__ import annotations

import json
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.lexicon import parse
from filters.model.features import tables
from filters.reader import Reader
from filters.samples import bank
from filters.scanner import Scanner
from filters.stitching import _SHORT
from gateway.codecs import Codec, RequestFields, codec_of
from gateway.state.passes import Pass
from gateway.wire import clearing
from gateway.wire.clearing import Clearance, RouteReads
from gateway.wire.frames import Opcode, write_frame
from gateway.wire.read_kernel import CLEAN, COLUMNS, TEXT_END, TEXT_START, VERDICT
from protection.events import Event, Kind
from protection.policy import Policy
from protection.risk import Level
from protection.rules import Rules
from ratelimit.lease import Lease
from tests.gateway.wire.mutants import LEXICON
from tests.gateway.wire.test_read_kernel import CODEC, MESSAGE, REQUEST, ROUTE

MASK = b"\x01\x02\x03\x04"
TEXT = "主播今天唱得真好听，再来一首"


class Ground:
    """What passes stand on, and who opens them; also who is told of what has passed."""

    def __init__(self) -> None:
        self._rules = Rules(Reader.shipped().with_scanner(Scanner.compile(LEXICON)), Policy())
        self.changes = 0
        self.fresh = True
        self.lease: Lease | None = Lease(1000, 1 << 62)
        self.opened: list[Event] = []
        self.passed: list[tuple[str, str, str, int]] = []

    def rules(self) -> Rules:
        return self._rules

    def open_pass(self, event: Event) -> Pass | None:
        self.opened.append(event)
        return Pass(self, (self.lease, Lease(1000, 1 << 62))) if self.lease is not None and self.lease.left else None

    def note_passed(self, event: Event, count: int) -> None:
        self.passed.append((event.sender, event.room, event.target, count))


@pytest.fixture(scope="module")
def shared() -> Ground:
    return Ground()


@pytest.fixture
def ground(shared: Ground) -> Ground:
    shared.changes, shared.fresh, shared.lease = 0, True, Lease(1000, 1 << 62)
    shared.opened.clear()
    shared.passed.clear()
    return shared


def clearance(ground: Ground) -> Clearance:
    reads = RouteReads.of(ROUTE, 1000, False, ground, ground)
    assert reads is not None
    return Clearance(reads, CODEC, REQUEST)


def said(text: str = TEXT, **more: Any) -> bytes:
    return write_frame(Opcode.TEXT, json.dumps({**MESSAGE, "text": text, **more}, ensure_ascii=False).encode(), MASK)


PING = write_frame(Opcode.PING, b"", MASK)
OTHER = write_frame(Opcode.TEXT, b'{"type":"join"}', MASK)


def test_messages_of_one_kind_pass_on_one_look_at_state(ground: Ground) -> None:
    read = said() + OTHER + said() + said()
    one = clearance(ground)
    assert one.clear(read, 0) == len(read)
    assert one.clear(said(), 0) == len(said())
    assert len(ground.opened) == 1
    assert ground.passed == [("alice", "", "", 3), ("alice", "", "", 1)]
    assert ground.lease is not None
    assert ground.lease.left == 996


def test_what_is_behind_a_place_in_the_read_is_cleared_from_there(ground: Ground) -> None:
    read = PING + said() + PING + said()[:-1]
    one = clearance(ground)
    assert one.clear(read, 0) == 0
    assert one.clear(read, len(PING)) == len(PING + said())
    assert one.clear(read, len(PING + said() + PING)) == len(PING + said() + PING)


def test_a_long_read_is_cleared_to_its_end(ground: Ground) -> None:
    read = said() * 400
    assert clearance(ground).clear(read, 0) == len(read)


@pytest.mark.parametrize("text", ["傻逼", "加油", "666", "nice", "hello"])
def test_hits_and_short_texts_do_not_pass(ground: Ground, text: str) -> None:
    assert clearance(ground).clear(said() + said(text) + said(), 0) == len(said())


@pytest.mark.req("P1")
def test_another_target_needs_another_look(ground: Ground) -> None:
    read = said(to="bob") + said(to="bob") + said(to="carol") + said(room="r")
    assert clearance(ground).clear(read, 0) == len(read)
    assert [(event.target, event.room) for event in ground.opened] == [("bob", ""), ("carol", ""), ("", "r")]
    assert [passed[1:] for passed in ground.passed] == [("", "bob", 2), ("", "carol", 1), ("r", "", 1)]


@pytest.mark.req("P1", "S3", "D2")
def test_a_change_of_state_voids_what_was_seen_before(ground: Ground) -> None:
    one = clearance(ground)
    one.clear(said(), 0)
    ground.changes += 1
    one.clear(said(), 0)
    assert len(ground.opened) == 2
    ground.changes += 1
    ground.lease = None  # nobody may pass any more
    assert one.clear(said(), 0) == 0


def test_a_stale_replica_and_a_lapsed_or_spent_lease_let_nothing_pass(ground: Ground) -> None:
    one = clearance(ground)
    ground.lease = Lease(2, 1 << 62)
    assert one.clear(said() * 3, 0) == 2 * len(said())
    for left, lapses in ((0, 1 << 62), (5, 0)):
        assert Pass(ground, (Lease(9, 1 << 62), Lease(left, lapses))).left() == 0
    ground.fresh = False
    assert Pass(ground, (Lease(5, 1 << 62),)).left() == 0


def test_a_connection_that_must_say_who_it_is_and_does_not_is_judged(ground: Ground) -> None:
    reads = RouteReads.of(ROUTE, 1000, False, ground, ground)
    assert reads is not None
    unknown = RequestFields("", {}, {}, {})
    assert Clearance(reads, cast(Codec, codec_of(ROUTE)), unknown).clear(said(), 0) == 0


def test_another_scanner_is_asked_as_soon_as_it_is_in_force(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    one, text = clearance(ground), "这句话里有一个新词叫做面条脑袋呀"
    assert one.clear(said(text), 0) == len(said(text))
    lexicon = parse([("own", "shieldwire-lexicon 1\n[insult serious]\n面条脑袋\n")])
    rules = Rules(ground.rules().reader.with_scanner(Scanner.compile(lexicon)), Policy())
    monkeypatch.setattr(ground, "_rules", rules)
    assert one.clear(said(text), 0) == 0


@pytest.mark.req("S1", "S5")
def test_what_the_content_model_finds_does_not_pass(ground: Ground) -> None:
    policy, reader = ground.rules().policy, ground.rules().reader
    thresholds = policy.thresholds_of(Kind.BARRAGE, Level.CALM)
    found = passed = 0
    texts = [sample.text for sample in bank()[::40] if len(sample.text) > 13]
    for text in texts:
        hits = reader.scan(text, thresholds).hits
        found += bool(hits)
        passes = clearance(ground).clear(said(text), 0) > 0
        assert not (passes and hits), text
        passed += passes
    assert passed > len(texts) // 4
    assert 10 < found < len(texts)


ROOM = Reader.shipped().model.room()
words = st.text(st.sampled_from("ab Z0_，!傻逼好的é\u0410ァ가😀\u4e00\u9fff\u5000\u8fff"), max_size=16)


@settings(deadline=None)
@given(text=words)
def test_nothing_passes_that_stitching_would_take_for_a_word(text: str) -> None:
    scratch = np.frombuffer(text.encode() + b" ", dtype=np.uint8).copy()
    rows = np.full((1, COLUMNS), -1, dtype=np.int32)
    rows[0, [VERDICT, TEXT_START, TEXT_END]] = CLEAN, 0, len(scratch) - 1
    never = 99.0
    arrays = Reader.shipped().model.arrays
    settled = clearing.compiled()(rows, scratch, b"\0\0\0", 1, tables(), arrays, *ROOM, never, never)
    if settled:
        assert settled == 1 << 32 | 1
        assert _SHORT.fullmatch(text) is None
        assert any(character.isalnum() for character in text)
