"""Frames against `websockets`' own parser, and the rules of RFC 6455 by name."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import websockets.frames as reference
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.streams import StreamReader

from gateway.wire.frames import (
    MOST_FRAGMENTS,
    Assembler,
    Close,
    Code,
    Frame,
    FrameError,
    Opcode,
    apply_mask,
    bytes_needed,
    read_close,
    read_frame,
    read_head,
    write_close,
    write_frame,
)

MASK = b"\x12\x00\xff\x7a"
LIMIT = 70_000

masks = st.one_of(st.just(b""), st.binary(min_size=4, max_size=4))
payloads = st.one_of(st.binary(max_size=130), st.sampled_from([125, 126, 127, 65_535, 65_536, 70_000]).map(bytes))


def parsed_by_reference(data: bytes, masked: bool) -> tuple[int, bool, bytes] | int | None:
    """What `websockets` makes of the first frame: the frame, the close code of an error, or None for "more"."""
    reader = StreamReader()
    reader.feed_data(data)
    parser: Generator[None, None, reference.Frame] = reference.Frame.parse(
        reader.read_exact, mask=masked, max_size=LIMIT
    )
    try:
        next(parser)
    except StopIteration as done:
        frame = done.value
        return int(frame.opcode), frame.fin, bytes(frame.data)
    except PayloadTooBig:
        return Code.TOO_BIG
    except ProtocolError:
        return Code.PROTOCOL_ERROR
    return None


def parsed(data: bytes, masked: bool) -> tuple[int, bool, bytes] | int | None:
    try:
        found = read_frame(data, 0, LIMIT, masked)
    except FrameError as error:
        return error.close.code
    return None if found is None else (int(found[0].opcode), found[0].fin, found[0].payload)


@given(opcode=st.sampled_from([Opcode.TEXT, Opcode.BINARY]), payload=payloads, mask=masks)
def test_what_we_write_is_what_the_reference_reads(opcode: Opcode, payload: bytes, mask: bytes) -> None:
    written = write_frame(opcode, payload, mask)
    assert parsed_by_reference(written, bool(mask)) == (opcode, True, payload)
    assert parsed(written, bool(mask)) == (opcode, True, payload)
    assert bytes_needed(written) == len(written)


@given(data=st.binary(max_size=40), masked=st.booleans())
def test_any_bytes_are_read_as_the_reference_reads_them(data: bytes, masked: bool) -> None:
    ours, theirs = parsed(data, masked), parsed_by_reference(data, masked)
    if isinstance(ours, int) and theirs is None:
        return  # refused at its head; the reference waits for the payload first
    if isinstance(theirs, int) and (isinstance(ours, int) or (ours is None and not has_head(data))):
        return  # which of two faults is named first is of no weight, nor that a fault is found in half a head
    assert ours == theirs


def has_head(data: bytes) -> bool:
    try:
        return read_head(data) is not None
    except FrameError:
        return True


@given(
    first=st.integers(0, 255),
    length=st.sampled_from([0, 5, 125, 126, 65_536, LIMIT + 1]),
    masked=st.booleans(),
    server=st.booleans(),
)
def test_heads_of_every_kind_are_judged_as_the_reference_judges_them(
    first: int, length: int, masked: bool, server: bool
) -> None:
    whole = write_frame(Opcode.TEXT, bytes(length), MASK if masked else b"")
    data = bytes([first]) + whole[1:]
    ours, theirs = parsed(data, server), parsed_by_reference(data, server)
    if isinstance(ours, int) and isinstance(theirs, int):
        return
    assert ours == theirs


@given(data=st.binary(max_size=20))
def test_no_prefix_of_a_frame_needs_fewer_bytes_than_the_frame_has(data: bytes) -> None:
    whole = write_frame(Opcode.BINARY, data, MASK)
    for size in range(len(whole)):
        assert size < bytes_needed(whole[:size]) <= len(whole)
        assert read_frame(whole[:size], 0, LIMIT, True) is None


@given(payload=st.binary(max_size=50), mask=st.binary(min_size=4, max_size=4))
def test_a_mask_undoes_itself(payload: bytes, mask: bytes) -> None:
    masked = apply_mask(payload, mask)
    assert masked == bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    assert apply_mask(masked, mask) == payload


def test_a_length_of_more_than_63_bits_is_refused_at_its_head() -> None:
    with pytest.raises(FrameError, match="highest bit"):
        read_head(b"\x82\x7f\x80\0\0\0\0\0\0\0")


@pytest.mark.parametrize(
    ("head", "code", "words"),
    [
        (b"\xc1\x80" + MASK, 1002, "reserved"),
        (b"\x83\x80" + MASK, 1002, "opcode 3"),
        (b"\x81\x00", 1002, "mask"),
        (b"\x09\x80" + MASK, 1002, "fragmented"),
        (b"\x89\xfe\x00\x7e" + MASK, 1002, "125"),
        (b"\x82\xff" + (LIMIT + 1).to_bytes(8, "big") + MASK, 1009, "70000"),
    ],
)
def test_a_bad_frame_is_named_at_its_head(head: bytes, code: int, words: str) -> None:
    with pytest.raises(FrameError, match=words) as refused:
        read_frame(head, 0, LIMIT, True)
    assert refused.value.close == Close(code, str(refused.value))


@given(parts=st.lists(st.binary(max_size=9), min_size=1, max_size=6))
def test_fragments_make_the_message_that_they_are_pieces_of(parts: list[bytes]) -> None:
    assembler = Assembler(LIMIT)
    for number, part in enumerate(parts):
        frame = Frame(Opcode.CONTINUATION if number else Opcode.BINARY, number == len(parts) - 1, part)
        message = assembler.add(frame)
        assert assembler.is_open is not frame.fin
        assert message == (b"".join(parts) if frame.fin else None)


def test_a_character_may_be_cut_by_a_fragment_but_not_by_the_end() -> None:
    assembler, letter = Assembler(LIMIT), "好".encode()
    assembler.add(Frame(Opcode.TEXT, False, letter[:1]))
    assert assembler.add(Frame(Opcode.CONTINUATION, True, letter[1:])) == "好"
    with pytest.raises(FrameError) as refused:
        assembler.add(Frame(Opcode.TEXT, True, letter[:2]))
    assert refused.value.close.code == Code.INVALID_DATA


def test_fragments_in_disorder_are_refused() -> None:
    with pytest.raises(FrameError, match="continuation of nothing"):
        Assembler(LIMIT).add(Frame(Opcode.CONTINUATION, True, b""))
    assembler = Assembler(LIMIT)
    assembler.add(Frame(Opcode.TEXT, False, b"a"))
    with pytest.raises(FrameError, match="within a fragmented one"):
        assembler.add(Frame(Opcode.TEXT, True, b"b"))


def test_a_message_has_a_limit_of_bytes_and_one_of_fragments() -> None:
    assembler = Assembler(10)
    assembler.add(Frame(Opcode.TEXT, False, b"123456"))
    with pytest.raises(FrameError, match="10 bytes") as refused:
        assembler.add(Frame(Opcode.CONTINUATION, True, b"78901"))
    assert refused.value.close.code == Code.TOO_BIG
    assembler = Assembler(LIMIT)
    for number in range(MOST_FRAGMENTS):
        assembler.add(Frame(Opcode.CONTINUATION if number else Opcode.TEXT, False, b""))
    with pytest.raises(FrameError, match="fragments") as refused:
        assembler.add(Frame(Opcode.CONTINUATION, True, b""))
    assert refused.value.close.code == Code.TOO_BIG


@given(code=st.integers(0, 5100), reason=st.text(max_size=40))
def test_close_frames_say_what_the_reference_says(code: int, reason: str) -> None:
    payload = code.to_bytes(2, "big") + reason.encode()
    try:
        theirs = reference.Close.parse(payload)
        theirs.check()
    except ProtocolError:
        with pytest.raises(FrameError):
            read_close(payload)
        return
    assert read_close(payload) == Close(theirs.code, theirs.reason)
    frame = read_frame(write_close(Close(code, reason)), 0, LIMIT, False)
    assert frame is not None
    assert read_close(frame[0].payload) == Close(code, reason.encode()[:123].decode(errors="ignore"))


def test_a_close_without_a_code_is_1005_both_ways() -> None:
    assert write_close(Close(1005)) == b"\x88\x00"
    assert read_close(b"") == Close(1005)
    with pytest.raises(FrameError, match="one byte"):
        read_close(b"\x03")
    with pytest.raises(FrameError, match="UTF-8"):
        read_close(b"\x03\xe8\xff")
