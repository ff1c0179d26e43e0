"""Keeps the replica up to date.

Each round asks for the time and for what is new in all change streams. A round that ends has seen everything that was
written before it began; that moment, on the local steady clock, is how fresh the replica is. So neither a wrong clock,
nor a dead connection, nor a pause of this process can make an old replica look fresh.

One server is asked by one XREAD that waits, over a connection of the reader's own. In a Cluster no command may name
keys of two slots, so each partition is asked alone, over the store's connections: those whose bell rings (a message on
`BELL`, which reaches every member) at once, and all of them each round, for bells may be lost.

A round also says that this worker lives and, where something changed, up to which epoch it has applied it; that is
how a change learns that it is in force on N of N workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.state.address import Kind
from gateway.state.clock import StoreClock
from gateway.state.errors import PartitionsDiffer, StoreUnavailable
from gateway.state.link import Link, Reply
from gateway.state.partitions import BELL, PARTITIONS_KEY, STREAM_LENGTH, WORKERS_KEY, Keys, decode, encode
from gateway.state.replica import REPLICATED, Change, Entry, Gap, Image, Noun, Replica
from gateway.state.scripts import BEAT, REASSERT
from gateway.state.store import RETRY_S, Store

MOST_ENTRIES = 1000
"""Entries of one stream taken in one round."""
MOST_ASSERTED = 500
"""Protections and sanctions put back by one script call."""
UNREADABLE_S = 1.0
"""The pause before state that could not be read is tried again."""

log = logging.getLogger(__name__)


class Reader:
    """Runs as a task (`run`).

    ``on_change`` is called after each applied change, ``on_image`` when a partition was loaded anew, and changes of
    what is not in its image (circles) may have been missed.

    Counters, for metrics: ``snapshots`` (images taken of partitions), ``gaps`` (images taken because entries were
    missing), ``changes`` (entries applied), ``connects``, and ``reasserted`` (protections and sanctions put back into
    a store that had lost them).
    """

    def __init__(
        self,
        store: Store,
        keys: Keys,
        replica: Replica,
        clock: StoreClock,
        worker: str,
        staleness_s: float,
        on_change: Callable[[Change], None],
        on_image: Callable[[], None],
    ) -> None:
        self._store = store
        self._keys = keys
        self._replica = replica
        self._clock = clock
        self._worker = worker
        self._staleness_s = staleness_s
        self._on_change = on_change
        self._on_image = on_image
        self._block_s = staleness_s / 8
        self._streams = [keys.of_partition(number, "changes") for number in range(keys.partitions)]
        self._numbers = {key: number for number, key in enumerate(self._streams)}
        self._run_ids = [""] * keys.partitions
        """The run of the server from which each partition was loaded."""
        self._rung: set[int] = set()
        self._bell = asyncio.Event()
        self._beat_at = float("-inf")
        self._fresh_at = float("-inf")
        self.connected = False
        self.first_round = asyncio.Event()
        self.run_id = ""
        self.version = ""
        self.workers: frozenset[str] = frozenset()
        """The workers known to live, this one among them once it has said so."""
        self.snapshots = 0
        self.gaps = 0
        self.changes = 0
        self.connects = 0
        self.reasserted = 0

    @property
    def age_s(self) -> float:
        """How long ago the replica was certainly complete (seconds; infinite before the first round)."""
        return time.monotonic() - self._fresh_at

    async def run(self) -> None:
        """Follow the store until cancelled; raises `PartitionsDiffer`, for which there is no remedy but settings."""
        follow = self._follow_cluster if self._store.address.kind is Kind.CLUSTER else self._follow_one
        while True:
            try:
                await follow()
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)
            except (msgspec.MsgspecError, LookupError, ValueError) as error:
                log.error("the store holds a state that this version cannot read: %s", type(error).__name__)
                self._run_ids = [""] * self._keys.partitions  # whatever was half read is read again
                await asyncio.sleep(UNREADABLE_S)
            finally:
                self.connected = False

    # -- one server

    async def _follow_one(self) -> None:
        link = await self._store.dial(WORKERS_KEY, self._block_s + self._staleness_s / 2)
        try:
            self.connects += 1
            await self._see_partitions(link)
            for number in range(self._keys.partitions):
                await self._see_run(link, number)
            while True:
                began = time.monotonic()
                self._beat(link, began)
                asked, awaited = link.send("TIME"), self._wait_for_entries(link)
                self._take_time(began, await asked)
                streams = await awaited or []
                for key, entries in streams:
                    await self._take_in(link, self._numbers[key], entries)
                self._end_round(began, all(len(entries) < MOST_ENTRIES for _, entries in streams))
        finally:
            await link.close()

    def _wait_for_entries(self, link: Link) -> Reply:
        """The first round of a connection does not wait: only when it is over is the replica fresh."""
        block = ("BLOCK", max(1, round(self._block_s * 1000))) if self.connected else ()
        streams = (*self._streams, *self._replica.positions())
        return link.send("XREAD", "COUNT", MOST_ENTRIES, *block, "STREAMS", *streams)

    # -- a Cluster

    async def _follow_cluster(self) -> None:
        await self._see_partitions(self._store.link(PARTITIONS_KEY))
        listening = asyncio.get_running_loop().create_task(self._listen())
        try:
            self.connects += 1
            while True:
                began = time.monotonic()
                with contextlib.suppress(StoreUnavailable):  # the others are read on while one member is away
                    link = self._store.link(WORKERS_KEY)
                    self._beat(link, began)
                    self._take_time(began, await link.send("TIME"))
                self._end_round(began, await self._read_on(range(self._keys.partitions)))
                while (left_s := began + self._block_s - time.monotonic()) > 0:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._bell.wait(), left_s)
                    self._bell.clear()
                    rung, self._rung = self._rung, set()
                    await self._read_on(rung)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _read_on(self, numbers: Iterable[int]) -> bool:
        """Take in what is new in some partitions; whether all of them have been read to their end.

        One that is on its way from one server to another, or whose server is away, keeps its last known state.
        """
        asked = []
        complete = True
        for number in numbers:
            try:
                link = self._store.link(self._streams[number])
                await self._see_run(link, number)
                stream = ("STREAMS", self._streams[number], self._replica.position(number))
                asked.append((number, link, link.send("XREAD", "COUNT", MOST_ENTRIES, *stream)))
            except StoreUnavailable:
                complete = False
        for number, link, reply in asked:
            try:
                for _, entries in await reply or []:
                    complete = complete and len(entries) < MOST_ENTRIES
                    await self._take_in(link, number, entries)
            except StoreUnavailable:
                complete = False
        return complete

    async def _listen(self) -> None:
        """Hear the bell, through whichever member; without it each round still asks for everything."""
        while True:
            with contextlib.suppress(StoreUnavailable):
                link = await self._store.dial(WORKERS_KEY, self._staleness_s)
                try:
                    link.on_message = self._ring
                    await link.send("SUBSCRIBE", BELL)
                    while not link.lost.done():
                        await link.send("PING")
                        await asyncio.wait((link.lost,), timeout=self._staleness_s)
                finally:
                    await link.close()
            await asyncio.sleep(RETRY_S)

    def _ring(self, stream: bytes) -> None:
        number = self._numbers.get(stream)
        if number is not None:
            self._rung.add(number)
            self._bell.set()

    # -- what both have in common

    async def _see_partitions(self, link: Link) -> None:
        wanted = self._keys.partitions
        link.send("SET", PARTITIONS_KEY, wanted, "NX")
        stored = int(await link.send("GET", PARTITIONS_KEY))
        if stored != wanted:
            raise PartitionsDiffer(stored, wanted)

    async def _see_run(self, link: Link, number: int) -> None:
        """A server that is not the one from which a partition was loaded, or not the same run of it, is read anew.

        It may be a replica promoted before it had the last writes, or have lost them with its memory: what it lacks of
        protections and sanctions it is told first, and only then is the partition replaced by what it holds.
        """
        self.run_id, self.version = link.run_id, link.version
        if self._run_ids[number] == link.run_id and self._replica.knows_partition(number):
            return
        image = await self._image(link, number)
        lacking = self._replica.lacking(number, image) if self._replica.knows_partition(number) else []
        put = 0
        for start in range(0, len(lacking), MOST_ASSERTED):
            part = lacking[start : start + MOST_ASSERTED]
            keys = (self._keys.of_partition(number, "epoch"), self._streams[number])
            hashes = (self._keys.of_partition(number, each.noun) for each in part)
            things = (argument for each in part for argument in (each.noun, encode(each.field), each.value, each.until))
            known = (STREAM_LENGTH, self._replica.epoch(number), self._replica.position(number))
            put += await link.run(REASSERT, (*keys, *hashes), (*known, *things))
        if put:
            log.warning("the store had lost %d protections and sanctions, which were put back", put)
            self.reasserted += put
            image = await self._image(link, number)
        self._load(link, number, image)
        self._run_ids[number] = link.run_id

    def _take_time(self, asked: float, reply: Sequence[bytes]) -> None:
        seconds, microseconds = reply
        self._clock.sample(asked, time.monotonic(), int(seconds) + int(microseconds) / 1e6)

    def _end_round(self, began: float, complete: bool) -> None:
        if complete:
            self._fresh_at = began
        self.connected = True
        if self._replica.complete:
            self.first_round.set()

    def _beat(self, link: Link, now: float) -> None:
        if now - self._beat_at < self._staleness_s / 4:
            return
        self._beat_at = now
        link.run(BEAT, (WORKERS_KEY,), (self._worker, round(self._staleness_s * 1000))).add_done_callback(self._heard)

    def _heard(self, reply: Reply) -> None:
        if not reply.cancelled() and reply.exception() is None:
            self.workers = frozenset(decode(name) for name in reply.result())

    async def _take_in(self, link: Link, number: int, entries: Sequence[tuple[bytes, Sequence[bytes]]]) -> None:
        """Apply the entries of one stream, in order; take a new image where they do not follow on."""
        try:
            for position, fields in entries:
                self._tell(self._replica.apply(number, read_entry(position, fields)))
                self.changes += 1
        except Gap:
            self.gaps += 1
            self._load(link, number, await self._image(link, number))
        else:
            self._report(link, number)

    async def _image(self, link: Link, number: int) -> Image:
        """One partition: its epoch, the end of its stream and its hashes, all of one moment."""
        link.send("MULTI")
        link.send("GET", self._keys.of_partition(number, "epoch"))
        link.send("XREVRANGE", self._streams[number], "+", "-", "COUNT", 1)
        for noun in REPLICATED:
            link.send("HGETALL", self._keys.of_partition(number, noun))
        epoch, last, *hashes = await link.send("EXEC")
        return Image(
            epoch=int(epoch or 0),
            position=last[0][0] if last else b"0-0",
            hashes={noun: _pairs(flat) for noun, flat in zip(REPLICATED, hashes, strict=True)},
        )

    def _load(self, link: Link, number: int, image: Image) -> None:
        self.snapshots += 1
        self._on_image()
        for change in self._replica.load(number, image):
            self._tell(change)
        self._report(link, number)

    def _report(self, link: Link, number: int) -> None:
        """Say up to which epoch this worker has applied a partition's changes."""
        with contextlib.suppress(StoreUnavailable):  # the next round finds out
            link.send("HSET", self._keys.of_partition(number, "applied"), self._worker, self._replica.epoch(number))

    def _tell(self, change: Change) -> None:
        try:
            self._on_change(change)
        except Exception:  # a listener's fault must not stop the replica
            log.exception("a listener failed on a change of %s", change.noun)


def read_entry(position: bytes, fields: Sequence[bytes]) -> Entry:
    """An entry from its stream form, a flat list of names and values."""
    named = _pairs(fields)
    return Entry(
        position, int(named[b"epoch"]), Noun(named[b"noun"].decode()), decode(named[b"id"]), named.get(b"value")
    )


def _pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
