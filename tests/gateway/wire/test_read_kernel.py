"""The read kernel: what stays in the fast lane, what leaves it, and that it agrees with the plain reading."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.scanner import Scanner
from gateway.codecs import Codec, RequestFields, codec_of
from gateway.routes import Fields, Route
from gateway.wire.read_kernel import CLEAN, END, LEAVES, PASSES, START, TEXT_END, TEXT_START, VERDICT, ReadJudge
from gateway.wire.read_plan import plan_of
from protection.events import Kind
from tests.gateway.wire.frames import FIN, TEXT, check, frame, masked
from tests.gateway.wire.mutants import LEXICON, LIMIT, Bench

FIELDS = Fields(id="id", text="text", sender="user", target="to", room="room", mentions="at")
ROUTE = Route("/ws", "ws://up/ws", "json", Kind.BARRAGE, {"type": "say", "v": {"n": 5}}, FIELDS)
MESSAGE: dict[str, Any] = {"type": "say", "v": {"n": 5}, "id": 7, "user": "u1", "text": "你好，主播"}
CODEC = cast(Codec, codec_of(ROUTE))
REQUEST = RequestFields("alice", {}, {}, {})


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner.compile(LEXICON)


@pytest.fixture(scope="module")
def judge(scanner: Scanner) -> ReadJudge:
    plan = plan_of(ROUTE, 1000)
    assert plan is not None
    return ReadJudge(scanner, plan, most_frames=4)


def written(*without: str, **changes: Any) -> bytes:
    members = {key: value for key, value in {**MESSAGE, **changes}.items() if key not in without}
    return json.dumps(members, ensure_ascii=False).encode()


def verdicts(judge: ReadJudge, read: bytes) -> list[int]:
    return [int(row[VERDICT]) for row in judge.judge(read)]


STAYS = {
    "plain": written(),
    "compact": json.dumps(MESSAGE, separators=(",", ":")).encode(),
    "escapes": json.dumps({**MESSAGE, "text": '\b\f\n\r\t\\/"你😀'}).encode(),
    "white space": b'\n{ "type":\t"say" , "v" : { "n" : 5 } ,"text":"a"\r}  ',
    "empty text": written(text=""),
    "no id": written("id"),
    "nulls": written(id=None, to=None, room=None, at=None),
    "numbers": written(id=123456789012345678, to=-5, room=0, x=12.5, y=-0.25),
    "accounts": written(to="bob", room="r1", at=[]),
    "a sender that nobody asks for": written(user={"name": "小明"}),
    "others": written(x=[1, [2, {"id": 3}], []], y={"to": {}}, z=[True, False, None]),
    "escaped match": b'{"type":"s\\u0061y","v":{"n":5},"text":"a"}',
}

LEAVES_FOR = {
    "a hit": written(text="你这个傻逼"),
    "a disguised hit": written(text="傻*_ 逼"),
    "an escaped hit": b'{"type":"say","v":{"n":5},"text":"\\u50bb\\u903C"}',
    "no text": written("text"),
    "text of another type": written(text=5),
    "null text": written(text=None),
    "text in a list": written(text=["a"]),
    "a mention": written(at=["bob"]),
    "one mention": written(at="bob"),
    "a token": written(shieldwire_token="t"),
    "a token below": written(x={"shieldwire_token": "t"}),
    "an account of another type": written(to=True),
    "an account in a list": written(to=["bob"]),
    "an account too long": written(to="b" * 129),
    "an account with a space": written(to=" bob"),
    "an account beyond ASCII": written(to="bo\u0301b"),
    "a fraction for an id": written(id=7.5),
    "the key twice": b'{"type":"say","v":{"n":5},"text":"a","text":"b"}',
    "another key twice": b'{"type":"say","v":{"n":5},"text":"a","x":1,"x":2}',
    "a key twice below": b'{"type":"say","v":{"n":5},"text":"a","x":[{"y":1,"y":2}]}',
    "an escaped key": b'{"type":"say","v":{"n":5},"text":"a","te\\u0078t":"b"}',
    "a key in another case": written(TEXT="b"),
    "a match in another case": written(Type="say"),
    "a match below in another case": written(v={"N": 5}),
    "text at another depth": written(x={"text": "b"}),
    "a match at another depth": written(x=[{"type": "say"}]),
    "a key beyond ASCII": written()[:-1] + ', "ſ": 1}'.encode(),
    "the match in other words": written(v={"n": 5.0}),
    "a duplicate match": b'{"type":"ping","type":"say","v":{"n":5},"text":"a"}',
    "no object": b"[1]",
    "nothing": b"",
    "a lone surrogate": b'{"type":"say","v":{"n":5},"text":"\\ud800"}',
    "half a pair": b'{"type":"say","v":{"n":5},"text":"\\ud83dx\\ude00"}',
    "a pair the wrong way": b'{"type":"say","v":{"n":5},"text":"\\ude00\\ud83d"}',
    "a bad escape": b'{"type":"say","v":{"n":5},"text":"\\x41"}',
    "a control character": b'{"type":"say","v":{"n":5},"text":"a\nb"}',
    "bad UTF-8": b'{"type":"say","v":{"n":5},"text":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"type":"say","v":{"n":5},"text":"\xed\xa0\x80"}',
    "beyond Unicode": b'{"type":"say","v":{"n":5},"text":"\xf4\x90\x80\x80"}',
    "a byte order mark": b"\xef\xbb\xbf" + written(),
    "a comma too many": b'{"type":"say","v":{"n":5},"text":"a",}',
    "a comma too few": b'{"type":"say" "v":{"n":5},"text":"a"}',
    "another closer": b'{"type":"say","v":{"n":5},"text":"a","x":[1}}',
    "something after it": written() + b"{}",
    "an open string": b'{"type":"say","v":{"n":5},"text":"a',
    "an open object": b'{"type":"say","v":{"n":5},"text":"a"',
    "single quotes": b"{'type':'say'}",
    "a leading zero": b'{"type":"say","v":{"n":5},"text":"a","x":05}',
    "a bare point": b'{"type":"say","v":{"n":5},"text":"a","x":1.}',
    "an exponent": b'{"type":"say","v":{"n":5},"text":"a","x":1e999}',
    "an unknown word": b'{"type":"say","v":{"n":5},"text":"a","x":nil}',
    "depth": b'{"type":"say","v":{"n":5},"text":"a","x":' + b"[" * 20 + b"]" * 20 + b"}",
    "keys": json.dumps({**MESSAGE, **{f"k{number}": 0 for number in range(70)}}).encode(),
}

NO_MESSAGES = {
    "another type": written(type="ping"),
    "another number": written(v={"n": 6}),
    "another kind of value": written(type=5, v={"n": "5"}),
    "no match": written("type"),
    "a container": written(type={"a": 1}, v=[5]),
    "nothing at all": b"{}",
    "a hit in it": written(type="ping", text="傻逼"),
}


@pytest.mark.parametrize("payload", STAYS.values(), ids=STAYS)
def test_a_plain_clean_message_stays(judge: ReadJudge, scanner: Scanner, payload: bytes) -> None:
    assert verdicts(judge, frame(payload)) == [CLEAN]
    assert check(frame(payload), judge, CODEC, REQUEST, scanner, 1000) == 1


@pytest.mark.req("P4", "S1")
@pytest.mark.parametrize("payload", LEAVES_FOR.values(), ids=LEAVES_FOR)
def test_what_is_not_plain_leaves(judge: ReadJudge, payload: bytes) -> None:
    assert verdicts(judge, frame(payload)) == [LEAVES]


@pytest.mark.parametrize("payload", NO_MESSAGES.values(), ids=NO_MESSAGES)
def test_what_does_not_match_passes(judge: ReadJudge, payload: bytes) -> None:
    assert verdicts(judge, frame(payload)) == [PASSES]
    assert CODEC.decode(payload.decode(), REQUEST) is None


@pytest.mark.parametrize("first", [0x01, 0x02, 0x80, 0x82, 0x88, 0x89, 0x8A, 0x91, 0xA1, 0xC1])
def test_control_frames_fragments_binary_and_reserved_bits_leave(judge: ReadJudge, first: int) -> None:
    assert verdicts(judge, frame(written(), first=first) + frame(written())) == [LEAVES, CLEAN]


def test_unmasked_frames_and_lengths_in_more_bytes_than_needed_leave(judge: ReadJudge) -> None:
    short = b'{"type":"x"}'
    unmasked = bytes([FIN | TEXT, len(short)]) + short
    wordy = bytes([FIN | TEXT, 0x80 | 126]) + len(short).to_bytes(2, "big") + b"mask" + masked(short, b"mask")
    wordier = bytes([FIN | TEXT, 0x80 | 127]) + len(short).to_bytes(8, "big") + b"mask" + masked(short, b"mask")
    assert verdicts(judge, unmasked + wordy + wordier + frame(short)) == [LEAVES, LEAVES, LEAVES, PASSES]


@pytest.mark.parametrize("length", [1001, 0xFFFF + 1, 1 << 62, (1 << 64) - 1])
def test_a_frame_beyond_the_limit_leaves_with_all_that_follows_before_it_is_whole(
    judge: ReadJudge, length: int
) -> None:
    size = bytes([0xFE]) + length.to_bytes(2, "big") if length <= 0xFFFF else bytes([0xFF]) + length.to_bytes(8, "big")
    read = frame(written()) + bytes([FIN | TEXT]) + size + b"mask" + b"x" * 50
    rows = judge.judge(read)
    assert rows[:, VERDICT].tolist() == [CLEAN, LEAVES]
    assert rows[1, END] == len(read)


def test_a_read_is_judged_up_to_the_frame_that_is_not_whole(judge: ReadJudge) -> None:
    one, two = frame(written()), frame(written(text="x" * 200))
    for cut in range(len(two)):
        rows = judge.judge(one + two[:cut])
        assert rows[:, [START, END]].tolist() == [[0, len(one)]]


def test_more_frames_than_there_is_room_for_are_judged_in_another_call(judge: ReadJudge) -> None:
    one = frame(written())
    rows = judge.judge(one * 6)
    assert rows[:, VERDICT].tolist() == [CLEAN] * 4
    assert judge.judge((one * 6)[rows[-1, END] :])[:, VERDICT].tolist() == [CLEAN] * 2


def test_a_read_longer_than_the_scratch_is_judged_as_far_as_that_reaches(scanner: Scanner) -> None:
    plan = plan_of(ROUTE, 1000)
    assert plan is not None
    one = frame(written())
    judge = ReadJudge(scanner, plan, longest_read=3 * len(one) - 1)
    assert judge.judge(one * 3)[:, END].tolist() == [len(one), 2 * len(one)]


def test_a_message_must_name_its_sender_where_nothing_else_does(scanner: Scanner) -> None:
    plan = plan_of(ROUTE, 1000, payload_sender_counts=True)
    assert plan is not None
    judge = ReadJudge(scanner, plan)
    reads = [written(), written("user"), written(user=""), written(user=None)]
    assert verdicts(judge, b"".join(map(frame, reads))) == [CLEAN, LEAVES, LEAVES, LEAVES]


def test_a_message_to_the_owner_of_a_room_must_name_the_room(scanner: Scanner) -> None:
    route = Route("/ws", "ws://up", "json", Kind.BARRAGE, {}, Fields(text="text", target="@room.owner", room="room"))
    plan = plan_of(route, 1000)
    assert plan is not None
    judge = ReadJudge(scanner, plan)
    assert verdicts(judge, frame(written(room="r1")) + frame(written())) == [CLEAN, LEAVES]


def test_the_decoded_text_is_reported(judge: ReadJudge) -> None:
    rows = judge.judge(frame(json.dumps({**MESSAGE, "text": "你\n😀"}).encode()))
    text = judge.scratch[rows[0, TEXT_START] : rows[0, TEXT_END]].tobytes()
    assert text.decode() == "你\n😀"


@pytest.mark.parametrize(
    "route",
    [
        Route("/ws", "ws://up", "text", Kind.CHAT),
        Route("/ws", "ws://up", "json", Kind.DM, {}, FIELDS),
        Route("/ws", "ws://up", "json", None, {}, Fields(text="text", kind="kind")),
        Route("/ws", "ws://up", "json", Kind.CHAT, {"x": 1.5}, FIELDS),
        Route("/ws", "ws://up", "json", Kind.CHAT, {"x": [1]}, FIELDS),
        Route("/ws", "ws://up", "json", Kind.CHAT, {"text": "x"}, FIELDS),
        Route("/ws", "ws://up", "json", Kind.CHAT, {}, Fields(text="data.text", target="data")),
        Route("/ws", "ws://up", "json", Kind.CHAT, {}, Fields(text="内容")),
        Route("/ws", "ws://up", "json", Kind.CHAT, {}, Fields(text="text", target="@room.owner")),
    ],
)
def test_routes_that_only_the_codec_can_judge_have_no_plan(route: Route) -> None:
    assert plan_of(route, 1000) is None


@given(text=st.text(st.characters(exclude_categories=["Cs"])), mask=st.binary(min_size=4, max_size=4))
@settings(max_examples=300)
def test_any_text_is_read_as_the_codec_reads_it(text: str, mask: bytes) -> None:
    read = frame(json.dumps({"type": "say", "text": text, "user": "u"}, ensure_ascii=False).encode(), mask)
    read += frame(json.dumps({"type": "say", "text": text, "user": "u"}).encode(), mask)
    BENCH.check(read)


@given(read=st.binary(max_size=300))
@settings(max_examples=500)
def test_any_bytes_can_be_read(read: bytes) -> None:
    BENCH.check(read)
    BENCH.check(frame(read[:LIMIT]))


@pytest.mark.req("P4")
def test_mutants_are_judged_as_by_the_plain_reading_and_within_bounds() -> None:
    """`make fuzz` runs a million of them."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.gateway.wire.mutants", "3000"],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout.split()[0]) > 3000


BENCH = Bench()
