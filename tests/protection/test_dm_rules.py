"""A person's rules for direct messages: who, when, how much (requirements P3, P10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.hits import Scan
from protection.actions import Action
from protection.circle import STRANGER, Tie, kinds_of
from protection.dm_rules import DAY_S, MINOR, Account, DmRules, QuietHours, Senders, ZoneError, zone_of
from protection.events import Event, Kind
from protection.pipeline import decide
from protection.policy import Policy
from protection.snapshot import Charge, Concerned, Role, Scope, Snapshot
from protection.verdicts import Disposition, Signal
from ratelimit.gcra import Allowance

pytestmark = pytest.mark.req("P3")

NOW = 1_800_000_000.0
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
HOUR_S = 3600


def at(written: str, zone: str) -> float:
    """The unix time of a moment on a wall."""
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).timestamp()


def hours(start: str, end: str, zone: str = "Asia/Shanghai") -> QuietHours:
    (a, b), (c, d) = (map(int, clock.split(":")) for clock in (start, end))
    return QuietHours(a * 60 + b, c * 60 + d, zone)


@pytest.mark.parametrize(
    ("moment", "left_s"),
    [
        ("21:59:59", 0),
        ("22:00", 9 * HOUR_S),
        ("23:30", 7.5 * HOUR_S),
        ("00:00", 7 * HOUR_S),
        ("06:59:59", 1),
        ("07:00", 0),
    ],
)
def test_quiet_hours_run_over_midnight_and_say_how_long_they_last(moment: str, left_s: float) -> None:
    assert hours("22:00", "07:00").left_s(at(f"2026-11-22 {moment}", "Asia/Shanghai")) == left_s


def test_the_hours_are_those_of_the_persons_zone() -> None:
    night = hours("22:00", "07:00", "America/New_York")
    assert night.left_s(at("2026-11-22 23:00", "America/New_York"))
    assert not night.left_s(at("2026-11-22 23:00", "Asia/Shanghai"))


@pytest.mark.parametrize(
    ("moment", "left_s"),
    [
        ("2026-03-29 01:59:59+01:00", 4 * HOUR_S + 1),  # the clock goes from 2:00 to 3:00: an hour less to wait
        ("2026-03-28 23:00:00+01:00", 7 * HOUR_S),
        ("2026-10-25 01:00:00+02:00", 7 * HOUR_S),  # and from 3:00 back to 2:00: an hour more
        ("2026-10-25 06:59:59+01:00", 1),
        ("2026-10-25 07:00:00+01:00", 0),
    ],
)
def test_the_wall_decides_when_the_clock_changes(moment: str, left_s: float) -> None:
    assert hours("22:00", "07:00", "Europe/Berlin").left_s(datetime.fromisoformat(moment).timestamp()) == left_s


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    quiet = hours("02:00", "02:30", "Europe/Berlin")
    for offset in ("+02:00", "+01:00"):
        assert quiet.left_s(datetime.fromisoformat(f"2026-10-25 02:15:00{offset}").timestamp()) == 15 * 60
    assert not quiet.left_s(datetime.fromisoformat("2026-10-25 02:45:00+02:00").timestamp())


@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
    moment=st.integers(1_735_689_600, 1_830_297_600).map(float),
)
def test_it_is_quiet_while_the_wall_says_so_and_not_when_the_wait_is_over(
    zone: str, start: int, end: int, moment: float
) -> None:
    """Against counting minutes on the wall, one by one."""
    if start == end:
        return
    quiet = QuietHours(start, end, zone)

    def on_the_wall(time_s: float) -> bool:
        wall = datetime.fromtimestamp(time_s, ZoneInfo(zone))
        minute, covered = wall.hour * 60 + wall.minute, set[int]()
        while (start + len(covered)) % 1440 != end:
            covered.add((start + len(covered)) % 1440)
        return minute in covered

    left_s = quiet.left_s(moment)
    assert (left_s > 0) == on_the_wall(moment)
    assert 0 <= left_s <= timedelta(hours=26).total_seconds()
    assert not on_the_wall(moment + left_s)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "asia/shanghai", "../../etc/passwd", "/etc/localtime", "Asia", "\0", "Asia/Shanghai "]
)
def test_a_zone_that_is_none_is_refused_and_no_path_is_followed(name: str) -> None:
    with pytest.raises(ZoneError, match="is no IANA time zone"):
        zone_of(name)


OLD, NEW = Account(created=NOW - 31 * DAY_S), Account(created=NOW - 29 * DAY_S)
VERIFIED = Account(verified=True)
TIES = (STRANGER, Tie.FRIEND, Tie.FOLLOWED, Tie.CHOSEN)


@pytest.mark.parametrize(
    ("scope", "admitted"),
    [
        (Senders.ANYONE, (True, True, True, True)),
        (Senders.VERIFIED, (False, True, True, True)),
        (Senders.OLDER_THAN, (False, True, True, True)),
        (Senders.FOLLOWS, (False, True, True, True)),
        (Senders.FRIENDS, (False, True, False, True)),
        (Senders.NOBODY, (False, False, False, True)),
    ],
)
def test_each_scope_admits_its_own_and_whom_the_person_has_chosen(scope: Senders, admitted: tuple[bool, ...]) -> None:
    rules = DmRules(scope=scope, older_than_days=30)
    assert tuple(rules.admits(ties, NEW, NOW) for ties in TIES) == admitted
    assert not any(DmRules(scope=scope, refuse_all=True).refusal(ties, OLD, NOW)[0] != "dm-closed" for ties in TIES)


def test_what_is_unknown_of_an_account_counts_against_it() -> None:
    verified, older = DmRules(scope=Senders.VERIFIED), DmRules(scope=Senders.OLDER_THAN, older_than_days=30)
    assert [verified.admits(STRANGER, account, NOW) for account in (Account(), OLD, VERIFIED)] == [False, False, True]
    assert [older.admits(STRANGER, account, NOW) for account in (Account(), NEW, OLD, VERIFIED)] == [
        False,
        False,
        True,
        False,
    ]
    assert not older.admits(STRANGER, Account(created=NOW - 30 * DAY_S), NOW)


@given(
    rules=st.builds(
        DmRules,
        quiet=st.none() | st.just(QuietHours(0, 720, "Asia/Shanghai")),
        scope=st.sampled_from(Senders),
        older_than_days=st.just(30),
        refuse_all=st.booleans(),
    ),
    account=st.sampled_from([Account(), OLD, NEW, VERIFIED]),
    now=st.floats(NOW, NOW + DAY_S),
)
def test_who_is_let_through_to_the_limits_may_pass_and_who_is_not_could_not(
    rules: DmRules, account: Account, now: float
) -> None:
    """A stranger is not charged exactly where no account would help them."""
    if rules.closed_to_strangers(now):
        assert rules.refusal(STRANGER, account, now)[0]
    else:
        best = Account(created=1.0, verified=True)
        assert not rules.refusal(STRANGER, best, now)[0]


def judged(rules: DmRules, ties: Tie = STRANGER, kind: Kind = Kind.DM, **state: object) -> tuple[Signal, ...]:
    event = Event(kind, "sender", "hello", target="victim")
    snapshot = Snapshot(NOW, concerned=(Concerned("victim", Role.TARGET, ties=ties, dm_rules=rules),), **state)  # type: ignore[arg-type]
    return decide(event, snapshot, Scan(), Policy()).signals


@pytest.mark.parametrize("action", Action)
def test_what_is_kept_away_is_refused_or_hidden_as_the_person_wants_it(action: Action) -> None:
    disposition = Disposition.HIDE if action is Action.HIDE else Disposition.REJECT
    assert judged(DmRules(scope=Senders.FRIENDS, action=action)) == (Signal("dm", "dm-scope", disposition),)
    full = Charge(Scope.STRANGERS, Allowance(False, 0, 2_000_000), action)
    assert judged(DmRules(action=action), charges=(full,)) == (Signal("rate", "strangers-dm", disposition, 2.0),)


def test_the_rules_are_of_direct_messages_alone() -> None:
    closed = DmRules(refuse_all=True)
    assert judged(closed, Tie.FRIEND) == (Signal("dm", "dm-closed", Disposition.REJECT),)
    for kind in set(Kind) - {Kind.DM}:
        assert judged(closed, kind=kind) == ()


def test_quiet_hours_spare_the_circle_and_say_when_to_come_back() -> None:
    wall = datetime.fromtimestamp(NOW, ZoneInfo("Asia/Shanghai"))
    minute = wall.hour * 60 + wall.minute
    rules = DmRules(quiet=QuietHours(minute, (minute + 60) % 1440, "Asia/Shanghai"))
    (signal,) = judged(rules)
    assert signal.reason == "dm-quiet"
    assert HOUR_S - 60 < signal.retry_after <= HOUR_S
    assert judged(rules, Tie.FOLLOWED) == ()


@pytest.mark.req("P10")
def test_no_stranger_writes_to_a_minor_and_the_circle_does() -> None:
    assert judged(MINOR) == (Signal("dm", "dm-scope", Disposition.REJECT),)
    for ties in (Tie.FRIEND, Tie.FOLLOWED, Tie.CHOSEN):
        assert judged(MINOR, ties) == ()


@pytest.mark.req("P6")
def test_kinds_have_the_names_of_the_api() -> None:
    assert kinds_of(STRANGER) == ()
    assert kinds_of(Tie.FRIEND | Tie.CHOSEN) == ("friends", "chosen")
