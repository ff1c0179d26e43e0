"""The figures that an evaluation prints: pure arithmetic on labels (bool [n]) and scores (float64 [n])."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.bool_]
Scores = NDArray[np.float64]

BINS = 10
RESAMPLES = 2_000
_LOWER, _UPPER = 2.5, 97.5


class Point(msgspec.Struct):
    """How one operating point does, in shares.

    Of hostile rows among those that were caught (precision), of caught ones among hostile (recall) and fine (fpr) rows.
    """

    accuracy: float
    macro_f1: float
    precision: float
    recall: float
    fpr: float


def point(caught: Labels, hostile: Labels) -> Point:
    """The figures of one operating point; a share of nothing is 0."""
    hits = int((caught & hostile).sum())
    return Point(
        accuracy=share(caught == hostile),
        macro_f1=round((_f1(caught, hostile) + _f1(~caught, ~hostile)) / 2, 4),
        precision=_ratio(hits, int(caught.sum())),
        recall=_ratio(hits, int(hostile.sum())),
        fpr=_ratio(int((caught & ~hostile).sum()), int((~hostile).sum())),
    )


def _f1(caught: Labels, wanted: Labels) -> float:
    total = int(caught.sum()) + int(wanted.sum())
    return 2 * int((caught & wanted).sum()) / total if total else 0.0


def recall_at(scores: Scores, hostile: Labels, rate: float) -> float:
    """What share of the hostile scores above all but this share of the fine ones."""
    fine = np.sort(scores[~hostile])[::-1]
    if not len(fine):
        return 0.0
    return share(scores[hostile] > fine[min(int(rate * len(fine)), len(fine) - 1)])


def share(chosen: Labels) -> float:
    """The share of what is true; of nothing, 0."""
    return _ratio(int(chosen.sum()), len(chosen))


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


class Bin(msgspec.Struct):
    """Rows whose predicted chance lies from ``low`` to below ``high`` (the last bin: to 1)."""

    low: float
    high: float
    rows: int
    predicted: float
    """The mean of what was predicted of them."""
    observed: float
    """The share of them that is hostile."""


class Calibration(msgspec.Struct):
    """How far predicted chances can be taken at their word.

    ``ece`` is the expected calibration error: the mean over all rows of how far their bin's observed share is from its
    predicted one (Guo et al., "On Calibration of Modern Neural Networks", 2017; bins of equal width). ``brier`` is the
    mean squared difference of chance and label (Brier, 1950): 0 is perfect, the share times one minus the share is what
    always saying the share itself gets. Bins without rows are left out.
    """

    ece: float
    brier: float
    prior: float
    """The share of hostile rows that the figures are of."""
    bins: list[Bin]


def calibration(chances: Scores, hostile: Labels, prior: float | None = None) -> Calibration:
    """Compare predicted chances (0 to 1) with what is true; at least one row.

    A labelled file has a share of hostile rows of its own, seldom that of real traffic. With ``prior`` the rows are
    weighed so that this share of them is hostile; what hostile and fine rows look like is taken to stay the same.
    Raises ``ValueError`` for a ``prior`` where the labels are all alike: no weight makes another share of them.
    """
    weights = np.ones(len(chances))
    if prior is not None:
        found = hostile.mean()
        if found in (0.0, 1.0):
            raise ValueError("a prior needs hostile and fine rows")
        weights = np.where(hostile, prior / found, (1 - prior) / (1 - found))
    total = weights.sum()
    numbers = np.minimum((chances * BINS).astype(int), BINS - 1)
    bins, ece = [], 0.0
    for number in range(BINS):
        chosen = numbers == number
        if not chosen.any():
            continue
        weight = weights[chosen]
        predicted, observed = (float(np.average(of[chosen], weights=weight)) for of in (chances, hostile))
        ece += float(weight.sum() / total) * abs(predicted - observed)
        low, high = number / BINS, (number + 1) / BINS
        bins.append(Bin(low, high, int(chosen.sum()), round(predicted, 4), round(observed, 4)))
    brier = float(np.average((chances - hostile) ** 2, weights=weights))
    share_of_hostile = float(np.average(hostile, weights=weights))
    return Calibration(round(ece, 4), round(brier, 4), round(share_of_hostile, 4), bins)


def auc(scores: Scores, positive: Labels) -> float:
    """The chance that a positive one scores above another one, ties counting half: the area under the ROC curve.

    By ranks (Mann and Whitney, 1947). Not a number where all labels are alike.
    """
    ones = int(positive.sum())
    others = len(positive) - ones
    if not ones or not others:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * others))


def auc_interval(scores: Scores, positive: Labels, seed: int = 0) -> tuple[float, float]:
    """Between which values 95 of 100 such files would have their `auc`: a percentile bootstrap (Efron, 1979).

    Both classes are drawn from apart, so that each sample has both. The same seed draws the same samples.
    """
    chance = np.random.default_rng(seed)
    classes = np.flatnonzero(positive), np.flatnonzero(~positive)
    found = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([chance.choice(rows, len(rows)) for rows in classes])
        found.append(auc(scores[drawn], positive[drawn]))
    low, high = np.percentile(found, (_LOWER, _UPPER))
    return float(low), float(high)
