"""A real store for the Lua."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    """A client of an embedded engine."""
    folder: Path = tmp_path_factory.mktemp("store")
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "gateway.state.supervisor", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with supervisor:  # leaving closes its standard input, which ends it, and waits
        assert supervisor.stdout is not None
        word, _, path = supervisor.stdout.readline().split()
        assert word == "ready"
        with redis.Redis(unix_socket_path=path) as client:
            yield client
