"""A rate: how many, in how long."""

from __future__ import annotations

import re

import msgspec

MICROSECONDS = 1_000_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WRITTEN = re.compile(r"(\d+)/(\d*)([smhd])")


class RateError(ValueError):
    """A rate that cannot be read or makes no sense; the fault is the writer's."""


class Rate(msgspec.Struct, frozen=True):
    """``limit`` events in any ``period_s`` seconds; a burst of the whole limit is allowed at once.

    In GCRA's terms the emission interval is ``period / limit`` and the burst tolerance ``period``.
    """

    limit: int
    period_s: int

    def __post_init__(self) -> None:
        """Refuse rates that no arithmetic below could carry."""
        if self.limit < 1 or self.period_s < 1:
            raise RateError(f"a rate needs a limit and a period of at least 1, not {self.limit}/{self.period_s}s")
        if self.limit > self.period_s * MICROSECONDS:
            raise RateError(f"{self.limit}/{self.period_s}s is more than one event a microsecond")

    @classmethod
    def parse(cls, written: str) -> Rate:
        """Read ``"20/10s"``, ``"5/m"``, ``"100/2h"`` or ``"3/d"``; raises `RateError`."""
        match = _WRITTEN.fullmatch(written)
        if match is None:
            raise RateError(f"{written!r} is not a rate; write it as 20/10s, 5/m, 100/h or 3/d")
        return cls(int(match[1]), int(match[2] or 1) * _UNITS[match[3]])

    @property
    def interval_us(self) -> int:
        """The emission interval in microseconds: what one event costs."""
        return self.period_s * MICROSECONDS // self.limit

    @property
    def period_us(self) -> int:
        """The period in microseconds: how far ahead of now the arrival time may run."""
        return self.interval_us * self.limit

    def __str__(self) -> str:
        return f"{self.limit}/{self.period_s}s"
