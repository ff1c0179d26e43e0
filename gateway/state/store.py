"""The store as the rest of the gateway calls it: at once, briefly, or not at all.

Calls of one turn of the event loop share one write on one connection for each server. A call that gets no reply within
the timeout loses that connection, and from then on every call to that server fails at once (`StoreUnavailable`) until a
background task has connected again: a dead or hung store costs a message one timeout at most, not each message one.

Which servers there are, `gateway.state.topology` finds out: before each attempt to connect, and when a server of a
Cluster says that it no longer holds what it is asked for. Such a call is sent on to the one it names.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from gateway.state.address import Kind, Server, read_url
from gateway.state.errors import StoreRefused, StoreUnavailable
from gateway.state.link import Argument, Link, Reply, Sent, read_info
from gateway.state.scripts import Script
from gateway.state.topology import Topology, find

TIMEOUT_S = 0.1
"""How long a call waits for its reply."""
CONNECT_TIMEOUT_S = 0.25
RETRY_S = 0.05
"""The pause between two attempts to connect; with the connect timeout this bounds how late a store's return is seen."""
MOST_DURABLE = 16
"""Durable calls at the same time, each on a connection of its own; more wait, so that a rush of changes cannot use up
the process's files or the store's clients."""
DURABLE_S = 1.0
"""How long an answer waits for the store's disk, and for that of its replicas' memory."""
MOST_REDIRECTS = 3
SAID_S = 60.0
"""A kind of refusal is said in the log again only after so long without one."""

log = logging.getLogger(__name__)


class Store:
    """Typed calls to one store. An async context manager; entering does not fail when the store is down.

    Counters, for metrics: ``calls`` made, ``timeouts`` (connections lost to a late reply), ``outages`` (times that the
    store, or a server of it, went away), ``reconnects`` (times that it came back), ``refused_by_breaker`` (calls failed
    at once), ``errors`` (error replies to changes), ``refused`` (all error replies: out of memory, read-only) and
    ``redirects`` (calls sent on to another server of a Cluster).
    """

    def __init__(self, url: str, sync: Callable[[], bool] | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """``sync`` puts what the store has written on the disk, where its files are within our reach."""
        self.address = read_url(url)
        self.url = url
        self._sync = sync
        self._timeout_s = timeout_s
        self._topology: Topology | None = None
        self._links: dict[Server, Link] = {}
        self._doubt = asyncio.Event()
        self._down: dict[Server | None, str] = {}
        self._idle: dict[Server, list[Link]] = {}
        self._own_links = asyncio.Semaphore(MOST_DURABLE)
        self._first_try = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._sent_on_lost_links = 0
        self.calls = 0
        self.timeouts = 0
        self.outages = 0
        self.reconnects = 0
        self.refused_by_breaker = 0
        self.errors = 0
        self.redirects = 0
        self.refused = 0
        self._refused_at: dict[str, float] = {}

    async def __aenter__(self) -> Store:
        self._keeper = asyncio.get_running_loop().create_task(self._keep())
        await self._first_try.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._keeper is not None
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        for link in (*self._links.values(), *(link for idle in self._idle.values() for link in idle)):
            await link.close()

    @property
    def connected(self) -> bool:
        """Whether calls go out, whatever they are about; those to a server that is down fail at once."""
        return self._topology is not None and all(map(self._usable, self._topology.servers))

    @property
    def sent(self) -> int:
        """Commands sent to the store, checks of one turn being one; without those of `run_durably`."""
        return self._sent_on_lost_links + sum(link.sent for link in self._links.values())

    def command(self, *command: Argument, key: bytes | None = None) -> Reply:
        """Send one command; await the result for its reply. Raises `StoreUnavailable`, now or then.

        It goes to who holds ``key``: unless given, what stands behind the command's name.
        """
        if key is None and len(command) > 1:
            key = command[1] if isinstance(command[1], bytes) else str(command[1]).encode()
        return self.link(key or b"").send(*command)

    def run(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Argument] = ()) -> Reply:
        """Run one script; await the result for its reply. Raises `StoreUnavailable`, now or then."""
        key = keys[0] if keys else b""
        slot = self._topology.slot(key) if self._topology is not None else 0
        return self.link(key).run(script, keys, arguments, slot)

    async def run_durably(
        self, script: Script, keys: Sequence[bytes], arguments: Sequence[Argument] = ()
    ) -> tuple[Any, bool]:
        """Run one script and wait until what it wrote is safe: its reply, and whether it is.

        Safe is what is on the disk of the server and, where it has replicas, in the memory of all that are connected.
        False when the store cannot tell (a server older than WAITAOF, or one without an append-only file) or the wait
        took too long. On a connection of its own, which WAITAOF needs and holds up meanwhile.

        Valkey 9.1.2 was seen (strace) to answer WAITAOF when the change is written but up to a second before it is
        synced, where an earlier sync was less than a second ago. So the files of an engine of our own are synced here;
        of another store we have only its word.
        """
        key = keys[0] if keys else b""
        self.link(key)
        async with self._own_link(key) as link:
            # In full: sent again for want of the script, it would come behind the wait that is meant for it.
            reply = link.send("EVAL", script.text, len(keys), *keys, *arguments)
            synced = link.send("WAITAOF", 1, 0, round(DURABLE_S * 1000))
            replication = link.send("INFO", "replication")
            await asyncio.wait((reply, synced, replication))
            if isinstance(reply.exception(), StoreRefused):
                self.errors += 1
            answer = reply.result()
            # A server that refuses WAITAOF has nonetheless made the change; one that broke off may or may not have.
            durable = synced.exception() is None and synced.result()[0] >= 1
            replicas = int(read_info(replication.result()).get("connected_slaves", 0))
            if durable and replicas:
                durable = await link.send("WAIT", replicas, round(DURABLE_S * 1000)) >= replicas
        if durable and self._sync is not None:
            durable = await asyncio.to_thread(self._sync)
        return answer, durable

    def link(self, key: bytes) -> Link:
        """The open connection to who holds a key, for a call that is about to be made; raises `StoreUnavailable`."""
        if self._topology is not None:
            link = self._links.get(self._topology.holder(self._topology.slot(key)))
            if link is not None and not link.lost.done():
                self.calls += 1
                return link
        self.refused_by_breaker += 1
        raise StoreUnavailable("the store is down")

    async def dial(self, key: bytes, timeout_s: float) -> Link:
        """A connection of the caller's own to who holds a key; raises `StoreUnavailable`.

        It is the caller's to close. ``timeout_s`` is how late a reply may be.
        """
        topology = await self._find()
        return await self._open(topology.holder(topology.slot(key)), timeout_s)

    # -- connections

    def _usable(self, server: Server) -> bool:
        link = self._links.get(server)
        return link is not None and not link.lost.done()

    @contextlib.asynccontextmanager
    async def _own_link(self, key: bytes) -> AsyncIterator[Link]:
        assert self._topology is not None
        server = self._topology.holder(self._topology.slot(key))
        async with self._own_links, self._idle_or_new_link(server) as link:
            yield link

    @contextlib.asynccontextmanager
    async def _idle_or_new_link(self, server: Server) -> AsyncIterator[Link]:
        idle = self._idle.setdefault(server, [])
        while idle and idle[-1].lost.done():
            await idle.pop().close()
        link = idle.pop() if idle else await self._open(server, 1.25 * DURABLE_S, DURABLE_S)
        try:
            yield link
        except BaseException:
            await link.close()  # replies of an abandoned exchange may still be on their way
            raise
        idle.append(link)

    async def _find(self) -> Topology:
        known = self._topology.servers if self._topology is not None else ()
        return await find(self.address, CONNECT_TIMEOUT_S, known)

    async def _open(self, server: Server, timeout_s: float, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> Link:
        return await Link.open(server, self.address.login, timeout_s, connect_timeout_s, self._on_refusal)

    async def _keep(self) -> None:
        """Hold a link open to every primary, as long as this store is used."""
        while True:
            self._doubt.clear()
            try:
                self._topology = await self._find()
                if self.address.kind is Kind.CLUSTER:
                    self._tell(None, "")
            except StoreUnavailable as error:
                self._tell(None, str(error))
            if self._topology is not None:
                await self._connect(self._topology)
            self._first_try.set()
            if not self.connected or self._down:
                await asyncio.sleep(RETRY_S)
                continue
            doubt: asyncio.Future[Any] = asyncio.ensure_future(self._doubt.wait())
            try:
                lost: list[asyncio.Future[Any]] = [link.lost for link in self._links.values()]
                await asyncio.wait((doubt, *lost), return_when=asyncio.FIRST_COMPLETED)
            finally:
                doubt.cancel()

    async def _connect(self, topology: Topology) -> None:
        """Replace lost links, open missing ones, and close those to servers that hold nothing any more."""
        for server, link in list(self._links.items()):
            if link.lost.done() or server not in topology.servers:
                del self._links[server]
                self._sent_on_lost_links += link.sent
                if link.lost.done():
                    self.timeouts += link.timed_out
                    self._tell(server, link.lost.result())
                await link.close()
        missing = [server for server in topology.servers if server not in self._links]
        await asyncio.gather(*map(self._reconnect, missing))
        for gone in self._down.keys() - {None, *topology.servers}:
            self._tell(gone, "")

    async def _reconnect(self, server: Server) -> None:
        try:
            self._links[server] = await self._open(server, self._timeout_s)
        except StoreUnavailable as error:
            self._tell(server, str(error))
        else:
            self._tell(server, "")

    def _tell(self, server: Server | None, outage: str) -> None:
        """Take down that the store (or a server of a Cluster) is away, or back (""); each is said once."""
        if self.address.kind is not Kind.CLUSTER:
            server = None
        where = f" ({server})" if server is not None else ""
        if outage and server not in self._down:
            if not self._down:
                self.outages += 1
            self._down[server] = outage
            log.warning("store down%s: %s", where, outage)
        elif not outage and self._down.pop(server, None) is not None:
            if not self._down:
                self.reconnects += 1
            log.info("store is back%s", where)

    # -- refusals

    def _on_refusal(self, sent: Sent | None, error: str) -> bool:
        """Count an error reply, and send its command on where the store says who would answer it."""
        word, *rest = error.split(" ")
        if word in ("MOVED", "CLUSTERDOWN"):
            self._doubt.set()
        if sent is not None and word in ("MOVED", "ASK") and sent.redirects < MOST_REDIRECTS:
            host, _, port = rest[1].rpartition(":")
            link = self._links.get(Server(host, int(port)))
            if link is not None:
                self._send_on(sent, link, asking=word == "ASK")
                return True
        if word == "LOADING":  # it is not back yet, which is told as its outage
            return False
        self.refused += 1
        now = asyncio.get_running_loop().time()
        if now - self._refused_at.get(word, float("-inf")) > SAID_S:
            log.warning("the store refuses: %s", error)
        self._refused_at[word] = now
        return False

    def _send_on(self, sent: Sent, link: Link, *, asking: bool) -> None:
        self.redirects += 1
        sent.redirects += 1
        if asking:  # the slot is being moved; this holds for the next command only
            link.send("ASKING")
        link.transmit(sent)
