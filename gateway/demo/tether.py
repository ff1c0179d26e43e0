"""Run a command that dies with its parent: ``python -m gateway.demo.tether PARENT_PID COMMAND ...``.

A parent that is killed cannot stop its children. On Linux the kernel does it instead: the death signal set here with
prctl(2) outlives the exec of the command. Elsewhere the command runs without it, and outlives a killed parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Become the command in ``arguments``, tied to the parent."""
    parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):  # it died before the tether held
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the command is the caller's own


if __name__ == "__main__":
    main(sys.argv[1:])
