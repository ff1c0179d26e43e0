"""What the gateway tells a person by itself, on their open sockets (requirements P1, P2; notice 2.1)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Topic(StrEnum):
    """What a notice is about; ``topic`` on the wire."""

    PROTECT = "protect"
    """You may be under attack: this link closes you to strangers."""
    PROTECTION_ENDING = "protection-ending"
    PROTECTION_ENDED = "protection-ended"


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to tell one person. ``at`` (when it came about) and ``until`` (0: none) are unix seconds."""

    topic: Topic
    at: float
    link: str = ""
    until: float = 0.0
