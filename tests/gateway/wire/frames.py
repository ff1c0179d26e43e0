"""The plain reading of a socket read, which the compiled one is held against: frame walker, codec, scanner."""

from __future__ import annotations

import msgspec
import numpy as np

from filters.scanner import Scanner
from gateway.codecs import Codec, Message, MessageError, RequestFields
from gateway.wire.read_kernel import (
    ACCOUNT_START,
    CLEAN,
    END,
    LEAVES,
    PASSES,
    START,
    TEXT_END,
    TEXT_START,
    VERDICT,
    ReadJudge,
)
from gateway.wire.read_plan import ACCOUNTS

FIN, TEXT = 0x80, 0x1


class Frame(msgspec.Struct):
    """One whole frame of RFC 6455, section 5.2, as it lies in a read."""

    start: int
    end: int
    first: int
    masked: bool
    shortest: bool
    payload: bytes

    @property
    def is_plain(self) -> bool:
        return self.first == FIN | TEXT and self.masked and self.shortest


def frame(payload: bytes, mask: bytes = b"\x12\x00\xff\x7a", first: int = FIN | TEXT) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes([first, 0x80 | size])
    elif size <= 0xFFFF:
        head = bytes([first, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


def frames_in(read: bytes, limit: int) -> list[Frame]:
    """All whole frames up to the first that is longer than ``limit``, which takes the rest of the read."""
    frames: list[Frame] = []
    start = 0
    while len(read) - start >= 2:
        first, second = read[start], read[start + 1]
        extra = {126: 2, 127: 8}.get(second & 0x7F, 0)
        body = start + 2 + extra
        if body > len(read):
            break
        length = int.from_bytes(read[start + 2 : body], "big") if extra else second & 0x7F
        shortest = length > {0: -1, 2: 125, 8: 0xFFFF}[extra]
        if length > limit:
            frames.append(Frame(start, len(read), 0, False, shortest, b""))
            break
        mask = read[body : body + 4] if second & 0x80 else bytes(4)
        body += 4 if second & 0x80 else 0
        if body + length > len(read):
            break
        payload = masked(read[body : body + length], mask)
        frames.append(Frame(start, body + length, first, second & 0x80 != 0, shortest, payload))
        start = body + length
    return frames


def check(read: bytes, judge: ReadJudge, codec: Codec, request: RequestFields, scanner: Scanner, limit: int) -> int:
    """Hold the kernel's rows against the plain reading; returns how many frames did not leave."""
    rows = judge.judge(read)
    frames = frames_in(read, limit)[: judge.most_frames]
    assert [(row[START], row[END]) for row in rows.tolist()] == [(frame.start, frame.end) for frame in frames]
    for row, one in zip(rows.tolist(), frames, strict=True):
        if row[VERDICT] != LEAVES:
            check_staying(row, one, judge.scratch, codec, request, scanner)
    return int(np.count_nonzero(rows[:, VERDICT] != LEAVES))


def check_staying(
    row: list[int], one: Frame, scratch: np.ndarray, codec: Codec, request: RequestFields, scanner: Scanner
) -> None:
    assert one.is_plain
    message = decoded(one.payload, codec, request)
    if row[VERDICT] == PASSES:
        assert message is None, one.payload
        return
    assert row[VERDICT] == CLEAN
    assert isinstance(message, Message), (one.payload, message)
    text = scratch[row[TEXT_START] : row[TEXT_END]].tobytes().decode()
    assert text == message.event.text
    assert not scanner.scan(text).hits
    assert not message.token
    assert not message.event.mentions
    for column, field in enumerate(ACCOUNTS):
        start, end = row[ACCOUNT_START + 2 * column : ACCOUNT_START + 2 * column + 2]
        if start >= 0:
            assert scratch[start:end].tobytes().decode() == getattr(message.event, field), (field, one.payload)
        else:
            assert getattr(message.event, field) in ("", request.identity, *request.path.values()), (field, one.payload)


def decoded(payload: bytes, codec: Codec, request: RequestFields) -> Message | MessageError | None:
    try:
        return codec.decode(payload.decode(), request)
    except UnicodeDecodeError:
        return MessageError("invalid-utf-8", "the server refuses it")
    except MessageError as error:
        return error
