"""The gateway as an ASGI application: control API under ``/shieldwire``, the platform's traffic everywhere else."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

from filters.scanner import Scanner
from gateway.api.routes import control_routes
from gateway.enforce import NudgeTokens
from gateway.escalate import Escalation
from gateway.identity import Identity
from gateway.judge import Judge
from gateway.settings import Settings
from gateway.state.engine import Engine
from gateway.state.replica import Change, Noun
from gateway.state.state import State, open_state
from gateway.wire.proxy import Proxy
from gateway.wire.websocket import SERVICE_RESTART
from protection.policy import Policy

logger = logging.getLogger("shieldwire.app")


class Gateway:
    """One worker: what it is made of, and whether each part is ready."""

    def __init__(self, settings: Settings, engine_url: str) -> None:
        self.settings = settings
        self._engine_url = engine_url
        self.draining = asyncio.Event()
        self.scanner = Scanner.shipped()
        self._policy = settings.policy.build()
        self._state: State | None = None
        self._warm = False
        self.proxy = Proxy(settings.server, settings.route, Identity(settings.identity))

    @property
    def state(self) -> State:
        """The shared state; only asked for once the application has started."""
        assert self._state is not None, "the application's lifespan has not begun"
        return self._state

    def policy(self) -> Policy:
        """The policy in force now."""
        return self._policy

    def ready(self) -> Sequence[str]:
        """What is not ready yet; empty when traffic may come."""
        missing = []
        if self.draining.is_set():
            missing.append("the gateway is shutting down")
        if not self._warm:
            missing.append("the text filters are warming up")
        if self._state is None or not self._state.status().fresh:
            missing.append("the shared state is not loaded, or older than its staleness deadline")
        return missing

    def begin_drain(self) -> None:
        """Begin a graceful end: messages in flight are answered, then every socket is told 1012."""
        self.draining.set()
        self.proxy.connections.end_all(SERVICE_RESTART)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Run the worker: state first, traffic once it is loaded and the kernels are warm."""
        async with contextlib.AsyncExitStack() as stack:
            url = self.settings.state.url or self._engine_url
            if not url:
                engine = await stack.enter_async_context(Engine(Path(self.settings.state.data_dir)))
                url = engine.url
            worker = f"{os.getpid()}-{secrets.token_hex(4)}"
            state = open_state(self.settings.state, self.policy, worker, url)
            self._state = await stack.enter_async_context(state)
            stack.push_async_callback(self.proxy.close)
            escalation = Escalation(self._state.record)
            stack.callback(self._state.subscribe(self._on_change))
            await stack.enter_async_context(_running(escalation.run()))
            await stack.enter_async_context(_running(self._start(escalation)))
            yield
            self.begin_drain()  # a server that has no hook of its own for it still ends gracefully
            await self.proxy.connections.all_ended(self.settings.server.drain_s)

    async def _start(self, escalation: Escalation) -> None:
        """Open the gates when a first message would cost what the thousandth does."""
        await asyncio.to_thread(self.scanner.warm_up)
        self._warm = True
        await self.state.loaded()
        nudges = NudgeTokens(_nudge_key(self.settings))
        max_message = self.settings.server.max_message
        judge = Judge(self.state, self.scanner, self.policy, nudges, escalation, max_message)
        self.proxy.start(judge, self.state)
        logger.info("ready")

    def _on_change(self, change: Change) -> None:
        if change.noun is Noun.MODE:
            self.proxy.end_shut_room(change.id)


def create_app(settings: Settings, engine_url: str = "") -> Starlette:
    """The gateway for any ASGI server.

    Without ``state.url`` its state is in the embedded engine at ``engine_url``; where that is not given either, it runs
    an engine of its own: then there can be one process only.
    """
    gateway = Gateway(settings, engine_url)
    app = Starlette(
        routes=[Mount("/shieldwire", routes=control_routes(gateway)), Mount("/", app=gateway.proxy)],
        lifespan=gateway.lifespan,
    )
    app.state.gateway = gateway
    return app


@contextlib.asynccontextmanager
async def _running(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """A background task for the time of the context; its failure is logged, not swallowed."""
    task = asyncio.create_task(work)
    task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.critical("background-task-failed", exc_info=error)


def _nudge_key(settings: Settings) -> bytes:
    """All workers must accept each other's tokens; without a configured secret they hold for one worker only."""
    secret = settings.api.secret or settings.identity.secret
    return hashlib.sha256(b"shieldwire nudge " + secret.encode()).digest() if secret else secrets.token_bytes(32)
