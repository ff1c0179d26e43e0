"""What the demo's crowd and audience say, and when: bounded, and below every flood limit."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.plans import AUDIENCE, LINES_EACH, RATES, Channel, Intensity, Lines, pile_on, quiet_evening
from gateway.demo.seats import REGULARS, SEATS
from protection.events import Event, Kind
from protection.policy import Limits
from protection.rules import Rules
from protection.snapshot import Snapshot
from protection.verdicts import Disposition

LINES = Lines.shipped()


@given(intensity=st.sampled_from(Intensity), duration_s=st.floats(0, 120))
def test_a_pile_on_keeps_its_rate_and_ends(intensity: Intensity, duration_s: float) -> None:
    plan = list(pile_on(LINES, intensity, duration_s))
    assert len(plan) == int(duration_s * RATES[intensity])
    assert all(earlier.at < later.at for earlier, later in pairwise(plan))
    assert all(0 <= utterance.at < duration_s for utterance in plan)


@given(intensity=st.sampled_from(Intensity), duration_s=st.floats(0, 120))
def test_it_is_many_accounts_and_none_says_enough_to_be_stopped_for_flooding(
    intensity: Intensity, duration_s: float
) -> None:
    said = Counter(utterance.account for utterance in pile_on(LINES, intensity, duration_s))
    assert all(count <= LINES_EACH < Limits().flood.limit for count in said.values())
    assert not said.keys() & (SEATS.keys() | set(AUDIENCE))


def test_it_comes_by_every_channel_and_is_mostly_abuse() -> None:
    plan = list(pile_on(LINES, Intensity.HIGH))
    assert {utterance.channel for utterance in plan} == set(Channel)
    hostile = {*LINES.abuse, *LINES.disguised, *LINES.direct}
    share = sum(utterance.text in hostile for utterance in plan) / len(plan)
    assert 0.7 < share < 0.9
    assert {utterance.text for utterance in plan} == hostile | set(LINES.fair)


def test_the_audience_speaks_by_turns_and_never_fast_enough_to_be_stopped() -> None:
    plan = list(islice(quiet_evening(LINES), 500))
    limit = Limits().flood
    for account in AUDIENCE:
        times = [utterance.at for utterance in plan if utterance.account == account]
        assert len(times) >= 500 // len(AUDIENCE)
        assert all(later - earlier > limit.period_s / limit.limit for earlier, later in pairwise(times))
    assert set(REGULARS) < set(AUDIENCE)


FLAGGED_WRONGLY = {"别理他们，继续唱", "支持主播，我们都在", "ignore them, keep singing"}
"""What the content model takes for abuse today: its writer is reminded, and may send it all the same."""


def judged(text: str) -> Disposition:
    return Rules.shipped().judge(Event(Kind.BARRAGE, "stranger", text), Snapshot(now=0.0)).disposition


@pytest.mark.req("W3")
def test_no_harmless_line_is_refused_and_none_but_the_known_ones_is_flagged() -> None:
    touched = {text: judged(text) for text in (*LINES.audience, *LINES.fair) if judged(text) is not Disposition.ALLOW}
    assert touched.keys() <= FLAGGED_WRONGLY
    assert set(touched.values()) <= {Disposition.NUDGE}


@pytest.mark.req("P4", "S3")
def test_plain_abuse_is_refused_and_so_is_half_of_what_is_disguised() -> None:
    passed = [text for text in (*LINES.abuse, *LINES.direct) if judged(text) < Disposition.REJECT]
    assert passed == []
    caught = [text for text in LINES.disguised if judged(text) >= Disposition.REJECT]
    assert len(caught) >= len(LINES.disguised) / 2
