"""`shieldwire eval --swaps`, and what the shipped verdict makes of a group's name alone."""

from __future__ import annotations

import json

import pytest

from gateway.evaluate import swaps
from gateway.evaluate.swaps import Compared, Said
from protection.verdicts import Disposition
from tests.gateway.command import shieldwire

pytestmark = pytest.mark.req("W3")

COMPARED = swaps.compare()
NEUTRAL = [one for one in COMPARED if one.frame.tone == "neutral"]


@pytest.mark.parametrize("one", NEUTRAL, ids=[one.frame.sentence for one in NEUTRAL])
def test_a_groups_name_alone_flags_no_neutral_sentence(one: Compared) -> None:
    assert [said.text for said in one.crossing(Disposition.NUDGE)] == []


def test_no_neutral_sentence_is_refused_for_a_name() -> None:
    assert [said.text for one in NEUTRAL for said in one.crossing(Disposition.MASK)] == []


def test_a_sentence_that_is_flagged_anyway_is_not_crossed() -> None:
    frame = COMPARED[0].frame
    fine, flagged = (Said("x", "y", 0.5, step) for step in (Disposition.ALLOW, Disposition.NUDGE))
    assert Compared(frame, fine, (fine, flagged)).crossing(Disposition.NUDGE) == [flagged]
    assert Compared(frame, fine, (fine, flagged)).crossing(Disposition.MASK) == []
    assert Compared(frame, flagged, (fine, flagged)).crossing(Disposition.NUDGE) == []


def test_the_report_adds_up() -> None:
    done = shieldwire("eval", "--swaps", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["sentences"] == sum(len(one.named) for one in COMPARED)
    assert len(report["crossings"]) == sum(one["crossing_flag"] for one in report["groups"])
    for one in report["groups"]:
        assert 0 <= one["spread_mean"] <= one["spread_max"] <= 1
        assert sum(one["words"].values()) == pytest.approx(0, abs=0.01)
    crossed = {one["text"] for one in report["crossings"]}
    assert crossed == {said.text for one in COMPARED for said in one.crossing(Disposition.NUDGE)}
    told = shieldwire("eval", "--swaps").stdout
    assert [text for text in crossed if text not in told] == []
