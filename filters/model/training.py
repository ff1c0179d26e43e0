"""Training: from labelled texts to weights.

First the heads: for each a linear model over the grams of one view. Then the combination, which must know how far the
heads are to be trusted on texts that they have not seen: its inputs are made by heads trained without the text's fold.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from filters.classes import Harm
from filters.model import inputs
from filters.model.disguise import disguised
from filters.model.features import Extractor, Features
from filters.model.grams import BITS
from filters.model.learning import Bags, linear, logistic, network
from filters.model.rewriting import HEARD
from filters.model.weights import CLASS_BITS, CLASSES, HEADS, OUTPUTS, Combination, Table, Weights

FOLDS = 4


class Example(msgspec.Struct, frozen=True):
    """One labelled text."""

    text: str
    hostile: bool
    harm: Harm | None
    """What is abusive about it, if that is known; DISTRESS; or None."""
    source: str
    """A name in `SOURCES`, which says what it may teach."""
    key: str = ""
    """Texts with the same key are never in two folds: a respelled text has the key of its original."""
    about: str = ""

    @property
    def fold(self) -> int:
        """Which of FOLDS: by the key's CRC-32."""
        return zlib.crc32((self.key or self.text).encode("utf-8", "surrogatepass")) % FOLDS


class Lesson(msgspec.Struct, frozen=True):
    """What a source teaches a head: how much its hostile and its other examples weigh; 0 is nothing."""

    hostile: float
    fine: float


SOURCES: dict[str, dict[str, Lesson]] = {
    "group": {"group": Lesson(1, 1), "abuse": Lesson(0, 0.2), "distress": Lesson(0.1, 0.1), "danger": Lesson(0.1, 0.1),
              "insult": Lesson(0, 0.04), "criticism": Lesson(0.04, 0.04)},
    "group-respelled": {"group": Lesson(0.5, 0.5)},
    "tweets": {"abuse": Lesson(0, 0.2), "english": Lesson(0.3, 0.5), "distress": Lesson(0.05, 0.1)},
    "comments": {"abuse": Lesson(0, 0.2), "english": Lesson(1, 1)},
    "spans": {"english": Lesson(0.3, 0.3)},
    "contrast": {"abuse": Lesson(0, 0.2), "contrast": Lesson(1, 1), "english": Lesson(0.3, 0.3)},
    "names": {"group": Lesson(0, 2), "english": Lesson(0, 1), "abuse": Lesson(0, 1), "contrast": Lesson(0, 1)},
    "bank": {head: Lesson(1, 1) for head in HEADS},
    "words": {"abuse": Lesson(0.5, 0.5), "english": Lesson(0.5, 0.5), "danger": Lesson(0.5, 0.5),
              "insult": Lesson(0.5, 0.5), "criticism": Lesson(0.5, 0.5), "distress": Lesson(0.5, 0.5)},
}  # fmt: skip
"""By source: groups of people (COLD), the same respelled, tweets, comments, words marked as toxic, sentences told apart
by little (HatemojiBuild), names of groups of people (which are no
abuse by themselves), the sample bank, the lexicon."""

DISGUISED = "group-disguised"
"""The source of what training itself respells: it teaches the combination alone."""
_RESPELLED = 4
"""One in so many of the texts about groups is respelled for it."""

_COST = {"group": 1.0, "contrast": 0.5}
"""Of an error of a head, for a lesson of weight 1."""
_USUAL_COST = 0.3

_DANGER = frozenset({Harm.THREAT, Harm.SELF_HARM, Harm.PRIVACY})
_DIRECT = frozenset({Harm.INSULT, Harm.MOCKERY, Harm.THREAT, Harm.PILE_ON, Harm.SELF_HARM})
_OWN = {"group": Harm.HATRED, "insult": Harm.INSULT}
"""Heads that are for one class."""


def wanted(head: str, one: Example) -> bool:
    """Is the example what the head is for?"""
    if head == "group":
        return one.hostile and (one.harm in (None, Harm.HATRED))
    if head == "distress":
        return one.harm is Harm.DISTRESS
    if head == "danger":
        return one.harm in _DANGER
    if head == "criticism":
        return one.about.startswith(head)
    return one.hostile


def lesson(head: str, one: Example) -> float:
    """The weight of an example for a head."""
    weights = SOURCES.get(one.source, {}).get(head)
    if weights is None:
        return 0.0
    if head in _OWN and one.source in ("bank", "words") and one.hostile and one.harm is not _OWN[head]:
        return 0.0  # of other harm than its own the head says neither
    return weights.hostile if one.hostile else weights.fine


def train(
    examples: Sequence[Example], terms: Callable[[str], float], progress: Callable[[str], None] = lambda _: None
) -> Weights:
    """The weights. ``terms`` is the score of a text by its terms. The same arguments make the same weights."""
    examples = [*examples, *_disguised(examples)]
    extractor = Extractor()
    features = [extractor.of(one.text) for one in examples]
    progress(f"{len(features)} texts read")
    views = [[one.letters for one in features], [one.sounds for one in features]]
    folds = np.array([one.fold for one in examples])
    scores = np.zeros((2, len(examples), len(HEADS)))
    for fold in range(FOLDS):
        tables = _heads(examples, views, folds != fold)
        for view in range(2):
            for number in np.flatnonzero(folds == fold):
                scores[view, number] = tables[view].scores(views[view][number])
        progress(f"fold {fold + 1} of {FOLDS}")
    letters, sounds = _heads(examples, views, np.ones(len(examples), dtype=bool))
    progress("heads")
    rows = np.stack(
        [
            inputs.of(scores[0, number], scores[1, number], one.context, terms(examples[number].text))
            for number, one in enumerate(features)
        ]
    )
    combination = _combined(examples, rows)
    progress("combination")
    return Weights(letters, sounds, _classes(examples, features), combination)


def _disguised(examples: Sequence[Example]) -> list[Example]:
    chance = np.random.default_rng(1)
    chosen = [one for one in examples if one.source == "group"][::_RESPELLED]
    return [Example(disguised(one.text, chance), one.hostile, None, DISGUISED, one.key or one.text) for one in chosen]


def _trust(output: str, one: Example) -> float:
    """What an error at an example costs an output of the combination; 0 where the example says nothing."""
    bank, chinese = one.source == "bank", not one.text.isascii()
    if output == "group":
        if bank and one.hostile:
            return 1.5 if one.harm is Harm.HATRED else 0.0
        if bank:
            return 15.0 if one.about.startswith("criticism") else 3.0
        return {"names": 3.0, "group": 1.0, "group-respelled": 1.5, DISGUISED: 2.5}.get(one.source, 0.0)
    if output == "direct":
        if one.source == "group":
            return 0.0 if one.hostile else 0.25
        if not bank or not chinese:
            return 0.0
        if one.hostile:
            return 1.0 if one.harm in _DIRECT else 0.0
        return 5.0 if one.about.startswith("criticism") else 3.0 if one.harm is Harm.DISTRESS else 1.0
    if output == "chat":
        if bank:
            return 1.0 if chinese else 0.0
        return {"names": 0.1, "group": 0.0 if one.hostile else 0.03}.get(one.source, 0.0)
    if output == "english":
        if bank:
            return 0.0 if chinese else 1.0
        return {"names": 0.1, "tweets": 0.15, "comments": 1.0, "contrast": 0.2}.get(one.source, 0.0)
    return {"tweets": 0.03, "comments": 0.1, "contrast": 0.03, "bank": 1.0, "group": 0.03}.get(one.source, 0.0)


_INPUTS = {
    "group": ("group", "criticism"),
    "direct": ("insult", "criticism"),
    "chat": ("abuse", "insult", "criticism"),
    "english": ("english", "contrast", "abuse"),
    "distress": ("distress", "danger", "abuse"),
}
"""The heads that an output sees of each view."""
_HEARD = frozenset(f"heard {name}" for name in HEARD)
_FORM = frozenset({"size", "digit", "symbol", "latin", "spelled", "ideograph"})
_UNSEEN = {
    "group": frozenset({"terms"}),
    "direct": _FORM,
    "chat": _FORM | _HEARD,
    "english": _FORM | _HEARD,
    "distress": _FORM | _HEARD | {"terms"},
}
"""What of the context an output does not see: sources differ in it for reasons of their own."""
_UNITS = 8
"""Of the network for groups. The other outputs are linear: a network fits their sources better, other texts worse."""
_RIDGE = 0.01


def _combined(examples: Sequence[Example], rows: NDArray[np.float64]) -> Combination:
    """Each output learns by itself, from its own examples and the columns that it sees."""
    first = np.zeros((inputs.count(), _UNITS + len(OUTPUTS) - 1))
    bias = np.zeros(first.shape[1])
    last, last_bias = np.zeros(_UNITS), 0.0
    for number, output in enumerate(OUTPUTS):
        columns = _seen(output)
        cost = np.array([_trust(output, one) for one in examples])
        chosen = np.flatnonzero(cost > 0)
        known = rows[np.ix_(chosen, columns)]
        goals = np.array(
            [
                (examples[n].harm is Harm.DISTRESS) if output == "distress" else examples[n].hostile
                for n in chosen.tolist()
            ]
        )
        if number == 0:
            found = network(known, goals, cost[chosen], _UNITS)
            first[columns, :_UNITS], bias[:_UNITS] = found.hidden, found.hidden_bias
            last, last_bias = found.output, found.bias
        else:
            at = _UNITS + number - 1
            first[columns, at], bias[at] = logistic(known, goals, cost[chosen], _RIDGE)
    return Combination(*(part.astype(np.float32) for part in (first, bias, last, np.array([last_bias]))))


def _seen(output: str) -> NDArray[np.intp]:
    """The columns that an output sees."""
    return np.array(
        [
            number
            for number, name in enumerate(inputs.names())
            if (name.split(".")[1] in _INPUTS[output] if "." in name else name not in _UNSEEN[output])
        ]
    )


def _heads(
    examples: Sequence[Example], views: Sequence[Sequence[NDArray[np.int32]]], seen: NDArray[np.bool_]
) -> list[Table]:
    found = []
    for view in views:
        weights = np.zeros((1 << BITS, len(HEADS)))
        bias = np.zeros(len(HEADS))
        for column, head in enumerate(HEADS):
            cost = np.array([lesson(head, one) for one in examples]) * seen * _COST.get(head, _USUAL_COST)
            chosen = np.flatnonzero(cost > 0).tolist()
            if chosen:
                bags = Bags.of([view[number] for number in chosen])
                hostile = np.array([wanted(head, examples[number]) for number in chosen])
                weights[:, column], bias[column] = linear(bags, hostile, cost[chosen], 1 << BITS)
        found.append(Table.quantised(weights, bias))
    return found


def class_buckets(features: Features) -> NDArray[np.int32]:
    """The buckets of the table of classes: the upper bits of those of both views."""
    return np.concatenate([features.letters, features.sounds]) >> (BITS - CLASS_BITS)


def _classes(examples: Sequence[Example], features: Sequence[Features]) -> Table:
    """One against the rest, among what is abusive and has a class."""
    chosen = [number for number, one in enumerate(examples) if one.hostile and one.harm in CLASSES]
    bags = Bags.of([class_buckets(features[number]) for number in chosen])
    cost = np.full(len(chosen), 1.0)
    weights = np.zeros((1 << CLASS_BITS, len(CLASSES)))
    bias = np.zeros(len(CLASSES))
    for column, harm in enumerate(CLASSES):
        goal = np.array([examples[number].harm is harm for number in chosen])
        if goal.any():
            weights[:, column], bias[column] = linear(bags, goal, cost, 1 << CLASS_BITS)
    return Table.quantised(weights, bias)
