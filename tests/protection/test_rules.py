"""The rules in force: the reader and the policy together, with the shipped model."""

from __future__ import annotations

import math

import msgspec
import pytest

from filters.classes import Harm
from filters.model.scoring import Model
from filters.reader import Reader
from filters.thresholds import Threshold
from protection.events import Event, Kind
from protection.policy import Policy, Sensitivity
from protection.risk import Level
from protection.rules import Rules
from protection.snapshot import Snapshot
from protection.verdicts import Disposition

TEXT = "今天的汤很好喝"
LOGIT = Model.shipped().judge(TEXT).hostile
LIKELIEST = Model.shipped().classes(TEXT)[0][0]
NEVER = 99.0


def judged(
    usual: tuple[float, float] = (NEVER, NEVER), kind: Kind = Kind.CHAT, level: Level = Level.CALM, **more: object
) -> Disposition:
    """What becomes of the text, whose class leads to a nudge and a refusal, under thresholds relative to its logit."""
    sensitivity = Sensitivity(Threshold(LOGIT + usual[0], LOGIT + usual[1]), NEVER)
    ladder = (Disposition.NUDGE, Disposition.REJECT, Disposition.REJECT)
    policy = Policy(
        ladders={harm: ladder for harm in Harm if harm is not Harm.DISTRESS},
        sensitivity=msgspec.structs.replace(sensitivity, **more),
    )
    return Rules(Reader.shipped(), policy).judge(Event(kind, "", TEXT), Snapshot(0.0, risk=level)).disposition


@pytest.mark.req("W3", "P4")
def test_the_policy_says_from_where_on_a_text_is_flagged_and_refused() -> None:
    assert judged((0.1, 0.2)) is Disposition.ALLOW
    assert judged((-0.1, 0.1)) is Disposition.NUDGE
    assert judged((-0.2, -0.1)) is Disposition.REJECT


@pytest.mark.req("W3")
def test_a_class_has_a_threshold_of_its_own() -> None:
    own = {LIKELIEST: Threshold(LOGIT - 0.2, LOGIT - 0.1)}
    assert judged(classes=own) is Disposition.REJECT
    assert judged((-0.2, -0.1), classes={LIKELIEST: Threshold(LOGIT - 0.2, NEVER)}) is Disposition.NUDGE


@pytest.mark.req("P3", "P4")
@pytest.mark.parametrize("kind", Kind)
def test_a_kind_shifts_both_points_and_of_that_kind_alone(kind: Kind) -> None:
    found = {other: judged((0.1, 0.3), kind=other, kinds={kind: -0.2}) for other in Kind}
    assert found == {other: Disposition.NUDGE if other is kind else Disposition.ALLOW for other in Kind}
    assert judged((0.1, 0.3), kind=kind, kinds={kind: -0.4}) is Disposition.REJECT


@pytest.mark.req("S4", "W5")
@pytest.mark.parametrize("level", Level)
def test_a_level_of_risk_shifts_them_too_and_the_shifts_add_up(level: Level) -> None:
    found = {other: judged((0.1, NEVER), level=other, levels={level: -0.2}) for other in Level}
    assert found == {other: Disposition.NUDGE if other is level else Disposition.ALLOW for other in Level}
    shifts = {"kinds": {Kind.DM: -0.3}, "levels": {level: 0.1}}
    assert judged((0.1, NEVER), Kind.DM, level, **shifts) is Disposition.NUDGE


def test_nothing_is_shifted_in_the_shipped_set() -> None:
    shipped = Policy()
    for kind in Kind:
        for level in Level:
            assert shipped.thresholds_of(kind, level).usual == Sensitivity.shipped().usual


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_is_no_threshold(number: float) -> None:
    with pytest.raises(ValueError, match=r"no thresholds|above"):
        Sensitivity(Threshold(0, 0), number)
    with pytest.raises(ValueError, match=r"no thresholds|above"):
        Sensitivity(Threshold(0, 0), 0, levels={Level.WATCH: number})
    with pytest.raises(ValueError, match=r"no thresholds|above"):
        Sensitivity(Threshold(number, number), 0)
    with pytest.raises(ValueError, match="distress"):
        Sensitivity(Threshold(0, 0), 0, {Harm.DISTRESS: Threshold(0, 0)})


CRIES = [
    "我可能撑不到天亮了",
    "求求了，谁来拉我一把",
    "我真的不想活了，我就是个没用的人",
    "i can't go on, i just want it to end",
]


@pytest.mark.req("S5")
@pytest.mark.parametrize("text", CRIES)
def test_a_cry_that_the_abuse_head_also_rates_is_delivered_and_helped(text: str) -> None:
    everything = Sensitivity(Threshold(-NEVER, -NEVER), Sensitivity.shipped().distress)
    verdict = Rules(Reader.shipped(), Policy(sensitivity=everything)).judge(Event(Kind.DM, "", text), Snapshot(0.0))
    assert any(hit.view == "model" and hit.harm is not Harm.DISTRESS for hit in verdict.hits)
    assert (verdict.disposition, verdict.support) == (Disposition.ALLOW, True)


@pytest.mark.req("S5", "P4")
@pytest.mark.parametrize("text", ["去死吧", "你去死吧，别活了", "你怎么不去死，我不想活了", "我不想活了，你个傻逼"])
def test_abuse_is_refused_although_the_model_hears_a_cry_in_it(text: str) -> None:
    assert Rules.shipped().judge(Event(Kind.CHAT, "", text), Snapshot(0.0)).disposition is Disposition.REJECT
