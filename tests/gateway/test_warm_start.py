"""Where machine code is kept: in this user's caches, in the place that the XDG Base Directory Specification says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
from gateway.warm_start import keep_machine_code
from filters import placement
keep_machine_code()
placement._compiled_fit()
"""


def files_after(home: Path, caches: str) -> list[Path]:
    """What lies below a home folder after a process kept its machine code."""
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": caches, "PYTHONPATH": os.getcwd()}
    subprocess.run([sys.executable, "-c", CHILD], env=environment, cwd=home, check=True)
    return [path.relative_to(home).parent for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("caches", "folders"),
    [
        ("{home}/caches", [Path("caches/shieldwire")]),
        ("", [Path(".cache/shieldwire")]),
        ("relative", []),
    ],
    ids=["XDG_CACHE_HOME", "none is named", "a relative one is not used"],
)
def test_machine_code_lies_in_the_caches_of_the_user(tmp_path: Path, caches: str, folders: list[Path]) -> None:
    assert files_after(tmp_path, caches.format(home=tmp_path)) == folders
