"""`shieldwire eval`: how the text verdict does on a labelled file."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from filters.classes import Harm

_HOSTILE = frozenset({"1", "1.0", "true", "yes", "toxic", "off", "hate", "abusive", "offensive", "hateful"})
"""What a label is taken for hostile by where ``--positive`` does not say."""
_USAGE_ERROR = 2


class Point(msgspec.Struct):
    """How one operating point does, in shares.

    Of hostile rows among those that were caught (precision), of caught ones among hostile (recall) and fine (fpr) rows.
    """

    accuracy: float
    macro_f1: float
    precision: float
    recall: float
    fpr: float


class Report(msgspec.Struct):
    """What `eval --json` prints."""

    rows: int
    flag: Point
    refuse: Point
    recall_at_01pct_fpr: float
    recall_at_1pct_fpr: float
    recall_at_5pct_fpr: float
    us_per_message: float
    distress: float
    """The share of rows that raise a support message."""
    per_class: dict[str, dict[str, float]]
    """For each class that was found or, in a file with a column ``class``, that is labelled: what share of the rows
    has it (``found``), of the rows labelled with it the shares flagged and refused."""


def register(commands: Any) -> None:
    """Add the command to the subparsers of `shieldwire`."""
    evaluate = commands.add_parser("eval", help="measure the text verdict on a labelled CSV file")
    evaluate.add_argument("file", type=Path, metavar="FILE.csv")
    evaluate.add_argument("--text", default="text", metavar="C", help="the column with the text")
    evaluate.add_argument("--label", default="label", metavar="C", help="the column with the label")
    evaluate.add_argument(
        "--positive", action="append", metavar="V", help="a label that means hostile; may be repeated"
    )
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        rows = _rows(options)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"shieldwire: {error}\n")
        return _USAGE_ERROR
    report = evaluate(rows)
    if options.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    return 0


class Row(msgspec.Struct):
    """One line of the file."""

    text: str
    hostile: bool
    harm: str = ""


def _rows(options: argparse.Namespace) -> list[Row]:
    positive = frozenset(options.positive) if options.positive else None
    with options.file.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = {options.text, options.label} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{options.file}: no column {', '.join(sorted(missing))}")
        return [
            Row(row[options.text], _is_hostile(row[options.label], positive), row.get("class") or "") for row in reader
        ]


def _is_hostile(label: str, positive: frozenset[str] | None) -> bool:
    return label in positive if positive is not None else label.strip().lower() in _HOSTILE


def evaluate(rows: Sequence[Row]) -> Report:
    """Judge every row as a public message of a nameless sender, by the shipped policy."""
    from protection.events import Event, Kind
    from protection.rules import Rules
    from protection.snapshot import Snapshot
    from protection.verdicts import Disposition

    rules = Rules.shipped()
    rules.reader.warm_up()
    snapshot = Snapshot(now=0.0)
    events = [Event(Kind.CHAT, "", row.text) for row in rows]
    started = time.perf_counter()
    verdicts = [rules.judge(event, snapshot) for event in events]
    seconds = time.perf_counter() - started
    steps = [int(verdict.disposition) for verdict in verdicts]
    hostile = np.array([row.hostile for row in rows], dtype=bool)
    scores = np.array([verdict.score for verdict in verdicts])
    flagged, refused = np.array(steps) >= Disposition.NUDGE, np.array(steps) >= Disposition.MASK
    found = [{hit.harm.value for hit in verdict.hits} for verdict in verdicts]
    return Report(
        rows=len(rows),
        flag=point(flagged, hostile),
        refuse=point(refused, hostile),
        recall_at_01pct_fpr=recall_at(scores, hostile, 0.001),
        recall_at_1pct_fpr=recall_at(scores, hostile, 0.01),
        recall_at_5pct_fpr=recall_at(scores, hostile, 0.05),
        us_per_message=round(1e6 * seconds / max(len(rows), 1), 2),
        distress=_share(np.array([Harm.DISTRESS.value in one for one in found], dtype=bool)),
        per_class={
            harm.value: _of_class(harm.value, rows, found, flagged, refused)
            for harm in Harm
            if any(harm.value in one for one in found) or any(row.harm == harm.value for row in rows)
        },
    )


def _of_class(
    harm: str, rows: Sequence[Row], found: Sequence[set[str]], flagged: NDArray[np.bool_], refused: NDArray[np.bool_]
) -> dict[str, float]:
    labelled = np.array([row.harm == harm for row in rows], dtype=bool)
    return {
        "found": _share(np.array([harm in one for one in found], dtype=bool)),
        "rows": float(labelled.sum()),
        "flag_recall": _share(flagged[labelled]),
        "refuse_recall": _share(refused[labelled]),
    }


def point(caught: NDArray[np.bool_], hostile: NDArray[np.bool_]) -> Point:
    """The figures of one operating point; a share of nothing is 0."""
    hits = int((caught & hostile).sum())
    return Point(
        accuracy=_share(caught == hostile),
        macro_f1=round((_f1(caught, hostile) + _f1(~caught, ~hostile)) / 2, 4),
        precision=_ratio(hits, int(caught.sum())),
        recall=_ratio(hits, int(hostile.sum())),
        fpr=_ratio(int((caught & ~hostile).sum()), int((~hostile).sum())),
    )


def _f1(caught: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    total = int(caught.sum()) + int(wanted.sum())
    return 2 * int((caught & wanted).sum()) / total if total else 0.0


def recall_at(scores: NDArray[np.float64], hostile: NDArray[np.bool_], rate: float) -> float:
    """What share of the hostile scores above all but this share of the fine ones."""
    fine = np.sort(scores[~hostile])[::-1]
    if not len(fine):
        return 0.0
    return _share(scores[hostile] > fine[min(int(rate * len(fine)), len(fine) - 1)])


def _share(chosen: NDArray[np.bool_]) -> float:
    return _ratio(int(chosen.sum()), len(chosen))


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
