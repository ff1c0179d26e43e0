"""Where the process keeps what it compiled for the next one (``filters.machine_code``)."""

from __future__ import annotations

import os
from pathlib import Path

from filters import machine_code


def keep_machine_code() -> None:
    """Keep machine code where this user's caches are: ``$XDG_CACHE_HOME``, or ``~/.cache``; or nowhere, if neither is.

    The XDG Base Directory Specification, version 0.8.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if os.path.isabs(home):
        machine_code.keep_in(Path(home) / "shieldwire")
