"""The figures that an evaluation prints, against figures worked out by hand or in the plainest way."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evaluate import figures
from gateway.evaluate.figures import Bin

LABELLED = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=1)


def test_figures_of_a_point() -> None:
    caught = np.array([True, True, False, False, False])
    hostile = np.array([True, False, True, False, False])
    found = figures.point(caught, hostile)
    assert (found.accuracy, found.precision, found.recall, found.fpr) == (0.6, 0.5, 0.5, 0.3333)
    assert found.macro_f1 == round((0.5 + 2 / 3) / 2, 4)


def test_recall_at_a_rate_of_false_alarms() -> None:
    scores = np.array([0.9, 0.5, 0.2, 0.6, 0.1, 0.1, 0.1])
    hostile = np.array([True, True, True, False, False, False, False])
    assert figures.recall_at(scores, hostile, 0.01) == round(1 / 3, 4)  # above the highest fine one
    assert figures.recall_at(scores, hostile, 0.25) == 1.0  # one of four may be


def test_calibration_by_hand() -> None:
    chances = np.array([0.05, 0.05, 0.9, 1.0])
    hostile = np.array([False, True, True, True])
    found = figures.calibration(chances, hostile)
    assert found.bins == [Bin(0.0, 0.1, 2, 0.05, 0.5), Bin(0.9, 1.0, 2, 0.95, 1.0)]
    assert found.ece == round((0.45 + 0.05) / 2, 4)
    assert found.brier == round((0.05**2 + 0.95**2 + 0.1**2) / 4, 4)
    assert found.prior == 0.75


def test_a_prior_weighs_the_rows() -> None:
    """One hostile row of four at half: as if it were there three times."""
    chances, hostile = np.array([0.35, 0.3, 0.3, 0.8]), np.array([True, False, False, False])
    as_often = figures.calibration(np.repeat(chances, [3, 1, 1, 1]), np.repeat(hostile, [3, 1, 1, 1]))
    found = figures.calibration(chances, hostile, prior=0.5)
    assert (found.ece, found.brier, found.prior) == (as_often.ece, as_often.brier, 0.5)
    assert [(one.predicted, one.observed) for one in found.bins] == [
        (one.predicted, one.observed) for one in as_often.bins
    ]
    assert [one.rows for one in found.bins] == [3, 1]


@pytest.mark.parametrize("label", [True, False])
def test_a_prior_cannot_make_rows_that_are_not_there(label: bool) -> None:
    with pytest.raises(ValueError, match="hostile and fine"):
        figures.calibration(np.array([0.5, 0.6]), np.array([label, label]), prior=0.5)


@given(LABELLED)
def test_every_row_is_in_a_bin(rows: list[tuple[float, bool]]) -> None:
    chances, hostile = np.array([one for one, _ in rows]), np.array([label for _, label in rows])
    found = figures.calibration(chances, hostile)
    assert sum(one.rows for one in found.bins) == len(rows)
    assert all(one.low <= one.predicted <= one.high for one in found.bins)
    assert 0 <= found.ece <= 1
    assert 0 <= found.brier <= 1


@given(LABELLED)
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[float, bool]]) -> None:
    ones = [score for score, label in rows if label]
    others = [score for score, label in rows if not label]
    found = figures.auc(np.array([one for one, _ in rows]), np.array([label for _, label in rows]))
    if ones and others:
        pairs = [(one > other) + (one == other) / 2 for one, other in product(ones, others)]
        assert found == pytest.approx(sum(pairs) / len(pairs))
    else:
        assert np.isnan(found)


def test_an_interval_holds_the_figure_and_narrows_with_more_rows() -> None:
    few, many = (np.tile(np.array([0.1, 0.4, 0.3, 0.8, 0.2, 0.9]), times) for times in (5, 50))
    labels = np.array([False, False, True, True, False, True])
    widths = []
    for scores in (few, many):
        positive = np.tile(labels, len(scores) // 6)
        low, high = figures.auc_interval(scores, positive)
        assert low < figures.auc(scores, positive) < high
        assert (low, high) == figures.auc_interval(scores, positive)
        widths.append(high - low)
    assert widths[1] < widths[0] / 2
