"""One-key protection over time: its reminder, its end, and the settings that come back (requirement P1)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protection.notices import Notice, Topic
from protection.protections import DAY_S, DEFAULT_DURATION_S, ONE_KEY, REMINDER_S, Protection, Switch

pytestmark = pytest.mark.req("P1")

NOW = 1_800_000_000.0
HOUR_S = 3_600.0
DMS = frozenset({Switch.DM})


def settings(lasting_s: float) -> Protection:
    """Switches that somebody has closed one by one."""
    return Protection.lasting(DMS, NOW, lasting_s)


def one_key(lasting_s: float = DEFAULT_DURATION_S) -> Protection:
    return Protection.lasting(ONE_KEY, NOW, lasting_s, "one-key")


def test_a_week_is_reminded_of_half_a_day_before_its_end_and_half_a_day_is_not() -> None:
    assert one_key().remind_at == NOW + 7 * DAY_S - 12 * HOUR_S
    assert one_key(REMINDER_S).remind_at == 0
    assert one_key(REMINDER_S).due == NOW + REMINDER_S


def test_a_reminder_is_due_once_and_then_the_end() -> None:
    week = one_key()
    assert week.lapse(week.remind_at - 1) is None
    due = week.lapse(week.remind_at)
    assert due is not None
    reminded, told = due
    assert told == Notice(Topic.PROTECTION_ENDING, week.remind_at, until=week.until)
    assert reminded is not None
    assert (reminded.kinds, reminded.until, reminded.due) == (week.kinds, week.until, week.until)
    assert reminded.lapse(week.until - 1) is None
    assert reminded.lapse(week.until) == (None, Notice(Topic.PROTECTION_ENDED, week.until, until=week.until))


def test_an_end_that_came_while_nobody_looked_is_not_reminded_of_any_more() -> None:
    due = one_key().lapse(NOW + 30 * DAY_S)
    assert due is not None
    assert (due[0], due[1].topic) == (None, Topic.PROTECTION_ENDED)


def test_the_settings_that_a_preset_covers_are_in_force_again_when_it_ends() -> None:
    before = settings(30 * DAY_S)
    covered = one_key().over(before, NOW + 1)
    assert covered.at(NOW + 2).kinds == ONE_KEY
    assert covered.at(covered.until) == before
    due = covered.lapse(covered.until)
    assert due is not None
    assert due[0] == before
    assert covered.ended(NOW + 2) == before, "also when its person ends it early"


def test_a_preset_extended_by_another_still_ends_in_the_persons_own_settings() -> None:
    before = settings(30 * DAY_S)
    extended = one_key(14 * DAY_S).over(one_key().over(before, NOW), NOW + DAY_S)
    assert extended.former == before
    assert one_key(14 * DAY_S).over(one_key(), NOW + DAY_S).former is None, "a preset does not come back"


def test_settings_that_have_ended_do_not_come_back() -> None:
    assert one_key().over(settings(HOUR_S), NOW + HOUR_S).former is None
    covered = one_key().over(settings(HOUR_S), NOW)
    assert covered.ended(covered.until) is None
    assert not covered.at(covered.until).active(covered.until)


def test_switches_closed_one_by_one_lie_over_nothing() -> None:
    assert settings(HOUR_S).over(one_key(), NOW).former is None
    assert settings(HOUR_S).ended(NOW) is None


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 400_000), st.integers(0, 300_000)), min_size=1, max_size=6),
    st.integers(0, 2_000_000),
)
def test_what_counts_is_the_same_whether_or_not_anybody_cleared_up(
    engaged: list[tuple[bool, int, int]], later: int
) -> None:
    """Any chain of presets and settings: the one record, and the one that lapses have been carried out on, agree."""
    kept: Protection | None = None
    cleared: Protection | None = None
    now = NOW
    for preset, lasting_s, pause_s in engaged:
        fresh = Protection.lasting(ONE_KEY if preset else DMS, now, lasting_s, "one-key" if preset else "")
        kept, cleared = fresh.over(kept and kept.at(now), now), fresh.over(cleared, now)
        now += pause_s
        while cleared is not None and (due := cleared.lapse(now)) is not None:
            cleared = due[0]
    end = now + later
    while cleared is not None and (due := cleared.lapse(end)) is not None:
        cleared = due[0]
    in_force = kept.at(end) if kept is not None else None
    counted = in_force.kinds if in_force is not None and in_force.active(end) else frozenset()
    assert counted == (cleared.at(end).kinds if cleared is not None else frozenset())


def test_what_was_kept_by_an_older_version_is_read() -> None:
    read = msgspec.json.decode(b'{"kinds":["dm"],"until":1.5,"preset":""}', type=Protection)
    assert read == Protection(DMS, 1.5)
