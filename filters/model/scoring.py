"""Scoring: the whole model in one call for a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import exp
from types import FunctionType
from typing import Any, cast

import msgspec
import numpy as np
from numba import float32, float64, int8, int64, types, uint8
from numpy.typing import NDArray

from filters import machine_code
from filters.classes import Harm
from filters.machine_code import called, inlined
from filters.model import inputs
from filters.model.features import (
    CONTEXT,
    GRAMS,
    LONGEST,
    MOST_GRAMS,
    SCRATCH,
    TABLES,
    Extractor,
    context_size,
    tables,
)
from filters.model.grams import (
    DIGITS,
    IDEOGRAPHS,
    LATINS,
    SIZE,
    SPELLED,
    SYMBOLS,
    bucket_of,
    letter_grams,
    read,
    sound_grams,
)
from filters.model.inputs import (
    AT_CONTEXT,
    AT_GROUP,
    AT_SOUNDS,
    CHAT,
    CHAT_ASIDE,
    DIRECT,
    DIRECT_ASIDE,
    ENGLISH,
    ENGLISH_GROUP,
    GROUP_ASIDE,
    LATIN_HEADS,
    MOST,
    PINYIN,
)
from filters.model.training import class_buckets
from filters.model.weights import CLASSES, HEADS, Weights

_WEIGHTS = types.Array(int8, 2, "C", readonly=True)
_ROW = types.Array(float32, 1, "C", readonly=True)
_MATRIX = types.Array(float32, 2, "C", readonly=True)
MODEL = types.Tuple((_WEIGHTS, _ROW, _ROW, _WEIGHTS, _ROW, _ROW, _MATRIX, _ROW, _ROW, _ROW))  # type: ignore[no-untyped-call]
Room = tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64], NDArray[np.float64]]
ROOM = SCRATCH, GRAMS, CONTEXT, types.Array(float64, 1, "C")
"""The types of a `Room`."""
DISTRESS = inputs.count()
"""Where in the last of them `score` leaves the logit of distress."""
_LATIN = tuple(HEADS.index(head) for head in LATIN_HEADS)


class Judgement(msgspec.Struct, frozen=True):
    """What the model says of a text: logits, of which `chance` makes probabilities."""

    hostile: float
    distress: float


NOTHING = Judgement(-20.0, -20.0)
"""Of a text without letters."""


def chance(logit: float) -> float:
    """The probability that a logit stands for."""
    return 1.0 / (1.0 + exp(-logit)) if logit >= 0 else exp(logit) / (1.0 + exp(logit))


class Model:
    """Scores texts. Owns its scratch: one for each thread."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._score: Callable[..., float] = machine_code.entry_point(cast(FunctionType, score), _signature())
        each = weights.letters, weights.sounds
        tuples = [(one.weights, one.scale, one.bias) for one in each]
        last = weights.combination
        self._model = (*tuples[0], *tuples[1], last.first, last.first_bias, last.last, last.last_bias)
        self._scratch, self._grams, self._context, self._numbers = self.room()
        self._extractor = Extractor()

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What `score` reads, of the type `MODEL`: for a kernel that judges many texts in one call."""
        return self._model

    def room(self) -> Room:
        """What `score` works in: one for each thread."""
        return (
            np.zeros((LONGEST + 8, 4), dtype=np.int64),
            np.zeros(MOST_GRAMS, dtype=np.uint64),
            np.zeros(context_size(), dtype=np.int64),
            np.zeros(DISTRESS + len(self.weights.combination.first_bias) + 1, dtype=np.float64),
        )

    @classmethod
    @cache
    def shipped(cls) -> Model:
        """The model in the package."""
        return cls(Weights.shipped())

    def judge(self, text: str, terms: float = 0.0) -> Judgement:
        """Judge a text whose terms have that score (``Scan.score`` of the scanner)."""
        return self.judge_utf8(text.encode("utf-8", "surrogatepass"), terms)

    def judge_utf8(self, utf8: bytes, terms: float = 0.0) -> Judgement:
        """The same for an encoded text."""
        numbers = self._numbers
        end = min(len(utf8), LONGEST)
        hostile = self._score(
            tables(), self._model, utf8, end, terms, self._scratch, self._grams, self._context, numbers
        )
        return Judgement(hostile, float(numbers[DISTRESS]))

    def classes(self, text: str) -> list[tuple[Harm, float]]:
        """The classes of abuse and how likely each is if the text is abusive, the likeliest first: a softmax."""
        scores = self.weights.classes.scores(class_buckets(self._extractor.of(text)))
        powers = np.exp(2.0 * (scores - scores.max()))
        shares = powers / powers.sum()
        return sorted(zip(CLASSES, shares.tolist(), strict=True), key=lambda one: -one[1])

    def strongest(self, text: str) -> tuple[int, int]:
        """Where the clause begins and ends, in code points, that the model rates highest."""
        best = (-99.0, 0, len(text))
        for start, end in clauses(text):
            best = max(best, (self.judge(text[start:end]).hostile, start, end))
        return best[1], best[2]


_ENDS = frozenset("，。！？；,.!?;\n…~ ")


def clauses(text: str) -> Sequence[tuple[int, int]]:
    """The clauses of a text that have at least two code points."""
    found, start = [], 0
    for place, char in enumerate(text + "\n"):
        if char in _ENDS and (char not in " ." or place - start > 8):
            if place - start >= 2:
                found.append((start, place))
            start = place + 1
    return found or [(0, len(text))]


def _signature() -> Any:
    text = types.Bytes(uint8, 1, "C")
    return float64(TABLES, MODEL, text, int64, float64, *ROOM)


@inlined
def _sum(weights, scale, bias, grams, count, numbers, first):  # type: ignore[no-untyped-def]
    a = b = c = d = e = f = g = h = int64(0)  # one for each of HEADS, in registers
    for number in range(count):
        bucket = bucket_of(grams[number])
        a += weights[bucket, 0]
        b += weights[bucket, 1]
        c += weights[bucket, 2]
        d += weights[bucket, 3]
        e += weights[bucket, 4]
        f += weights[bucket, 5]
        g += weights[bucket, 6]
        h += weights[bucket, 7]
    share = 1.0 / np.sqrt(float64(max(count, 1)))
    for head, total in enumerate((a, b, c, d, e, f, g, h)):
        numbers[first + head] = float64(bias[head]) + float64(scale[head]) * total * share


def score(tables, model, utf8, end, terms, scratch, grams, context, numbers):  # type: ignore[no-untyped-def]
    """The logit of hostility of the first ``end`` bytes of a text; that of distress is left in ``numbers``."""
    alphabet, spelling, meanings, gate = tables
    size, heard = read(alphabet, spelling, meanings, gate, utf8, end, scratch, context)
    count = letter_grams(scratch, size, grams)
    _sum(model[0], model[1], model[2], grams, count, numbers, 0)
    count = sound_grams(scratch, heard, grams)
    _sum(model[3], model[4], model[5], grams, count, numbers, AT_SOUNDS)
    return _combine(model, terms, context, numbers)


@called
def _combine(model, terms, context, numbers):  # type: ignore[no-untyped-def]
    """`filters.model.inputs` and `Combination.logits`. Behind the inputs: distress, and scratch."""
    length = len(context)
    most = float64(max(context[SIZE], 1))
    latin, spelled = context[LATINS], context[SPELLED]
    english = latin >= context[IDEOGRAPHS] and (spelled < PINYIN or 4 * spelled <= 3 * latin)
    if not english:
        for head in _LATIN:
            numbers[head] = numbers[AT_SOUNDS + head] = 0.0
    for at in range(length):
        numbers[AT_CONTEXT + at] = float64(min(context[at], MOST)) / MOST
    numbers[AT_CONTEXT + SIZE] = np.log1p(most) / 4
    numbers[AT_CONTEXT + LATINS] = context[LATINS] / most
    numbers[AT_CONTEXT + SPELLED] = context[SPELLED] / most
    numbers[AT_CONTEXT + IDEOGRAPHS] = context[IDEOGRAPHS] / most
    numbers[AT_CONTEXT + DIGITS] = context[DIGITS] / most
    numbers[AT_CONTEXT + SYMBOLS] = context[SYMBOLS] / most
    numbers[AT_CONTEXT + length] = terms
    first, first_bias, last, last_bias = model[6], model[7], model[8], model[9]
    count, units = first.shape[0], len(last)
    sums = numbers[count + 1 :]
    for at in range(len(first_bias)):
        sums[at] = first_bias[at]
    for at in range(count):
        number = numbers[at]
        if number != 0.0:  # most of the context is not there
            for unit in range(first.shape[1]):
                sums[unit] += number * first[at, unit]
    group = float64(last_bias[0])
    for unit in range(units):
        group += max(sums[unit], 0.0) * last[unit]
    direct, chat, in_english, distress = sums[units], sums[units + 1], sums[units + 2], sums[units + 3]
    numbers[count] = distress
    if english:
        return in_english - (ENGLISH_GROUP if context[length + 1 + AT_GROUP] > 0 else ENGLISH)
    if context[length - 1] > 0:
        direct -= DIRECT_ASIDE
        chat -= CHAT_ASIDE
    else:
        group -= GROUP_ASIDE
    return np.log(np.exp(group) + np.exp(direct - DIRECT) + np.exp(chat - CHAT))
