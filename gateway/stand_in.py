"""What stands in for the platform's answer to a hidden message that is not forwarded (requirements P5, S1)."""

from __future__ import annotations

import random
import re
from collections import deque
from email.utils import formatdate
from uuid import UUID

import msgspec

from gateway.codecs import Message
from gateway.routes import PLACEHOLDER, Hide

LONGEST_PAUSE_S = 5.0
_SAMPLES = 64


class StandIn(msgspec.Struct, frozen=True):
    """The platform's own words, as ``[route.hide]`` has them, about one message."""

    hide: Hide
    message: Message
    payload: str
    """What would have been forwarded."""
    plain: bool = False
    """Whether parts stand in the answer as they are, not as JSON."""

    def body(self, now: float, uuid: UUID) -> str:
        """The answer; ``now`` is unix seconds, ``uuid`` whatever the message has no number for."""
        event = self.message.event
        parts: dict[str, str | int | None] = {
            "id": self.message.id,
            "text": event.text,
            "sender": event.sender,
            "target": event.target,
            "room": event.room,
            "time": int(now),
            "uuid": str(uuid),
        }

        def fill(found: re.Match[str]) -> str:
            name = found[1]
            if name == "payload":
                return self.payload
            part = parts[name]
            if self.plain:
                return "" if part is None else str(part)
            return msgspec.json.encode(part).decode()

        return PLACEHOLDER.sub(fill, self.hide.answer)

    def headers(self, length: int, now: float) -> list[tuple[bytes, bytes]]:
        """The headers of the answer over HTTP, for a body of so many bytes."""
        named = {"content-type": "application/json", "date": formatdate(now, usegmt=True)}
        named |= {name.lower(): value for name, value in self.hide.headers.items()}
        named["content-length"] = str(length)
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]


class Pace:
    """How long a platform takes for its answers of late: a stand-in that came at once would tell."""

    def __init__(self) -> None:
        self._taken: deque[float] = deque(maxlen=_SAMPLES)

    def note(self, seconds: float) -> None:
        """An answer of the platform took so long."""
        self._taken.append(min(seconds, LONGEST_PAUSE_S))

    def draw(self, randomness: random.Random) -> float:
        """One of the last times, in seconds; 0 while none is known."""
        return randomness.choice(self._taken) if self._taken else 0.0
