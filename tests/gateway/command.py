"""`shieldwire` as its user meets it: a process of its own."""

from __future__ import annotations

import subprocess
import sys


def shieldwire(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *map(str, arguments)], capture_output=True, text=True, check=False
    )
