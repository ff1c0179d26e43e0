"""How far a crowd has turned on a person or a room (requirements W4, W5)."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """The level of risk, rising. What says it, the risk model, is not built: it is CALM everywhere until then."""

    CALM = "calm"
    WATCH = "watch"
    WARNING = "warning"
    EMERGENCY = "emergency"
