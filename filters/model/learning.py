"""Learning: trainers whose order is an argument, so that the same data make the same model.

`linear` is dual coordinate descent for the L2-regularised L2-loss support vector machine (Hsieh et al., ICML 2008),
`logistic` is Newton's method, `network` is stochastic gradient descent (Adam) for one hidden layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from filters.machine_code import called_from_python

PASSES = 12
"""Of the linear trainer over its examples."""
EPOCHS = 10
"""Of the trainer of networks."""
_RATE = 0.002
_DECAY = 1e-4
_STEPS = 12
"""Of Newton's method."""


class Bags(msgspec.Struct, frozen=True):
    """The buckets of many texts, one after another."""

    ends: NDArray[np.int64]
    """Where each text's buckets begin, and where the last one's end."""
    buckets: NDArray[np.int32]

    @classmethod
    def of(cls, bags: Sequence[NDArray[np.int32]]) -> Bags:
        """Of lists of buckets."""
        ends = np.concatenate([[0], np.cumsum([len(bag) for bag in bags], dtype=np.int64)])
        return cls(ends.astype(np.int64), np.concatenate([*bags, np.zeros(0, dtype=np.int32)]).astype(np.int32))


def linear(
    bags: Bags, hostile: NDArray[np.bool_], cost: NDArray[np.float64], buckets: int, seed: int = 1
) -> tuple[NDArray[np.float64], float]:
    """Weights for the buckets, and a bias. ``cost``: of each example's error (the C of the machine), > 0."""
    texts = len(hostile)
    order = np.concatenate([np.random.default_rng(seed + epoch).permutation(texts) for epoch in range(PASSES)])
    weights = np.zeros(buckets + 1)
    sign = np.where(hostile, 1.0, -1.0)
    _descend(bags.ends, bags.buckets, sign, cost, order, weights, np.zeros(texts))
    return weights[:-1], float(weights[-1])


@called_from_python
def _descend(ends, buckets, sign, cost, order, weights, alpha):  # type: ignore[no-untyped-def]
    bias = len(weights) - 1
    for text in order:
        size = ends[text + 1] - ends[text]
        if size == 0:
            continue
        scale = 1.0 / np.sqrt(float(size))
        slack = 0.5 / cost[text]
        total = 0.0
        for at in range(ends[text], ends[text + 1]):
            total += weights[buckets[at]]
        gradient = sign[text] * (weights[bias] + total * scale) - 1.0 + alpha[text] * slack
        # A bucket that stands there twice makes the square of the length a little more than 2: the step is then short.
        after = max(alpha[text] - gradient / (2.0 + slack), 0.0)
        change = (after - alpha[text]) * sign[text]
        if change != 0.0:
            alpha[text] = after
            for at in range(ends[text], ends[text + 1]):
                weights[buckets[at]] += change * scale
            weights[bias] += change


class Network(msgspec.Struct, frozen=True):
    """One hidden layer of rectified units, one output."""

    hidden: NDArray[np.float64]
    """[inputs, units]"""
    hidden_bias: NDArray[np.float64]
    output: NDArray[np.float64]
    bias: float


def logistic(
    inputs: NDArray[np.float64], wanted: NDArray[np.bool_], cost: NDArray[np.float64], ridge: float
) -> tuple[NDArray[np.float64], float]:
    """Logistic regression by Newton's method: the weights of the inputs, and a bias."""
    centre = (inputs * cost[:, None]).sum(axis=0) / cost.sum()
    spread = inputs.std(axis=0) + 0.05
    rows = np.column_stack([(inputs - centre) / spread, np.ones(len(inputs))])
    penalty = np.full(rows.shape[1], ridge * cost.sum())
    penalty[-1] = 0.0
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-(rows @ weights)))
        slope = (rows * (cost * (wanted - chance))[:, None]).sum(axis=0) - penalty * weights
        curve = np.einsum("ri,rj->ij", rows * (cost * chance * (1 - chance))[:, None], rows) + np.diag(penalty)
        weights = weights + np.linalg.solve(curve + 1e-9 * np.eye(len(curve)), slope)
    plain = weights[:-1] / spread
    return plain, float(weights[-1] - centre @ plain)


def network(
    inputs: NDArray[np.float64], wanted: NDArray[np.bool_], cost: NDArray[np.float64], units: int, seed: int = 1
) -> Network:
    """``cost``: of an error at each example, > 0."""
    chance = np.random.default_rng(seed)
    columns = inputs.shape[1]
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0) + 0.05
    parts = [
        chance.normal(size=(columns, units)) * np.sqrt(2.0 / columns),
        np.zeros((1, units)),
        chance.normal(size=(units, 1)) * np.sqrt(2.0 / units),
        np.zeros((1, 1)),
    ]
    first, second, slopes = ([np.zeros_like(part) for part in parts] for _ in range(3))
    order = np.concatenate([chance.permutation(len(inputs)) for _ in range(EPOCHS)])
    goals = wanted.astype(np.float64)[:, None]
    errors = np.zeros(1)
    _batches(
        (inputs - centre) / spread, goals, cost[:, None], order, *parts, *first, *second, *slopes,
        np.zeros(units), errors, _RATE, _DECAY,
    )  # fmt: skip
    hidden, hidden_bias, output, output_bias = parts
    hidden = hidden / spread[:, None]
    return Network(hidden, hidden_bias[0] - centre @ hidden, output[:, 0], float(output_bias[0, 0]))


_BATCH = 32


@called_from_python
def _adam(part, first, second, gradient, rate, decay, time):  # type: ignore[no-untyped-def]
    right_1 = 1.0 - 0.9**time
    right_2 = 1.0 - 0.999**time
    for row in range(part.shape[0]):
        for column in range(part.shape[1]):
            slope = gradient[row, column]
            first[row, column] = 0.9 * first[row, column] + 0.1 * slope
            second[row, column] = 0.999 * second[row, column] + 0.001 * slope * slope
            step = first[row, column] / right_1 / (np.sqrt(second[row, column] / right_2) + 1e-8)
            part[row, column] -= rate * (step + decay * 100.0 * part[row, column])
            gradient[row, column] = 0.0


@called_from_python
def _batches(  # type: ignore[no-untyped-def]
    inputs, wanted, cost, order, w, b, v, c, w1, b1, v1, c1, w2, b2, v2, c2, dw, db, dv, dc, units, errors, rate, decay
):
    time = 0
    for at in range(len(order)):
        row = order[at]
        for unit in range(w.shape[1]):
            total = b[0, unit]
            for column in range(w.shape[0]):
                total += inputs[row, column] * w[column, unit]
            units[unit] = total
        for output in range(v.shape[1]):
            total = c[0, output]
            for unit in range(w.shape[1]):
                total += max(units[unit], 0.0) * v[unit, output]
            chance = 1.0 / (1.0 + np.exp(-total))
            errors[output] = (chance - wanted[row, output]) * cost[row, output] / _BATCH
            dc[0, output] += errors[output]
        for unit in range(w.shape[1]):
            if units[unit] <= 0.0:
                continue
            back = 0.0
            for output in range(v.shape[1]):
                back += errors[output] * v[unit, output]
                dv[unit, output] += errors[output] * units[unit]
            db[0, unit] += back
            for column in range(w.shape[0]):
                dw[column, unit] += back * inputs[row, column]
        if at % _BATCH == _BATCH - 1:
            time += 1
            progress = at / len(order)
            now = rate * (1.0 - progress) + rate * 0.05
            _adam(w, w1, w2, dw, now, decay, time)
            _adam(b, b1, b2, db, now, 0.0, time)
            _adam(v, v1, v2, dv, now, decay, time)
            _adam(c, c1, c2, dc, now, 0.0, time)
