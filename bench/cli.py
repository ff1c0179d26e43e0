"""`shieldwire bench NAME`: run one bench, print its report, and say by the exit status whether it keeps its budgets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec

from bench.report import BenchError, budgets_of, report

NAMES = ("fanout", "kernels", "memory", "relay", "state", "state-memory")
BENCHES = {name: f"bench.{name.replace('-', '_')}" for name in NAMES}
"""The module of each bench; its ``measure()`` returns metrics by name, None for one that cannot be measured here."""

MISSED = 1
USAGE_ERROR = 2


def register(commands: Any) -> None:
    """Add the command ``bench`` to the subparsers of ``shieldwire``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "bench", help="measure this deployment; exits with 1 when a budget is missed"
    )
    parser.add_argument("name", choices=sorted(BENCHES), metavar="NAME", help=", ".join(sorted(BENCHES)))
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(run=main)


def main(options: argparse.Namespace) -> int:
    """Run the bench that the options name; returns the exit status."""
    measure: Callable[[], dict[str, float | None]] = import_module(BENCHES[options.name]).measure
    try:
        result = report(options.name, measure(), budgets_of(options.name))
    except BenchError as error:
        sys.stderr.write(f"shieldwire: {error}\n")
        return USAGE_ERROR
    sys.stdout.write((msgspec.json.encode(result).decode() if options.json else result.table()) + "\n")
    return 0 if result.ok else MISSED
