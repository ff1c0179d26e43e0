"""`shieldwire` as its user meets it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from gateway.cli import main

Done = subprocess.CompletedProcess[str]


def in_a_process(*arguments: object) -> Done:
    """Run one command to its end, in a process of its own."""
    command = [sys.executable, "-m", "gateway.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def shieldwire(*arguments: object) -> Done:
    """The same in this process, where what it reads is warm: a second less for each."""
    out, err = StringIO(), StringIO()
    given = list(map(str, arguments))
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(given)
        except SystemExit as left:  # argparse leaves so
            status = int(left.code or 0)
    return subprocess.CompletedProcess(given, status, out.getvalue(), err.getvalue())
