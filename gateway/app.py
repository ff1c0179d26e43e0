"""The gateway as an ASGI application: control API under ``/shieldwire``, the platform's traffic everywhere else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from filters.own_words import OwnWords
from filters.reader import Reader
from gateway import telemetry
from gateway.api.routes import control_routes
from gateway.downlink import Viewers
from gateway.enforce import NudgeTokens
from gateway.escalate import RETRY_S, Escalation
from gateway.identity import Identity
from gateway.judge import Judge
from gateway.lapses import Lapses
from gateway.platform_circle import PlatformCircle
from gateway.policy.base import base_scanner
from gateway.policy.live import LiveRules
from gateway.policy.publishing import FOLDER
from gateway.settings import Settings
from gateway.state.engine import Engine
from gateway.state.errors import StoreUnavailable
from gateway.state.replica import Change, Noun
from gateway.state.state import FIRST_LOAD_S, State, open_state
from gateway.warm_start import keep_machine_code
from gateway.wire.lingering import LingeringClose
from gateway.wire.proxy import Proxy
from gateway.wire.websocket import SERVICE_RESTART
from protection.notices import Notice
from protection.policy import Policy
from protection.rules import Rules

logger = logging.getLogger("shieldwire.app")
_read_notice = msgspec.json.Decoder(Notice).decode


class Gateway:
    """One worker: what it is made of, and whether each part is ready."""

    def __init__(self, settings: Settings, engine_url: str) -> None:
        self.settings = settings
        self._engine_url = engine_url
        self.draining = asyncio.Event()
        folder = Path(settings.state.data_dir) / FOLDER
        scanner = base_scanner(settings.policy.lexicon, folder)
        self.live_rules = LiveRules(
            Rules(Reader.shipped().with_scanner(scanner), settings.policy.build()),
            folder,
            lambda: self.state.announced_text(),
            lambda revision: self.state.report_text(revision),
        )
        self._state: State | None = None
        self._open = asyncio.Event()
        self.proxy = Proxy(settings.server, settings.route, Identity(settings.identity))

    @property
    def state(self) -> State:
        """The shared state; only asked for once the application has started."""
        assert self._state is not None, "the application's lifespan has not begun"
        return self._state

    def rules(self) -> Rules:
        """How texts are read and judged now."""
        return self.live_rules()

    def policy(self) -> Policy:
        """The policy in force now."""
        return self.live_rules().policy

    def ready(self) -> Sequence[str]:
        """What is not ready yet; empty when traffic may come."""
        missing = []
        if self.draining.is_set():
            missing.append("the gateway is shutting down")
        if self._state is None or not self._state.status().loaded:
            missing.append("the shared state is not loaded")
        elif not self._open.is_set():
            missing.append("the text data in force is being loaded")
        return missing

    def degraded(self) -> Sequence[str]:
        """What works only in part: see README, "When a part fails"."""
        stale = self._state is not None and not self._state.status().fresh
        return ["the shared state is older than its staleness deadline"] if stale else []

    def begin_drain(self) -> None:
        """Begin a graceful end: messages in flight are answered, then every socket is told 1012."""
        if self.draining.is_set():  # the server says it once for each of its connections
            return
        self.draining.set()
        self.proxy.connections.end_all(SERVICE_RESTART)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Run the worker: state first, then warm kernels, then traffic; without a store it begins unready."""
        async with contextlib.AsyncExitStack() as stack:
            url = self.settings.state.url or self._engine_url
            if not url:
                engine = await stack.enter_async_context(Engine(Path(self.settings.state.data_dir)))
                url = engine.url
            circle = self.settings.circle
            worker = f"{os.getpid()}-{secrets.token_hex(4)}"
            platform = None
            if circle.url:
                platform = PlatformCircle(circle.url, circle.token, circle.timeout_s, circle.cache_s)
                stack.push_async_callback(platform.close)
            state = open_state(self.settings.state, self.policy, worker, url, platform)
            self._state = await stack.enter_async_context(state)
            stack.push_async_callback(self.proxy.close)
            escalation = Escalation(self._state.record)
            stack.callback(self._state.subscribe(self._on_change))
            await stack.enter_async_context(_running(escalation.run()))
            await stack.enter_async_context(_running(telemetry.observe(self._state.counters)))
            # A message must not pay for a compile, nor land on a worker that could serve it a moment later.
            await asyncio.to_thread(self.rules().reader.warm_up)
            await asyncio.to_thread(OwnWords.warm_up)
            await asyncio.to_thread(self.proxy.warm_up, self.rules())
            await stack.enter_async_context(_running(self._start(escalation)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._open.wait(), FIRST_LOAD_S)
            yield
            self.begin_drain()  # a server that has no hook of its own for it still ends gracefully
            await self.proxy.connections.all_ended(self.settings.server.drain_s)

    async def _start(self, escalation: Escalation) -> None:
        """Open the gates once state is loaded and the text data in force is there; then follow what is announced."""
        await self.state.loaded()
        await self.live_rules.settle()
        nudges = NudgeTokens(await self._shared_key())
        max_message = self.settings.server.max_message
        judge = Judge(self.state, self.rules, nudges, escalation, max_message)
        viewers = Viewers(self.state, self.rules, max_message)
        self.proxy.start(judge, self.state, viewers)
        self._open.set()
        logger.info("ready")
        await asyncio.gather(self.live_rules.follow(), Lapses(self.state).run())

    async def _shared_key(self) -> bytes:
        """The key of nudge tokens: one for all workers, which must accept each other's."""
        while True:
            try:
                return await self.state.secret("nudge")
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)

    def _on_change(self, change: Change) -> None:
        if change.noun is Noun.MODE:
            self.proxy.end_shut_room(change.id)
        elif change.noun is Noun.NOTICE and change.value is not None:
            self.proxy.connections.tell(change.id, _read_notice(change.value))
        elif change.noun is Noun.SANCTION:
            self.proxy.end_closed_account(change.id)
        elif change.noun in (Noun.PROTECTION, Noun.BLOCKLIST):
            self.proxy.refresh_viewer(change.id)
        elif change.noun is Noun.POLICY:
            self.live_rules.wake()


def create_app(settings: Settings, engine_url: str = "") -> Starlette:
    """The gateway for any ASGI server.

    Without ``state.url`` its state is in the embedded engine at ``engine_url``; where that is not given either, it runs
    an engine of its own: then there can be one process only.
    """
    keep_machine_code()
    gateway = Gateway(settings, engine_url)
    app = Starlette(
        routes=[Mount("/shieldwire", routes=control_routes(gateway)), Mount("/", app=gateway.proxy)],
        lifespan=gateway.lifespan,
        middleware=[Middleware(LingeringClose)],
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
