"""The sample bank (requirement W2): many lines, none like another."""

from __future__ import annotations

import pytest

from filters import samples
from filters.classes import Harm
from filters.near_duplicates import NearDuplicates
from gateway.evaluate import Row, evaluate

BANK = samples.bank()
KINDS = {"chat", "comment", "barrage", "dm", "forward"}

pytestmark = pytest.mark.req("W2")


def test_it_is_large_enough() -> None:
    assert sum(sample.abusive for sample in BANK) >= 3000
    assert sum(not sample.abusive for sample in BANK) >= 1500
    assert {sample.harm for sample in BANK} - {None} == set(Harm)


def test_kinds_and_lengths() -> None:
    assert {sample.kind for sample in BANK} <= KINDS
    assert [sample.text for sample in BANK if not 2 <= len(sample.text) <= 300 or "\n" in sample.text] == []


def test_no_line_is_nearly_another() -> None:
    index = NearDuplicates()
    alike = []
    for sample in BANK:
        other = index.find(sample.text)
        if other is not None:
            alike.append((BANK[other].text, sample.text))
        index.add(sample.text)
    assert alike == []


def shares(chosen: list[samples.BankSample]) -> tuple[float, float]:
    """What share of the lines is flagged, and refused."""
    report = evaluate([Row(sample.text, True) for sample in chosen])
    return report.flag.recall, report.refuse.recall


@pytest.mark.req("W3", "S5")
def test_a_change_that_judges_the_bank_worse_is_told() -> None:
    """The shipped weights have seen these lines: the bounds are a gate for changes, and no measure of quality."""
    fine = [sample for sample in BANK if not sample.abusive]
    flagged, _ = shares([sample for sample in BANK if sample.abusive])
    assert flagged >= 0.5
    criticism = shares([sample for sample in fine if sample.about.startswith("criticism")])
    assert criticism[0] <= 0.05
    assert criticism[1] <= 0.006
    assert shares([sample for sample in fine if sample.about == "anti-bias"])[1] <= 0.02
    assert shares([sample for sample in fine if sample.harm is Harm.DISTRESS]) == (0.0, 0.0)
