"""Durations as callers write them: ``"90s"``, ``"30m"``, ``"12h"``, ``"7d"``, or a whole number of seconds."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from gateway.api.faults import bad_request
from protection.protections import MAX_DURATION_S

_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_WRITTEN = re.compile("([1-9][0-9]{0,8})([smhd])")

Duration = (
    Annotated[int, Meta(ge=1, le=int(MAX_DURATION_S), description="Whole seconds.")]
    | Annotated[str, Meta(pattern="^[1-9][0-9]{0,8}[smhd]$", description="A number with its unit: 90s, 30m, 12h, 7d.")]
)


def seconds(duration: Duration, field: str = "duration") -> int:
    """The seconds a duration means; raises `ApiError` (400) naming the field. Longest: 366 days."""
    if isinstance(duration, int):
        length = duration
    else:
        match = _WRITTEN.fullmatch(duration)
        if match is None:
            raise bad_request(f"{field}: {duration!r} is not a duration; write 90s, 30m, 12h or 7d")
        length = int(match[1]) * _UNIT_S[match[2]]
    if not 1 <= length <= MAX_DURATION_S:
        raise bad_request(f"{field}: must be between 1 second and 366 days")
    return length
