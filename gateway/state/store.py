"""The store as the rest of the gateway calls it: at once, briefly, or not at all.

Calls of one turn of the event loop share one write on one connection. A call that gets no reply within the timeout
loses that connection, and from then on every call fails at once (`StoreUnavailable`) until a background task has
connected again: a dead or hung store costs a message one timeout at most, not each message one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from gateway.state.errors import StoreRefused, StoreUnavailable
from gateway.state.link import Argument, Link, Reply, check_url
from gateway.state.scripts import Script

TIMEOUT_S = 0.1
"""How long a call waits for its reply."""
CONNECT_TIMEOUT_S = 0.25
RETRY_S = 0.05
"""The pause between two attempts to connect; with the connect timeout this bounds how late a store's return is seen."""
MOST_DURABLE = 16
"""Durable calls at the same time, each on a connection of its own; more wait, so that a rush of changes cannot use up
the process's files or the store's clients."""
DURABLE_S = 1.0
"""How long an answer waits for the store's disk."""

log = logging.getLogger(__name__)


class Store:
    """Typed calls to one store. An async context manager; entering does not fail when the store is down.

    Counters, for metrics: ``calls`` made, ``timeouts`` (connections lost to a late reply), ``reconnects`` (connections
    made after an outage), ``refused_by_breaker`` (calls failed at once) and ``errors`` (error replies to changes).
    """

    def __init__(self, url: str, sync: Callable[[], bool] | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """``sync`` puts what the store has written on the disk, where its files are within our reach."""
        check_url(url)
        self.url = url
        self._sync = sync
        self._timeout_s = timeout_s
        self._link: Link | None = None
        self._idle: list[Link] = []
        self._own_links = asyncio.Semaphore(MOST_DURABLE)
        self._first_try = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.calls = 0
        self.timeouts = 0
        self.reconnects = 0
        self.refused_by_breaker = 0
        self.errors = 0

    async def __aenter__(self) -> Store:
        self._keeper = asyncio.get_running_loop().create_task(self._keep())
        await self._first_try.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._keeper is not None
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        while self._idle:
            await self._idle.pop().close()

    @property
    def connected(self) -> bool:
        """Whether calls go out; otherwise they fail at once."""
        return self._link is not None

    def command(self, *command: Argument) -> Reply:
        """Send one command; await the result for its reply. Raises `StoreUnavailable`, now or then."""
        return self._open_link().send(*command)

    def run(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Argument] = ()) -> Reply:
        """Run one script; await the result for its reply. Raises `StoreUnavailable`, now or then."""
        return self._open_link().run(script, keys, arguments)

    async def run_durably(
        self, script: Script, keys: Sequence[bytes], arguments: Sequence[Argument] = ()
    ) -> tuple[Any, bool]:
        """Run one script and wait until what it wrote is on the store's disk: its reply, and whether it is.

        False when the store cannot tell (a server older than WAITAOF, or one without an append-only file) or the wait
        took too long. On a connection of its own, which WAITAOF needs and holds up meanwhile.

        Valkey 9.1.2 was seen (strace) to answer WAITAOF when the change is written but up to a second before it is
        synced, where an earlier sync was less than a second ago. So the files of an engine of our own are synced here;
        of another store we have only its word.
        """
        self._open_link()
        async with self._own_link() as link:
            # In full: sent again for want of the script, it would come behind the wait that is meant for it.
            reply = link.send("EVAL", script.text, len(keys), *keys, *arguments)
            synced = link.send("WAITAOF", 1, 0, round(DURABLE_S * 1000))
            await asyncio.wait((reply, synced))
            if isinstance(reply.exception(), StoreRefused):
                self.errors += 1
            # A server that refuses WAITAOF has nonetheless made the change; one that broke off may or may not have.
            durable = synced.exception() is None and synced.result()[0] >= 1
            answer = reply.result()
        if durable and self._sync is not None:
            durable = await asyncio.to_thread(self._sync)
        return answer, durable

    def _open_link(self) -> Link:
        if self._link is None or self._link.lost.done():
            self.refused_by_breaker += 1
            raise StoreUnavailable("the store is down")
        self.calls += 1
        return self._link

    @contextlib.asynccontextmanager
    async def _own_link(self) -> AsyncIterator[Link]:
        async with self._own_links, self._idle_or_new_link() as link:
            yield link

    @contextlib.asynccontextmanager
    async def _idle_or_new_link(self) -> AsyncIterator[Link]:
        while self._idle and self._idle[-1].lost.done():
            await self._idle.pop().close()
        link = (
            self._idle.pop()
            if self._idle
            else await Link.open(self.url, DURABLE_S + CONNECT_TIMEOUT_S, CONNECT_TIMEOUT_S)
        )
        try:
            yield link
        except BaseException:
            await link.close()  # replies of an abandoned exchange may still be on their way
            raise
        self._idle.append(link)

    async def _keep(self) -> None:
        """Hold one link open, as long as this store is used."""
        outage = ""
        while True:
            try:
                self._link = await Link.open(self.url, self._timeout_s, CONNECT_TIMEOUT_S)
            except StoreUnavailable as error:
                if not outage:
                    outage = str(error)
                    log.warning("store down: %s", outage)
                self._first_try.set()
                await asyncio.sleep(RETRY_S)
                continue
            if outage:
                self.reconnects += 1
                log.info("store is back")
            self._first_try.set()
            try:
                outage = await asyncio.shield(self._link.lost)
                log.warning("store down: %s", outage)
                self.timeouts += self._link.timed_out
            finally:
                lost, self._link = self._link, None
                await lost.close()
