"""What the demo's people who sit at no keyboard say, and when: plans, computed without a clock."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import count, cycle
from pathlib import Path

import msgspec

from gateway.demo.seats import REGULARS

DURATION_S = 60.0
"""How long a pile-on lasts."""

FACES = 24
"""Strangers who are active at the same time."""

LINES_EACH = 4
"""What one stranger says before another account takes over: few enough to stay below any flood limit."""

AUDIENCE = (*REGULARS, "passer-eve", "passer-fu", "passer-gao", "passer-hugo")
AUDIENCE_PAUSE_S = 1.3


class Intensity(StrEnum):
    """How hard a crowd comes down."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


RATES = {Intensity.LOW: 3, Intensity.MEDIUM: 8, Intensity.HIGH: 20}
"""Messages per second of the whole crowd."""


class Channel(StrEnum):
    """How something is said."""

    BARRAGE = "barrage"
    COMMENT = "comment"
    DM = "dm"


class Lines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What there is to say; see ``lines.toml``."""

    audience: tuple[str, ...]
    fair: tuple[str, ...]
    abuse: tuple[str, ...]
    disguised: tuple[str, ...]
    direct: tuple[str, ...]

    @classmethod
    def shipped(cls) -> Lines:
        """The lines that come with the demo."""
        return msgspec.toml.decode((Path(__file__).parent / "lines.toml").read_bytes(), type=cls)


class Utterance(msgspec.Struct, frozen=True):
    """Somebody says something, ``at`` seconds after the start."""

    at: float
    account: str
    channel: Channel
    text: str


def pile_on(lines: Lines, intensity: Intensity, duration_s: float = DURATION_S) -> Iterator[Utterance]:
    """The plan of a pile-on.

    Of five messages three are abuse, one is abuse in disguise and one is harmless; every eighth is a comment, and
    every twenty-fifth goes to the streamer alone.
    """
    abuse, fair, disguised, direct = map(cycle, (lines.abuse, lines.fair, lines.disguised, lines.direct))
    turns = cycle((abuse, fair, abuse, disguised, abuse))
    for n in range(int(duration_s * RATES[intensity])):
        generation, face = n // (FACES * LINES_EACH), n % FACES
        if n % 25 == 24:
            channel, text = Channel.DM, next(direct)
        else:
            channel, text = Channel.COMMENT if n % 8 == 7 else Channel.BARRAGE, next(next(turns))
        yield Utterance(n / RATES[intensity], f"stranger-{generation * FACES + face:04}", channel, text)


def quiet_evening(lines: Lines) -> Iterator[Utterance]:
    """The plan of the audience: one barrage after the other, by turns, without end."""
    for n, account, text in zip(count(), cycle(AUDIENCE), cycle(lines.audience), strict=False):
        yield Utterance(n * AUDIENCE_PAUSE_S, account, Channel.BARRAGE, text)
