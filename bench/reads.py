"""Socket reads as a busy client makes them: masked WebSocket frames of one route's JSON messages."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from bench.corpus import Message
from gateway.routes import Fields, Route
from protection.events import Kind

ROUTE = Route(
    path="/ws",
    upstream="ws://127.0.0.1:9000/ws",
    codec="json",
    kind=Kind.BARRAGE,
    match={"type": "barrage"},
    fields=Fields(id="id", text="text", sender="user", target="@room.owner", room="room", mentions="at"),
)
"""The route of the example configuration."""

_TEXT_FRAME = 0x81
_MASKED = 0x80


def payload(number: int, message: Message) -> bytes:
    """A message as JSON: 150 bytes for 27 Chinese characters."""
    return msgspec.json.encode(
        {"type": "barrage", "id": number, "user": message.account, "room": "room-17", "text": message.text}
    )


def reads(messages: Sequence[Message], per_read: int) -> list[bytes]:
    """The messages in reads of so many frames each; every frame has a mask of its own."""
    draw = random.Random("masks")  # noqa: S311 - no secret
    frames = [_frame(payload(number, message), draw.randbytes(4)) for number, message in enumerate(messages)]
    return [b"".join(frames[first : first + per_read]) for first in range(0, len(frames), per_read)]


def _frame(content: bytes, mask: bytes) -> bytes:
    """RFC 6455, section 5.2, for payloads of up to 64 KiB."""
    size = len(content)
    length = bytes([_MASKED | size]) if size < 126 else bytes([_MASKED | 126]) + size.to_bytes(2, "big")
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))
    return bytes([_TEXT_FRAME]) + length + mask + masked
