"""`shieldwire eval FILE.csv`, `--sessions POSTS.csv REPOSTS.csv` and `--swaps`."""

from __future__ import annotations

import argparse
import sys
from math import nan
from pathlib import Path
from typing import Any

import msgspec

_USAGE_ERROR = 2


def register(commands: Any) -> None:
    """Add the command to the subparsers of `shieldwire`."""
    evaluate = commands.add_parser("eval", help="measure the text verdict on labelled CSV files")
    what = evaluate.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, metavar="FILE.csv", help="texts, each with its label")
    what.add_argument(
        "--sessions", nargs=2, type=Path, metavar=("POSTS.csv", "REPOSTS.csv"), help="posts, and what was said below"
    )
    what.add_argument("--swaps", action="store_true", help="sentences in which only a group's name is swapped")
    evaluate.add_argument("--text", default="text", metavar="C", help="the column with the text")
    evaluate.add_argument("--label", default="label", metavar="C", help="the column with the label")
    evaluate.add_argument(
        "--positive", action="append", metavar="V", help="a label that means hostile; may be repeated"
    )
    evaluate.add_argument(
        "--prior", type=_share, metavar="P", help="calibration as if this share of the rows were hostile"
    )
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run=_run)


def _share(written: str) -> float:
    try:
        share = float(written)
    except ValueError:
        share = nan
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{written} does not lie between 0 and 1")
    return share


def _run(options: argparse.Namespace) -> int:
    if options.prior is not None and not options.file:
        return _fail("--prior goes with FILE.csv alone")
    measure = _swaps if options.swaps else _threads if options.sessions else _texts
    try:
        report, told = measure(options)
    except ValueError as error:
        return _fail(str(error))
    sys.stdout.write((msgspec.json.encode(report).decode() if options.json else told) + "\n")
    return 0


def _texts(options: argparse.Namespace) -> tuple[object, str]:
    from gateway.evaluate import texts

    rows = texts.read(options.file, options.text, options.label, _positive(options))
    if len({row.hostile for row in rows}) == 1:
        _warn(f"every row is {'hostile' if rows[0].hostile else 'fine'}: figures that need others as well are 0")
    report = texts.evaluate(rows, options.prior)
    return report, texts.table(report)


def _threads(options: argparse.Namespace) -> tuple[object, str]:
    from gateway.evaluate import threads

    found, dropped = threads.read(options.sessions[0], options.sessions[1], options.label, _positive(options))
    report = threads.evaluate(found, dropped)
    return report, threads.table(report)


def _swaps(_: argparse.Namespace) -> tuple[object, str]:
    from gateway.evaluate import swaps

    report = swaps.evaluate()
    return report, swaps.table(report)


def _positive(options: argparse.Namespace) -> frozenset[str] | None:
    return frozenset(label.strip() for label in options.positive) if options.positive else None


def _warn(message: str) -> None:
    sys.stderr.write(f"shieldwire: {message}\n")


def _fail(message: str) -> int:
    _warn(message)
    return _USAGE_ERROR
