"""A person's own rules for direct messages (requirement P3; notice 2.2): who may write to them, when, and how much."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from protection.actions import Action
from protection.circle import CIRCLE, Tie
from ratelimit.rate import Rate

DAY_S = 86_400.0


class Senders(StrEnum):
    """Who may write at all, besides those whom the person has chosen one by one."""

    ANYONE = "anyone"
    VERIFIED = "verified"
    """The circle, and verified accounts."""
    OLDER_THAN = "older-than"
    """The circle, and accounts older than so many days."""
    FOLLOWS = "follows"
    """Friends and those whom the person follows."""
    FRIENDS = "friends"
    NOBODY = "nobody"


_TIES_OF = {
    Senders.FRIENDS: Tie.FRIEND | Tie.CHOSEN,
    Senders.NOBODY: Tie.CHOSEN,
}


class ZoneError(ValueError):
    """A time zone that is none; the fault is of the person who sent it."""


class QuietHours(msgspec.Struct, frozen=True):
    """The hours of each day in which strangers do not write, by the clock on the person's wall.

    ``start`` and ``end`` are minutes after midnight, the end not included; an end at or before the start is on the next
    day. Where the clock is set forward or back, the wall decides: an hour that comes twice is quiet twice.
    """

    start: int
    end: int
    zone: str

    def left_s(self, now: float) -> float:
        """For how long it will stay quiet (seconds); 0 where it is not quiet at ``now`` (unix seconds).

        Where the quiet ends within an hour that the clock skips, the answer is up to that hour too long.
        """
        zone = zone_of(self.zone)
        wall = _wall(now, zone)
        if not self._covers(wall):
            return 0.0
        day = wall.date() if wall.hour * 60 + wall.minute < self.end else wall.date() + timedelta(days=1)
        ends = datetime.combine(day, time(self.end // 60, self.end % 60), zone)
        candidates = [ends.replace(fold=fold).timestamp() for fold in (0, 1)]
        after = [at for at in candidates if at > now and not self._covers(_wall(at, zone))]
        return min(after, default=ends.timestamp()) - now

    def _covers(self, wall: datetime) -> bool:
        minute = wall.hour * 60 + wall.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def _wall(at: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(zone)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name; raises `ZoneError`. Only listed names are looked up: a name is also a file's path."""
    if name not in _zones():
        raise ZoneError(f"{name!r} is no IANA time zone; write one like Asia/Shanghai")
    return ZoneInfo(name)


class Account(msgspec.Struct, frozen=True):
    """What the platform has told about a sender.

    ``created`` is when the account was made (unix seconds; 0: unknown).
    """

    created: float = 0.0
    verified: bool = False


class DmRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person's rules. Those for strangers spare the circle; ``scope`` and ``refuse_all`` may not."""

    per_stranger: Rate | None = None
    """Of one stranger; None: as the policy has it."""
    strangers: Rate | None = None
    """Of all strangers together."""
    quiet: QuietHours | None = None
    scope: Senders = Senders.ANYONE
    older_than_days: int = 0
    """For scope ``older-than``."""
    until_reply: bool = False
    """A stranger may write one message, and more only when the person has written to them."""
    refuse_all: bool = False
    """Nobody may write, the circle neither."""
    action: Action = Action.REFUSE

    @property
    def asks_account(self) -> bool:
        """Whether it depends on what is known of the sender's account."""
        return self.scope in (Senders.VERIFIED, Senders.OLDER_THAN)

    def closed_to_strangers(self, now: float) -> bool:
        """Whether no stranger is let through at ``now``, whatever their account is."""
        closed = self.refuse_all or self.scope in (Senders.FOLLOWS, Senders.FRIENDS, Senders.NOBODY)
        return closed or (self.quiet is not None and self.quiet.left_s(now) > 0)

    def refusal(self, ties: Tie, account: Account, now: float) -> tuple[str, float]:
        """Why a message is kept away for whom it is from and when it comes, and for how long (s); ("", 0): it is not.

        What is unknown of the sender counts against them.
        """
        if self.refuse_all:
            return "dm-closed", 0.0
        if not self.admits(ties, account, now):
            return "dm-scope", 0.0
        if not ties and self.quiet is not None and (left_s := self.quiet.left_s(now)):
            return "dm-quiet", left_s
        return "", 0.0

    def admits(self, ties: Tie, account: Account, now: float) -> bool:
        """Whether the scope holds the sender."""
        if ties & _TIES_OF.get(self.scope, CIRCLE):
            return True
        match self.scope:
            case Senders.ANYONE:
                return True
            case Senders.VERIFIED:
                return account.verified
            case Senders.OLDER_THAN:
                return bool(account.created) and now - account.created > self.older_than_days * DAY_S
            case _:
                return False


MINOR = DmRules(scope=Senders.FOLLOWS)
"""What a minor has who has no rules of their own: no stranger writes to them (requirement P10)."""
