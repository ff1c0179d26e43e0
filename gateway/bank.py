"""`shieldwire bank import`: from what moderators and appeals have decided to a platform's own sample bank."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from filters import samples
from gateway import tables
from gateway.private_file import write_private
from protection.own_bank import COLUMNS, GIVEN, Fault, Merged, OwnSample, decided, merge, stored, written

FAULTY = 1
"""Exit status: rows have faults, and nothing has changed."""
USAGE_ERROR = 2


class Rejected(ValueError):
    """Rows that are not what they should be; the fault is their writer's. ``faults``: each with its file and line."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def register(commands: Any) -> None:
    """Add the command to the subparsers of `shieldwire`."""
    bank = commands.add_parser("bank", help="the platform's own sample bank")
    actions = bank.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("import", help="add what moderators and appeals have decided")
    add.add_argument("file", type=Path, metavar="FILE", help=f"CSV or JSON lines with {', '.join(GIVEN)}")
    add.add_argument("--out", type=Path, required=True, metavar="FILE", help="the bank, a CSV file; made if need be")
    add.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        merged, revision = import_decisions(options.file, options.out)
    except Rejected as rejected:
        sys.stderr.write(f"{rejected}\n{len(rejected.faults)} fault(s); nothing has changed\n")
        return FAULTY
    except (OSError, ValueError) as error:
        sys.stderr.write(f"shieldwire: {error}\n")
        return USAGE_ERROR
    for refused in merged.refused:
        sys.stderr.write(f"{refused}\n")
    done = f"{merged.added:,} added, {merged.anew:,} decided anew, {merged.known:,} known already"
    sys.stdout.write(f"OK: {done}, {len(merged.refused):,} refused\n")
    sys.stdout.write(f"{options.out}: revision {revision}, {len(merged.samples):,} samples\n")
    return 0


def read(path: Path) -> list[OwnSample]:
    """The samples of an own bank: of a file, or of the ``*.csv`` files of a folder in the order of their names.

    Raises `Rejected` with every fault, `tables.TableError` for a file that is no table.
    """
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    found: list[OwnSample] = []
    faults = []
    for file in files:
        for line in tables.read(file, COLUMNS):
            try:
                found.append(stored(line.cells))
            except Fault as fault:
                faults.append(f"{file}:{line.number}: {fault}")
    if faults:
        raise Rejected(faults)
    return found


def import_decisions(file: Path, out: Path) -> tuple[Merged, int]:
    """Add the decisions of a file to the bank ``out``, which is written whole or not at all; and its revision then.

    Doing it again changes nothing. Raises what `read` raises, for either file, and ``OSError``.
    """
    lines = _decisions(file)
    with _alone(out):
        bank = read(out) if out.exists() else []
        revision = max((one.revision for one in bank), default=0)
        merged = merge(bank, _shipped(), _decided(file, lines, revision + 1))
        if merged.changed:
            write_private(out, written(merged.samples))
            revision += 1
    return merged, revision


def _shipped() -> Iterator[tuple[str, str]]:
    for number, pinned in enumerate(samples.load(), start=1):
        yield pinned.text, f"row {number} of the shipped samples.csv"
    for number, one in enumerate(samples.bank(), start=1):
        yield one.text, f"row {number} of the shipped bank"


def _decisions(file: Path) -> list[tables.Line]:
    if file.suffix == ".csv":
        return tables.read(file, GIVEN)
    if file.suffix == ".jsonl":
        return _json_lines(file)
    raise tables.TableError(f"{file}: the name must end with .csv or .jsonl")


def _json_lines(file: Path) -> list[tables.Line]:
    found, faults = [], []
    for number, line in enumerate(tables.read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            cells = msgspec.json.decode(line, type=dict[str, Any])
            said = msgspec.convert({name: cells[name] for name in GIVEN if name in cells}, dict[str, str | None])
        except (msgspec.DecodeError, RecursionError) as error:
            faults.append(f"{file}:{number}: {error}")
            continue
        if missing := [name for name in GIVEN if name not in said]:
            faults.append(f"{file}:{number}: no {', '.join(missing)}")
        found.append(tables.Line(number, {name: value or "" for name, value in said.items()}))
    if faults:
        raise Rejected(faults)
    if not found:
        raise tables.TableError(f"{file}: no decisions")
    return found


def _decided(file: Path, lines: Sequence[tables.Line], revision: int) -> list[OwnSample]:
    found, faults = [], []
    for line in lines:
        try:
            found.append(decided(line.cells, f"{file.name}:{line.number}", revision))
        except Fault as fault:
            faults.append(f"{file}:{line.number}: {fault}")
    if faults:
        raise Rejected(faults)
    return found


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Let one import at a time change a folder's banks: two at once would each lose what the other adds."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
