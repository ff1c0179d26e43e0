"""Real engines and states over them; each test has its own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.settings import StateSettings
from gateway.state.engine import Engine
from gateway.state.state import State, open_state
from protection.policy import Policy

POLICY = Policy()

OpenState = Callable[..., Awaitable[State]]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """An embedded engine on a data directory of its own."""
    async with Engine(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def open_states(engine: Engine) -> AsyncIterator[OpenState]:
    """A function that opens a worker's state over the test's engine and keeps it open until the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one(worker: str, policy: Policy = POLICY, staleness_s: float = 2.0, url: str = "") -> State:
            settings = StateSettings(data_dir=str(engine.data_dir), staleness_s=staleness_s)
            return await stack.enter_async_context(open_state(settings, lambda: policy, worker, url or engine.url))

        yield open_one


@pytest.fixture
async def state(open_states: OpenState) -> State:
    """One worker's state."""
    return await open_states("worker")
