"""Labelled texts: how the text verdict does on them, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from filters.classes import Harm
from filters.hits import Hit
from filters.model.scoring import Model, chance
from gateway import tables
from gateway.evaluate.figures import Calibration, Labels, Point, Scores, calibration, point, recall_at, share
from gateway.evaluate.judging import Judged, judge

HOSTILE = frozenset({"1", "1.0", "true", "yes", "toxic", "off", "hate", "abusive", "offensive", "hateful"})
"""What a label is taken for hostile by, in any case, where ``--positive`` does not say."""
CLASS = "class"
"""The column, where a file has it, that says which class of harm a text is of."""


class Row(msgspec.Struct):
    """One labelled text."""

    text: str
    hostile: bool
    harm: str = ""


class ClassFigures(msgspec.Struct, omit_defaults=True):
    """What becomes of one class of harm. A share of nothing is 0."""

    found: float
    """The share of all rows in which it is found."""
    hostile: float
    """Of the rows in which it is found, the share that is labelled hostile, of whatever class."""
    rows: int
    """How many rows are labelled with it."""
    flag_recall: float
    refuse_recall: float
    """Of the rows labelled with it, the shares flagged and refused, for whatever class."""
    calibration: Calibration | None = None
    """Where rows are labelled with it: is the chance right that a text is hostile *and* of this class?"""


class Report(msgspec.Struct):
    """What `eval --json` prints."""

    rows: int
    hostile: int
    """How many of the rows are labelled hostile."""
    flag: Point
    refuse: Point
    recall_at_01pct_fpr: float
    recall_at_1pct_fpr: float
    recall_at_5pct_fpr: float
    us_per_message: float
    distress: float
    """The share of rows that raise a support message."""
    calibration: Calibration
    """Of the score, taken as the chance that a text is hostile."""
    per_class: dict[str, ClassFigures]
    """Each class that is found in a row or that a row is labelled with."""


def read(path: Path, text: str, label: str, positive: frozenset[str] | None) -> list[Row]:
    """The rows of a file, by the names of its columns and its hostile labels. Raises `tables.TableError`.

    White space around a label is no part of it. The labels in ``positive`` count as they are written; without them,
    `HOSTILE` says.
    """
    return [
        Row(line.cells[text], is_hostile(line.cells[label], positive), line.cells.get(CLASS, "").strip())
        for line in tables.read(path, (text, label))
    ]


def is_hostile(label: str, positive: frozenset[str] | None, usual: frozenset[str] = HOSTILE) -> bool:
    """Does a label say that a row is hostile?"""
    label = label.strip()
    return label.lower() in usual if positive is None else label in positive


def evaluate(rows: Sequence[Row], prior: float | None = None) -> Report:
    """Judge every row. ``prior``: see `calibration`; raises ``ValueError`` as it does."""
    judged = judge([row.text for row in rows])
    hostile = np.array([row.hostile for row in rows], dtype=bool)
    scores, flagged, refused = judged.scores, judged.flagged, judged.refused
    found = {harm: np.array([_has(verdict.hits, harm) for verdict in judged.verdicts], dtype=bool) for harm in Harm}
    return Report(
        rows=len(rows),
        hostile=int(hostile.sum()),
        flag=point(flagged, hostile),
        refuse=point(refused, hostile),
        recall_at_01pct_fpr=recall_at(scores, hostile, 0.001),
        recall_at_1pct_fpr=recall_at(scores, hostile, 0.01),
        recall_at_5pct_fpr=recall_at(scores, hostile, 0.05),
        us_per_message=judged.us_per_message,
        distress=share(found[Harm.DISTRESS]),
        calibration=calibration(scores, hostile, prior),
        per_class=dict(_by_class(rows, judged, hostile, found)),
    )


def _has(hits: Sequence[Hit], harm: Harm) -> bool:
    return any(hit.harm is harm for hit in hits)


def _by_class(
    rows: Sequence[Row], judged: Judged, hostile: Labels, found: Mapping[Harm, Labels]
) -> Iterator[tuple[str, ClassFigures]]:
    labelled = {harm: np.array([row.harm == harm for row in rows], dtype=bool) for harm in Harm}
    chances = _class_chances(rows, judged) if any(one.any() for one in labelled.values()) else {}
    for harm in Harm:
        own = labelled[harm]
        if own.any() or found[harm].any():
            yield (
                harm.value,
                ClassFigures(
                    found=share(found[harm]),
                    hostile=share(hostile[found[harm]]),
                    rows=int(own.sum()),
                    flag_recall=share(judged.flagged[own]),
                    refuse_recall=share(judged.refused[own]),
                    calibration=calibration(chances[harm], own) if own.any() else None,
                ),
            )


def _class_chances(rows: Sequence[Row], judged: Judged) -> dict[Harm, Scores]:
    """How likely each text is of each class: hostile, and if it is, of that class. Distress has a chance of its own."""
    model = Model.shipped()
    found = {harm: np.zeros(len(rows)) for harm in Harm}
    for number, (row, verdict) in enumerate(zip(rows, judged.verdicts, strict=True)):
        for harm, of_hostile in model.classes(row.text):
            found[harm][number] = verdict.score * of_hostile
        found[Harm.DISTRESS][number] = chance(model.judge(row.text).distress)
    return found


def table(report: Report) -> str:
    """The report, to be read."""
    lines = [f"{report.rows:,} rows, {report.hostile:,} of them hostile; {report.us_per_message} us per message", ""]
    lines.append(f"{'':8}{'accuracy':>10}{'macro-F1':>10}{'precision':>11}{'recall':>8}{'false alarms':>14}")
    for name, at in (("flag", report.flag), ("refuse", report.refuse)):
        figures = f"{at.accuracy:>10.3f}{at.macro_f1:>10.3f}{at.precision:>11.3f}{at.recall:>8.3f}{at.fpr:>14.4f}"
        lines.append(f"{name:8}{figures}")
    rates = (report.recall_at_01pct_fpr, report.recall_at_1pct_fpr, report.recall_at_5pct_fpr)
    at_rates = ", ".join(f"{rate:.3f}" for rate in rates)
    lines += [f"recall at 0.1, 1, 5 % false alarms: {at_rates}; support messages: {report.distress:.3f}", ""]
    lines += [*_calibration_lines("is it hostile?", report.calibration), ""]
    lines.append(f"{'class':12}{'found in':>9}{'of these hostile':>18}{'labelled':>10}{'flagged':>9}{'refused':>9}")
    for name, one in report.per_class.items():
        recalls = f"{one.flag_recall:>9.3f}{one.refuse_recall:>9.3f}" if one.rows else f"{'-':>9}{'-':>9}"
        lines.append(f"{name:12}{one.found:>9.3f}{one.hostile:>18.3f}{one.rows:>10,}{recalls}")
    for name, one in report.per_class.items():
        if one.calibration:
            lines += ["", *_calibration_lines(f"is it {name}?", one.calibration)]
    return "\n".join(lines)


def _calibration_lines(question: str, found: Calibration) -> Iterator[str]:
    yield f"{question} ECE {found.ece:.3f}, Brier {found.brier:.3f} where {100 * found.prior:.1f} % are"
    yield f"{'chance':>10}{'predicted':>11}{'observed':>10}{'rows':>9}"
    for one in found.bins:
        yield f"{one.low:>5.1f} -{one.high:>3.1f}{one.predicted:>11.3f}{one.observed:>10.3f}{one.rows:>9,}"
