"""The control API over a real state on a real engine: one engine, one event loop and one client for each module."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.settings import StateSettings
from gateway.state.engine import Engine
from gateway.state.state import open_state
from protection.policy import Policy
from tests.gateway.api.client import Api, Worker, application


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    async with Engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker(engine: Engine) -> AsyncIterator[Worker]:
    async with open_state(StateSettings(data_dir=str(engine.data_dir)), Policy, "worker", engine.url) as state:
        await state.loaded()
        yield Worker(state)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(worker: Worker) -> AsyncIterator[Api]:
    api = Api(application(worker))
    async with api.http:
        yield api


@pytest.fixture
def person(request: pytest.FixtureRequest) -> str:
    """Somebody whom no other test of the module knows."""
    name: str = request.node.name
    return re.sub(r"\W", "-", name)
