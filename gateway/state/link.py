"""One connection to one server of the store, pipelined: what is sent within one turn of the event loop is one write.

Checks (`gateway.state.scripts.CHECKS`) of one turn that touch the same slot are moreover sent as one script call.

A link never reconnects: a reply that is late or a connection that breaks *loses* the link, and everything that waits
on it fails with `StoreUnavailable`. Who keeps links (`gateway.state.store`) opens new ones. That leaves no place in
which a command could be sent twice.

The protocol is spoken here and not by redis-py, whose client costs three times as much for each call; hiredis reads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis
import msgspec

from gateway.state.address import Login, Server
from gateway.state.errors import StoreRefused, StoreUnavailable
from gateway.state.scripts import CHECKS, Script

Argument = bytes | str | int | float
Reply = asyncio.Future[Any]

SECOND_LOOK_S = 0.01
MOST_CHECKS = 256
"""Checks of one script call, so that none holds up the store; what is more goes into another."""
NOT_YET = object()


class Sent(msgspec.Struct):
    """A command on its way.

    ``replies`` is one future, or one for each check of a joint script call; ``in_full`` is what to send instead if its
    script is not loaded, ``due`` by when its answer must come (loop time).
    """

    command: tuple[Argument, ...]
    replies: tuple[Reply, ...]
    in_full: tuple[Argument, ...] | None = None
    due: float = 0.0
    joint: bool = False
    redirects: int = 0

    def answer(self, value: Any) -> None:
        """Bring the reply to whoever awaits it."""
        for reply, each in zip(self.replies, value if self.joint else (value,), strict=True):
            if reply.done():
                continue
            if isinstance(each, Exception):
                fail(reply, StoreRefused(str(each)))
            else:
                reply.set_result(each)

    def fail(self, error: StoreUnavailable) -> None:
        """There will be no reply."""
        for reply in self.replies:
            fail(reply, error)


OnRefusal = Callable[[Sent | None, str], bool]
"""Told of an error reply; True if the command is sent on to somebody else (None: it cannot be, it is one of many)."""


class Link(asyncio.Protocol):
    """An open connection. Make one with `open`; ``lost`` is done, with the reason, once it can no longer be used.

    ``run_id``, ``version`` and ``replicas`` (how many were connected) are the server's.
    """

    timed_out = False
    """Whether the link was lost because a reply was late."""

    def __init__(self, timeout_s: float, on_refusal: OnRefusal | None = None) -> None:
        self._timeout_s = timeout_s
        self._on_refusal = on_refusal
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(notEnoughData=NOT_YET)
        self._checks: dict[int, list[tuple[Reply, Script, Sequence[bytes], Sequence[Argument]]]] = {}
        self._outgoing: list[bytes] = []
        self._unsent: list[Sent] = []
        self._awaited: deque[Sent] = deque()
        self._flushing = False
        self._watchdog: asyncio.TimerHandle | None = None
        self._seen_late: Sent | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self.on_message: Callable[[bytes], None] | None = None
        """Called with each message of a channel that this link has subscribed to."""
        self.run_id = ""
        self.version = ""
        self.replicas = 0
        self.sent = 0
        """Commands sent."""
        self.writes = 0
        """Turns of the loop in which something was sent: at most so many times did anybody wait."""

    @classmethod
    async def open(
        cls,
        server: Server,
        login: Login,
        timeout_s: float,
        connect_timeout_s: float,
        on_refusal: OnRefusal | None = None,
    ) -> Link:
        """Connect, log in, and see that the server can be written; raises `StoreUnavailable`.

        ``timeout_s`` is how late a reply may be before the link is lost.
        """
        link = await cls.connect(server, login, timeout_s, connect_timeout_s, on_refusal)
        try:
            async with asyncio.timeout(connect_timeout_s):
                served, replication, _ = await asyncio.gather(
                    link.send("INFO", "server"), link.send("INFO", "replication"), link.send("PING")
                )  # PING is refused while the server loads its data
        except BaseException as error:
            await link.close()
            if isinstance(error, (StoreUnavailable, TimeoutError)):
                raise StoreUnavailable(f"cannot connect to the store: {str(error) or 'no answer in time'}") from error
            raise
        facts = {**read_info(served), **read_info(replication)}
        link.run_id, link.version = facts["run_id"], facts.get("valkey_version") or facts["redis_version"]
        link.replicas = int(facts.get("connected_slaves", 0))
        if facts.get("role") != "master":
            await link.close()
            raise StoreUnavailable(f"cannot use the store: {server} is a replica, which cannot be written")
        return link

    @classmethod
    async def connect(
        cls,
        server: Server,
        login: Login,
        timeout_s: float,
        connect_timeout_s: float,
        on_refusal: OnRefusal | None = None,
    ) -> Link:
        """Connect and log in, to whatever kind of server (a Sentinel, for one); raises `StoreUnavailable`."""
        loop = asyncio.get_running_loop()
        link = cls(timeout_s, on_refusal)
        try:
            async with asyncio.timeout(connect_timeout_s):
                if server.path:
                    await loop.create_unix_connection(lambda: link, server.path)
                else:
                    await loop.create_connection(lambda: link, server.host, server.port, ssl=login.tls)
                greetings = []
                if login.password or login.username:
                    user = (login.username,) if login.username else ()
                    greetings.append(link.send("AUTH", *user, login.password))
                if login.database:
                    greetings.append(link.send("SELECT", login.database))
                await asyncio.gather(*greetings)
        except BaseException as error:
            await link.close()
            if isinstance(error, (StoreUnavailable, OSError)):
                raise StoreUnavailable(f"cannot connect to the store: {str(error) or 'no answer in time'}") from error
            raise
        return link

    # -- sending

    def send(self, *command: Argument) -> Reply:
        """Send one command; the future brings its reply, or `StoreRefused`, or `StoreUnavailable` if the link is lost.

        It may be left alone: then its failure is nobody's concern.
        """
        reply = self._new_reply()
        self.transmit(Sent(command, (reply,)))
        return reply

    def run(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Argument], slot: int = 0) -> Reply:
        """Run a script, by its digest; in full if the store does not know it (yet, or any more).

        ``slot`` is that of the keys in a Cluster: checks of one turn that share it are one call.
        """
        reply = self._new_reply()
        if script.check:
            self._checks.setdefault(slot, []).append((reply, script, keys, arguments))
            self._flush_soon()
        else:
            self._transmit_script((reply,), script, keys, arguments)
        return reply

    def transmit(self, sent: Sent) -> None:
        """Send, perhaps again, at another server's word; the answer goes to whoever awaits it."""
        if self.lost.done():
            sent.fail(StoreUnavailable(self.lost.result()))
            return
        self._outgoing.append(_pack(sent.command))
        self._unsent.append(sent)
        self._flush_soon()

    async def close(self) -> None:
        """Close the connection; what still waits fails."""
        self._lose("the connection to the store was closed")

    def _new_reply(self) -> Reply:
        if self.lost.done():
            raise StoreUnavailable(self.lost.result())
        return self._loop.create_future()

    def _transmit_script(
        self, replies: tuple[Reply, ...], script: Script, keys: Sequence[bytes], arguments: Sequence[Argument],
        joint: bool = False,
    ) -> None:  # fmt: skip
        rest = (len(keys), *keys, *arguments)
        self.transmit(Sent(("EVALSHA", script.sha, *rest), replies, ("EVAL", script.text, *rest), joint=joint))

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._join_checks()
        self._flushing = False
        if self._transport is None or not self._unsent:
            return
        self.sent += len(self._unsent)
        self.writes += 1
        self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()
        due = self._loop.time() + self._timeout_s  # it counts from here: a turn in which much is asked may be long
        for sent in self._unsent:
            sent.due = due
        self._awaited.extend(self._unsent)
        self._unsent.clear()
        if self._watchdog is None:
            self._watchdog = self._loop.call_at(self._awaited[0].due, self._check_due)

    def _join_checks(self) -> None:
        """Send what checks this turn has brought, those of one slot together."""
        checks, self._checks = self._checks, {}
        for group in checks.values():
            for start in range(0, len(group), MOST_CHECKS):
                part = group[start : start + MOST_CHECKS]
                if len(part) == 1:
                    reply, script, keys, arguments = part[0]
                    self._transmit_script((reply,), script, keys, arguments)
                    continue
                all_keys: list[bytes] = []
                all_arguments: list[Argument] = []
                for _, script, keys, arguments in part:
                    all_keys += keys
                    all_arguments += (script.check, len(keys), len(arguments), *arguments)
                replies = tuple(reply for reply, _, _, _ in part)
                self._transmit_script(replies, CHECKS, all_keys, all_arguments, joint=True)

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        if self.lost.done():
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._lose(f"the connection to the store broke: {error or 'it was closed'}")

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not NOT_YET:
                self._take(reply)
        except hiredis.ProtocolError as error:
            self._lose(f"the store does not speak its protocol: {error}")

    def _take(self, reply: Any) -> None:
        if self.on_message is not None and isinstance(reply, list) and reply[:1] == [b"message"]:
            self.on_message(reply[2])
            return
        if not self._awaited:
            self._lose("the store answers what was not asked")
            return
        sent = self._awaited.popleft()
        if isinstance(reply, hiredis.ReplyError):
            self._refused(sent, str(reply))
            return
        sent.answer(reply)
        if sent.joint:
            for error in (str(each) for each in reply if isinstance(each, hiredis.ReplyError)):
                self._heed(None, error)

    def _refused(self, sent: Sent, error: str) -> None:
        if error.startswith("NOSCRIPT") and sent.in_full is not None:
            sent.command, sent.in_full = sent.in_full, None
            self.transmit(sent)
        elif not self._heed(sent, error):
            sent.fail(StoreRefused(error))

    def _heed(self, sent: Sent | None, error: str) -> bool:
        taken_care_of = self._on_refusal is not None and self._on_refusal(sent, error)
        if error.startswith("READONLY"):
            self._lose("the store has become a replica, which cannot be written")
        return taken_care_of

    def _check_due(self) -> None:
        """Lose the link if its oldest reply is late, else look again when that is due.

        Late means seen late twice: after a pause of this process the first look comes before waiting replies are read.
        """
        self._watchdog = None
        if not self._awaited:
            return
        oldest, now = self._awaited[0], self._loop.time()
        if oldest.due > now:
            self._watchdog = self._loop.call_at(oldest.due, self._check_due)
        elif oldest is not self._seen_late:
            self._seen_late = oldest
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
        if self._transport is not None:
            self._transport.abort()
        error = StoreUnavailable(reason)
        for sent in (*self._awaited, *self._unsent):
            sent.fail(error)
        for group in self._checks.values():
            for reply, _, _, _ in group:
                fail(reply, error)
        self._awaited.clear()
        self._checks.clear()
        self._outgoing.clear()
        self._unsent.clear()


def read_info(text: bytes) -> dict[str, str]:
    """The facts of an INFO reply, by name."""
    return dict(line.split(":", 1) for line in text.decode().splitlines() if ":" in line)


def fail(reply: Reply, error: StoreUnavailable) -> None:
    """Fail a reply that is still awaited, or that nobody awaits any more."""
    if not reply.done():
        reply.set_exception(error)
        reply.exception()  # retrieved: whoever does not await a reply does not mind its failure


def _pack(command: tuple[Argument, ...]) -> bytes:
    return bytes(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub asks for a tuple of one
