"""An ASGI application on a loopback port of its own, inside this process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp


class _PlatformServer(uvicorn.Server):
    """A uvicorn server that leaves signals to the process it is part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(application: ASGIApp) -> AsyncIterator[str]:
    """Serve an application on a loopback port of its own; gives ``address:port``."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address, port = listening.getsockname()
        server = _PlatformServer(
            uvicorn.Config(
                application,
                ws="websockets-sansio",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"{address}:{port}"
        finally:
            server.should_exit = True
            await serving
