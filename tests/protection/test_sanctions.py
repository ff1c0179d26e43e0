"""Measures against accounts: what each keeps away, and until when (requirement D2)."""

from __future__ import annotations

import pytest

from filters.hits import Scan
from protection.events import Event, Kind
from protection.pipeline import decide
from protection.policy import Policy
from protection.sanctions import MEASURE_RULES, Measure, Sanction
from protection.snapshot import Snapshot
from protection.verdicts import Disposition

pytestmark = pytest.mark.req("D2")

NOW = 1_800_000_000.0


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("measure", "reason", "disposition"),
    [
        (Measure.MUTE, "muted", Disposition.REJECT),
        (Measure.SUSPEND_DM, "dm-suspended", Disposition.REJECT),
        (Measure.CLOSE, "account-closed", Disposition.DISCONNECT),
    ],
)
def test_each_measure_keeps_away_its_own_until_it_ends(
    kind: Kind, measure: Measure, reason: str, disposition: Disposition
) -> None:
    sanction = Sanction(measure, NOW + 30, "abuse", "mod")
    event = Event(kind, "troll", "hello", target="victim", room="r")
    concerned = measure is not Measure.SUSPEND_DM or kind is Kind.DM
    verdict = decide(event, Snapshot(NOW, sanctions=(sanction,)), Scan(), Policy())
    expected = (disposition, reason, 30.0) if concerned else (Disposition.ALLOW, "", 0.0)
    assert (verdict.disposition, verdict.reason, verdict.retry_after) == expected
    later = decide(event, Snapshot(NOW + 30, sanctions=(sanction,)), Scan(), Policy())
    assert later.disposition is Disposition.ALLOW


def test_only_a_closed_account_is_shut_out() -> None:
    assert set(MEASURE_RULES) == set(Measure)
    for measure in Measure:
        sanction = Sanction(measure, NOW + 30, "abuse", "mod")
        assert sanction.shuts_out(NOW) == (measure is Measure.CLOSE)
        assert not sanction.shuts_out(NOW + 30)
