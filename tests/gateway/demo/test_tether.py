"""A tethered command does not outlive a parent that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.gateway.demo.running import ended

DEADLINE_S = 20.0
TETHER = [sys.executable, "-m", "gateway.demo.tether"]
LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a death signal (prctl)")

# A parent that starts a tethered child, tells its process id and waits to be killed. The child says when it runs.
PARENT = """
import os, subprocess, sys
child = [sys.executable, "-c", "import time; print('running', flush=True); time.sleep(60)"]
tethered = [sys.executable, "-m", "gateway.demo.tether", str(os.getpid()), *child]
process = subprocess.Popen(tethered, stdout=subprocess.PIPE, start_new_session=True)
process.stdout.readline()
print(process.pid, flush=True)
process.wait()
"""


@LINUX_ONLY
def test_a_killed_parent_takes_the_command_with_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not ended(child, within_s=0)
        parent.kill()
    gone = ended(child)
    if not gone:
        os.kill(child, signal.SIGKILL)
    assert gone


@LINUX_ONLY
def test_a_command_whose_parent_is_gone_already_does_not_start() -> None:
    nobody = subprocess.Popen([sys.executable, "-c", ""])
    nobody.wait()
    command = [*TETHER, str(nobody.pid), sys.executable, "-c", "print('started')"]
    tethered = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert (tethered.returncode, tethered.stdout) == (1, "")


def test_the_command_runs_with_its_arguments_and_its_own_status() -> None:
    command = [
        *TETHER,
        str(os.getpid()),
        sys.executable,
        "-c",
        "import sys; print(sys.argv[1:]); sys.exit(7)",
        "a b",
        "c",
    ]
    tethered = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert (tethered.returncode, tethered.stdout) == (7, "['a b', 'c']\n")
