"""WebSocket frames (RFC 6455, sections 5 and 7), from bytes to messages and back. Pure: no sockets, no clock.

`read_frame` takes one whole frame out of a buffer, `Assembler` puts fragments together, `write_frame` is the way back.
Whatever breaks the protocol, or a limit, is a `FrameError` that carries the close code to answer it with.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

CONTROL_LENGTH = 125
"""Bytes that a control frame may carry (section 5.5)."""
MOST_FRAGMENTS = 4096
"""Of one message. Nobody writes as many: they would cost a frame's work for a byte of text."""

_FIN = 0x80
_RESERVED = 0x70
_OPCODE = 0x0F
_MASKED = 0x80
_LENGTH_16, _LENGTH_64 = 126, 127
_NO_STATUS = 1005
_UNSENDABLE = frozenset((1004, 1005, 1006, 1015))


class Opcode(IntEnum):
    """What a frame is (section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Code(IntEnum):
    """Close codes that an endpoint answers bad frames with (section 7.4.1)."""

    PROTOCOL_ERROR = 1002
    INVALID_DATA = 1007
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011


class Close(msgspec.Struct, frozen=True):
    """How a socket ends: section 7.4. Codes from 4000 on are this gateway's own."""

    code: int
    reason: str = ""


class FrameError(ValueError):
    """The peer broke the protocol, or a limit; the fault is the peer's. ``close`` is what it is told."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.close = Close(code, reason)


class Head(msgspec.Struct, frozen=True):
    """The beginning of a frame: all that stands before its payload."""

    first: int
    """The first byte: FIN, the reserved bits, the opcode."""
    masked: bool
    size: int
    """Bytes of the head itself, the mask included."""
    length: int
    """Bytes of the payload."""


class Frame(msgspec.Struct, frozen=True):
    """One frame, unmasked."""

    opcode: Opcode
    fin: bool
    payload: bytes


def read_head(data: bytes | bytearray, at: int = 0) -> Head | None:
    """The head that begins at ``at``; None while it is not all there. Raises `FrameError`."""
    if len(data) - at < 2:
        return None
    first, second = data[at], data[at + 1]
    extra = {_LENGTH_16: 2, _LENGTH_64: 8}.get(second & ~_MASKED, 0)
    masked = second & _MASKED != 0
    size = 2 + extra + 4 * masked
    if len(data) - at < size:
        return None
    length = int.from_bytes(data[at + 2 : at + 2 + extra], "big") if extra else second & ~_MASKED
    if length >> 63:
        raise FrameError(Code.PROTOCOL_ERROR, "a length has its highest bit set")
    return Head(first, masked, size, length)


def bytes_needed(data: bytes | bytearray, at: int = 0) -> int:
    """How many bytes the frame that begins at ``at`` has, as far as that can be told: at least what its head needs.

    Raises `FrameError`.
    """
    head = read_head(data, at)
    if head is not None:
        return head.size + head.length
    if len(data) - at < 2:
        return 2
    second = data[at + 1]
    return 2 + {_LENGTH_16: 2, _LENGTH_64: 8}.get(second & ~_MASKED, 0) + 4 * (second & _MASKED != 0)


def read_frame(data: bytes, at: int, limit: int, masked: bool) -> tuple[Frame, int] | None:
    """The frame that begins at ``at``, and where it ends; None while it is not all there. Raises `FrameError`.

    ``limit`` is the longest payload, in bytes; ``masked`` says whether the peer has to mask (a client must, a server
    must not: section 5.1). A frame that breaks a rule is refused as soon as its head is there.
    """
    head = read_head(data, at)
    if head is None:
        return None
    _check(head, limit, masked)
    start = at + head.size
    end = start + head.length
    if end > len(data):
        return None
    payload = data[start:end]
    if masked:
        payload = apply_mask(payload, data[start - 4 : start])
    return Frame(Opcode(head.first & _OPCODE), head.first & _FIN != 0, payload), end


def write_frame(opcode: Opcode, payload: bytes, mask: bytes = b"") -> bytes:
    """One whole frame; ``mask`` is four bytes nobody could foresee (section 10.3), or empty on a server's side."""
    length, second = len(payload), _MASKED if mask else 0
    if length < _LENGTH_16:
        head = bytes((_FIN | opcode, second | length))
    elif length <= 0xFFFF:
        head = bytes((_FIN | opcode, second | _LENGTH_16)) + length.to_bytes(2, "big")
    else:
        head = bytes((_FIN | opcode, second | _LENGTH_64)) + length.to_bytes(8, "big")
    return head + mask + apply_mask(payload, mask) if mask else head + payload


def write_close(close: Close, mask: bytes = b"") -> bytes:
    """A Close frame; without a payload where the code may not be sent (1005: "no code")."""
    if close.code in _UNSENDABLE:
        return write_frame(Opcode.CLOSE, b"", mask)
    reason = close.reason.encode()[: CONTROL_LENGTH - 2].decode(errors="ignore").encode()
    return write_frame(Opcode.CLOSE, close.code.to_bytes(2, "big") + reason, mask)


def read_close(payload: bytes) -> Close:
    """What a Close frame says; code 1005 where it says nothing. Raises `FrameError` (section 5.5.1)."""
    if not payload:
        return Close(_NO_STATUS)
    if len(payload) == 1:
        raise FrameError(Code.PROTOCOL_ERROR, "a close frame has one byte")
    code = int.from_bytes(payload[:2], "big")
    if not (1000 <= code <= 1014 or 3000 <= code <= 4999) or code in _UNSENDABLE:
        raise FrameError(Code.PROTOCOL_ERROR, "a close code that may not be sent")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError as error:
        raise FrameError(Code.INVALID_DATA, "a close reason is not UTF-8") from error


def apply_mask(payload: bytes, mask: bytes) -> bytes:
    """The payload masked, or unmasked again (section 5.3)."""
    length = len(payload)
    repeated = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")


class Assembler:
    """Puts the data frames of one direction together to messages (section 5.4)."""

    __slots__ = ("_limit", "_opcode", "_parts", "_size")

    def __init__(self, limit: int) -> None:
        """``limit``: bytes that one message may have."""
        self._limit = limit
        self._opcode: Opcode | None = None
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_open(self) -> bool:
        """Whether fragments are waiting for the rest of their message."""
        return self._opcode is not None

    def add(self, frame: Frame) -> str | bytes | None:
        """Take a data frame; returns the message that it completes, text as ``str``. Raises `FrameError`."""
        if frame.opcode is Opcode.CONTINUATION:
            if self._opcode is None:
                raise FrameError(Code.PROTOCOL_ERROR, "a continuation of nothing")
        elif self._opcode is not None:
            raise FrameError(Code.PROTOCOL_ERROR, "a new message within a fragmented one")
        else:
            self._opcode = frame.opcode
        self._parts.append(frame.payload)
        self._size += len(frame.payload)
        if self._size > self._limit:
            raise FrameError(Code.TOO_BIG, f"a message may have {self._limit} bytes")
        if len(self._parts) > MOST_FRAGMENTS:
            raise FrameError(Code.TOO_BIG, f"a message may have {MOST_FRAGMENTS} fragments")
        if not frame.fin:
            return None
        payload = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        opcode, self._opcode, self._parts, self._size = self._opcode, None, [], 0
        if opcode is Opcode.BINARY:
            return payload
        try:
            return payload.decode()
        except UnicodeDecodeError as error:
            raise FrameError(Code.INVALID_DATA, "a text message is not UTF-8") from error


def _check(head: Head, limit: int, masked: bool) -> None:
    opcode = head.first & _OPCODE
    if head.first & _RESERVED:
        raise FrameError(Code.PROTOCOL_ERROR, "reserved bits are set, and no extension was agreed on")
    if opcode not in Opcode.__members__.values():
        raise FrameError(Code.PROTOCOL_ERROR, f"there is no opcode {opcode}")
    if head.masked != masked:
        raise FrameError(Code.PROTOCOL_ERROR, "a client must mask its frames, a server must not")
    if opcode >= Opcode.CLOSE:
        if not head.first & _FIN:
            raise FrameError(Code.PROTOCOL_ERROR, "a control frame is fragmented")
        if head.length > CONTROL_LENGTH:
            raise FrameError(Code.PROTOCOL_ERROR, f"a control frame may have {CONTROL_LENGTH} bytes")
    if head.length > limit:
        raise FrameError(Code.TOO_BIG, f"a message may have {limit} bytes")
