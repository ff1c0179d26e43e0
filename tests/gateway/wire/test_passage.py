"""What passes verbatim: every byte, in whatever pieces it comes, and where something may be put between."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire.frames import Close, Code, Opcode, read_frame, write_close, write_frame
from gateway.wire.passage import Passage

LIMIT = 70_000
MASK = b"\x12\x00\xff\x7a"
FIN = 0x80


def piece(opcode: int, fin: bool, payload: bytes, mask: bytes = b"") -> bytes:
    whole = write_frame(Opcode.TEXT, payload, mask)
    return bytes([(FIN if fin else 0) | opcode]) + whole[1:]


messages = st.lists(
    st.one_of(
        st.binary(max_size=140).map(lambda payload: [piece(2, True, payload)]),
        st.just([piece(1, True, bytes(66_000))]),
        st.binary(max_size=20).map(lambda payload: [piece(9, True, payload, MASK)]),
        st.binary(max_size=9).map(
            lambda part: [piece(1, False, part), piece(10, True, part), piece(0, False, part), piece(0, True, part)]
        ),
    ),
    max_size=6,
)


@settings(deadline=None)  # the first example compiles
@given(messages=messages, cuts=st.lists(st.integers(0, 70_000), max_size=8))
def test_every_byte_passes_in_order_and_gaps_lie_between_messages(messages: list[list[bytes]], cuts: list[int]) -> None:
    stream = b"".join(b"".join(frames) for frames in messages)
    between, end = {0}, 0
    for frames in messages:
        end += sum(map(len, frames))
        between.add(end)
    passage, passed = Passage(LIMIT), b""
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    for start, stop in itertools.pairwise(places):
        before = len(passed)
        out = passage.feed(stream[start:stop])
        passed += out
        assert passed + passage.held == stream[:stop]
        if passage.gap >= 0:
            assert before + passage.gap in between
        elif out:
            assert len(passed) not in between
        assert passage.between_messages is (len(passed) in between)
        assert len(passage.held) < 14
    assert passed == stream
    assert not passage.stopped


@given(payload=st.binary(max_size=30), after=st.binary(max_size=9))
def test_a_close_frame_ends_what_passes(payload: bytes, after: bytes) -> None:
    passage, last = Passage(LIMIT), write_frame(Opcode.TEXT, payload)
    closing = write_close(Close(4000, "bye"))
    assert passage.feed(last + closing + after) == last
    assert passage.stopped
    assert passage.problem is None
    assert passage.held == closing + after
    assert read_frame(passage.held, 0, 125, False) is not None


@pytest.mark.parametrize(
    ("stream", "passes", "code"),
    [
        (piece(2, True, b"ok") + piece(2, True, bytes(70_001)), piece(2, True, b"ok"), Code.TOO_BIG),
        (piece(1, False, bytes(70_000)) + piece(0, True, b"x"), piece(1, False, bytes(70_000)), Code.TOO_BIG),
        (b"\x82\x7f\xff\0\0\0\0\0\0\0", b"", Code.PROTOCOL_ERROR),
        (b"\x89\x7f\x7f" + b"\xff" * 7, b"", Code.PROTOCOL_ERROR),
        (piece(1, False, b"a") + b"\x00\x7f\x7f" + b"\xff" * 7, piece(1, False, b"a"), Code.TOO_BIG),
    ],
)
def test_a_message_beyond_the_limit_does_not_begin_to_pass(stream: bytes, passes: bytes, code: Code) -> None:
    passage = Passage(LIMIT)
    assert passage.feed(stream) == passes
    assert passage.problem is not None
    assert passage.problem.close.code == code


@pytest.mark.parametrize("end", [write_close(Close(1000, "")), piece(2, True, bytes(70_001))[:100]])
def test_what_follows_an_end_is_not_kept(end: bytes) -> None:
    passage = Passage(LIMIT)
    passage.feed(end)
    for _ in range(1000):
        assert passage.feed(bytes(1000)) == b""
    assert len(passage.held) < 2000


def test_control_frames_between_fragments_are_no_part_of_the_message() -> None:
    passage = Passage(10)
    passage.feed(piece(1, False, bytes(6)) + piece(9, True, bytes(100)) + piece(0, True, bytes(4)))
    assert not passage.stopped
    assert passage.between_messages
