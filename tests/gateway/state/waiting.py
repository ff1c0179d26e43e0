"""Waiting for what has to come true."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path


async def until(condition: Callable[[], object], within_s: float = 10.0) -> float:
    """Wait until something is so; answers how long that took (seconds). Fails when it never is."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within_s, "it never came to be"
        await asyncio.sleep(0.002)
    return time.monotonic() - started


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


async def eventually(condition: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> float:
    """`until`, for what has to be asked for."""
    started = time.monotonic()
    while not await condition():
        assert time.monotonic() - started < within_s, "it never came to be"
        await asyncio.sleep(0.01)
    return time.monotonic() - started
