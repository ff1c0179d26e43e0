"""One connection to the store, pipelined: whatever is sent within one turn of the event loop goes out as one write.

A link never reconnects: a reply that is late or a connection that breaks *loses* the link, and everything that waits
on it fails with `StoreUnavailable`. Who keeps links (`gateway.state.store`) opens new ones. That leaves no place in
which a command could be sent twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from gateway.state.errors import StoreRefused, StoreUnavailable
from gateway.state.scripts import Script

Argument = bytes | str | int | float
Reply = asyncio.Future[Any]

SECOND_LOOK_S = 0.01


class _Awaited(NamedTuple):
    """A command whose reply is due: by when (loop time), and what to send instead if its script is not loaded."""

    reply: Reply
    due: float
    in_full: tuple[Argument, ...] | None


class Link:
    """An open connection. Make one with `open`; ``lost`` is done, with the reason, once it can no longer be used."""

    timed_out = False
    """Whether the link was lost because a reply was late."""

    def __init__(self, connection: AbstractConnection, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._outgoing: list[bytes] = []
        self._unsent: list[_Awaited] = []
        self._awaited: deque[_Awaited] = deque()
        self._wake = asyncio.Event()
        self._watchdog: asyncio.TimerHandle | None = None
        self._seen_late: Reply | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._tasks = [self._loop.create_task(self._write()), self._loop.create_task(self._read())]

    @classmethod
    async def open(cls, url: str, timeout_s: float, connect_timeout_s: float) -> Link:
        """Connect, authenticate, and wait until the store serves commands; raises `StoreUnavailable`.

        ``timeout_s`` is how late a reply may be before the link is lost.
        """
        connection = _connection(url)
        try:
            async with asyncio.timeout(connect_timeout_s):
                await connection.connect()  # type: ignore[no-untyped-call]
                await connection.send_command("PING", check_health=False)
                await connection.read_response()  # raises while the store is loading its data
        except BaseException as error:
            await connection.disconnect(nowait=True)
            if isinstance(error, (RedisError, OSError)):
                raise StoreUnavailable(f"cannot connect to the store: {error or 'no answer in time'}") from error
            raise
        return cls(connection, timeout_s)

    def send(self, *command: Argument) -> Reply:
        """Send one command; the future brings its reply, or `StoreRefused`, or `StoreUnavailable` if the link is lost.

        It may be left alone: then its failure is nobody's concern.
        """
        return self._enqueue(command)

    def run(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Argument]) -> Reply:
        """Run a script, by its digest; in full if the store does not know it (yet, or any more)."""
        rest = (len(keys), *keys, *arguments)
        return self._enqueue(("EVALSHA", script.sha, *rest), in_full=("EVAL", script.text, *rest))

    async def close(self) -> None:
        """Close the connection; what still waits fails."""
        self._lose("the connection to the store was closed")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.disconnect(nowait=True)

    def _enqueue(
        self, command: tuple[Argument, ...], reply: Reply | None = None, in_full: tuple[Argument, ...] | None = None
    ) -> Reply:
        if self.lost.done():
            raise StoreUnavailable(self.lost.result())
        reply = reply or self._loop.create_future()
        self._outgoing.append(_pack(command))
        self._unsent.append(_Awaited(reply, self._loop.time() + self._timeout_s, in_full))
        self._wake.set()
        if self._watchdog is None:
            self._watchdog = self._loop.call_later(self._timeout_s, self._check_due)
        return reply

    async def _write(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                packed = b"".join(self._outgoing)
                self._outgoing.clear()
                self._awaited.extend(self._unsent)
                self._unsent.clear()
                if not self._connection.is_connected:  # the reader is about to say so; do not reconnect behind its back
                    return
                await self._connection.send_packed_command(packed, check_health=False)
        except (RedisError, OSError) as error:
            self._lose(f"the connection to the store broke: {error}")

    async def _read(self) -> None:
        try:
            while True:
                try:
                    answer = await self._connection.read_response(timeout=float("inf"))
                except ResponseError as error:
                    self._refused(error)
                else:
                    reply = self._awaited.popleft().reply
                    if not reply.done():
                        reply.set_result(answer)
        except (RedisError, OSError) as error:
            self._lose(f"the connection to the store broke: {error}")

    def _refused(self, error: ResponseError) -> None:
        reply, _, in_full = self._awaited.popleft()
        if isinstance(error, NoScriptError) and in_full is not None:
            self._enqueue(in_full, reply)
        else:
            _fail(reply, StoreRefused(str(error)))

    def _check_due(self) -> None:
        """Lose the link if its oldest reply is late, else look again when that is due.

        Late means seen late twice: after a pause of this process the first look comes before waiting replies are read.
        """
        self._watchdog = None
        oldest = self._awaited[0] if self._awaited else self._unsent[0] if self._unsent else None
        if oldest is None:
            return
        now = self._loop.time()
        if oldest.due > now:
            self._watchdog = self._loop.call_at(oldest.due, self._check_due)
        elif oldest.reply is not self._seen_late:
            self._seen_late = oldest.reply
            self._watchdog = self._loop.call_later(SECOND_LOOK_S, self._check_due)
        else:
            self.timed_out = True
            self._lose(f"the store did not answer within {self._timeout_s:g} s")

    def _lose(self, reason: str) -> None:
        if self.lost.done():
            return
        self.lost.set_result(reason)
        if self._watchdog is not None:
            self._watchdog.cancel()
        for awaited in (*self._awaited, *self._unsent):
            _fail(awaited.reply, StoreUnavailable(reason))
        self._awaited.clear()
        self._unsent.clear()
        self._outgoing.clear()


def _pack(command: tuple[Argument, ...]) -> bytes:
    return bytes(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub asks for a tuple of one


def _fail(reply: Reply, error: StoreUnavailable) -> None:
    if not reply.done():
        reply.set_exception(error)
        reply.exception()  # retrieved: whoever does not await a reply does not mind its failure


def check_url(url: str) -> None:
    """Refuse a store URL that cannot be read; raises `ValueError` that says why."""
    _connection(url)


def _connection(url: str) -> AbstractConnection:
    options: dict[str, Any] = dict(parse_url(url))
    kind = options.pop("connection_class", Connection)
    options.update(
        protocol=2, retry=Retry(NoBackoff(), 0), socket_timeout=None, socket_connect_timeout=None, driver_info=None
    )
    connection: AbstractConnection = kind(**options)
    return connection
