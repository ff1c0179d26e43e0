"""`shieldwire train`: from labelled files to the file of weights."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from pathlib import Path
from typing import Any

_USAGE_ERROR = 2


def register(commands: Any) -> None:
    """Add the command to the subparsers of `shieldwire`."""
    train = commands.add_parser("train", help="train the content model; the same data make the same file")
    train.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder with the data sets")
    train.add_argument("--out", type=Path, required=True, metavar="FILE")
    train.add_argument(
        "--without", action="append", default=[], metavar="NAME", help='leave a file of the folder out, or "bank"'
    )
    train.add_argument(
        "--bank", type=Path, action="append", default=[], metavar="FILE", help="an own sample bank; may be repeated"
    )
    train.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from filters.model.training import train
    from filters.scanner import Scanner
    from gateway.datasets import load

    started = time.perf_counter()

    def progress(done: str) -> None:
        sys.stderr.write(f"{time.perf_counter() - started:6.1f} s  {done}\n")

    scanner = Scanner.shipped()
    try:
        examples = load(options.data, options.without, options.bank)
        content = train(examples, lambda text: scanner.scan_terms(text).score, progress).to_bytes()
        options.out.write_bytes(content)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"shieldwire: {error}\n")
        return _USAGE_ERROR
    sys.stdout.write(f"{hashlib.sha256(content).hexdigest()}  {options.out} ({len(content):,} bytes)\n")
    return 0
