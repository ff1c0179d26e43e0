"""One platform and one gateway process for all journeys that leave both as they found them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.demo.ports import free_port
from gateway.settings import ServerSettings
from tests.doubles import Gateway, Platform, configuration, serving


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def platform() -> AsyncIterator[Platform]:
    """A platform on loopback."""
    async with Platform() as platform:
        yield platform


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared gateway keeps its state."""
    return tmp_path_factory.mktemp("gateway")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway(platform: Platform, folder: Path) -> AsyncIterator[Gateway]:
    """A gateway in front of the platform."""
    port = free_port()
    with serving(configuration(platform, folder / "data", port), folder, port) as gateway:
        await gateway.ready()
        yield gateway


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def other_lane(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """A gateway in front of the same platform that carries WebSocket traffic in the lane that is not the default."""
    port, folder = free_port(), tmp_path_factory.mktemp("other-lane")
    with serving(configuration(platform, folder / "data", port, lane=OTHER_LANE), folder, port) as gateway:
        await gateway.ready()
        yield gateway


OTHER_LANE = next(lane for lane in ("fast", "portable") if lane != ServerSettings().lane)


@pytest.fixture
def names() -> Iterator[str]:
    """Account and room names that no other test uses."""
    global _counter
    _counter += 1
    return (f"{kind}{_counter}" for kind in ("a", "b", "c", "d", "e"))


_counter = 0
