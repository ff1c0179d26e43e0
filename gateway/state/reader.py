"""Keeps the replica up to date, over one connection of its own.

Each round asks for the time and waits for the next entries of all change streams at once. A round that ends has seen
everything that was written before it began; that moment, on the local steady clock, is how fresh the replica is. So
neither a wrong clock, nor a dead connection, nor a pause of this process can make an old replica look fresh.

A round also says that this worker lives and, where something changed, up to which epoch it has applied it; that is
how a change learns that it is in force on N of N workers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import msgspec

from gateway.state.clock import StoreClock
from gateway.state.errors import PartitionsDiffer, StoreUnavailable
from gateway.state.link import Link, Reply
from gateway.state.partitions import PARTITIONS_KEY, WORKERS_KEY, Keys, decode
from gateway.state.replica import REPLICATED, Change, Entry, Gap, Image, Noun, Replica
from gateway.state.scripts import BEAT
from gateway.state.store import CONNECT_TIMEOUT_S, RETRY_S

MOST_ENTRIES = 1000
"""Entries of one stream taken in one round."""

UNREADABLE_S = 1.0
"""The pause before state that could not be read is tried again."""

log = logging.getLogger(__name__)


class Reader:
    """Runs as a task (`run`).

    ``on_change`` is called after each applied change, ``on_image`` when a partition was loaded anew, and changes of
    what is not in its image (circles) may have been missed.

    Counters, for metrics: ``snapshots`` (images taken of partitions), ``gaps`` (images taken because entries were
    missing), ``changes`` (entries applied) and ``connects``.
    """

    def __init__(
        self,
        url: str,
        keys: Keys,
        replica: Replica,
        clock: StoreClock,
        worker: str,
        staleness_s: float,
        on_change: Callable[[Change], None],
        on_image: Callable[[], None],
    ) -> None:
        self._url = url
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

    @property
    def age_s(self) -> float:
        """How long ago the replica was certainly complete (seconds; infinite before the first round)."""
        return time.monotonic() - self._fresh_at

    async def run(self) -> None:
        """Follow the store until cancelled; raises `PartitionsDiffer`, for which there is no remedy but settings."""
        while True:
            try:
                link = await Link.open(self._url, self._block_s + self._staleness_s / 2, CONNECT_TIMEOUT_S)
                try:
                    self.connects += 1
                    await self._follow(link)
                finally:
                    self.connected = False
                    await link.close()
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)
            except (msgspec.MsgspecError, LookupError, ValueError) as error:
                log.error("the store holds a state that this version cannot read: %s", type(error).__name__)
                self.run_id = ""  # whatever was half read is read again
                await asyncio.sleep(UNREADABLE_S)

    async def _follow(self, link: Link) -> None:
        await self._greet(link)
        while True:
            began = time.monotonic()
            self._beat(link, began)
            asked, awaited = link.send("TIME"), self._wait_for_entries(link)
            seconds, microseconds = await asked
            self._clock.sample(began, time.monotonic(), int(seconds) + int(microseconds) / 1e6)
            streams = await awaited or []
            for key, entries in streams:
                await self._take_in(link, self._numbers[key], entries)
            if all(len(entries) < MOST_ENTRIES for _, entries in streams):
                self._fresh_at = began
            self.connected = True
            self.first_round.set()

    async def _greet(self, link: Link) -> None:
        """See whom we are talking to; a store that is not the one we know has to be read anew."""
        wanted = self._keys.partitions
        link.send("SET", PARTITIONS_KEY, wanted, "NX")
        stored = int(await link.send("GET", PARTITIONS_KEY))
        if stored != wanted:
            raise PartitionsDiffer(stored, wanted)
        facts = dict(
            line.split(":", 1) for line in (await link.send("INFO", "server")).decode().splitlines() if ":" in line
        )
        if facts["run_id"] != self.run_id or not self._replica.complete:
            for number in range(self._keys.partitions):
                await self._take_image(link, number)
        self.run_id = facts["run_id"]
        self.version = facts.get("valkey_version") or facts["redis_version"]

    def _wait_for_entries(self, link: Link) -> Reply:
        """The first round of a connection does not wait: only when it is over is the replica fresh."""
        block = ("BLOCK", max(1, round(self._block_s * 1000))) if self.connected else ()
        streams = (*self._streams, *self._replica.positions())
        return link.send("XREAD", "COUNT", MOST_ENTRIES, *block, "STREAMS", *streams)

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
            await self._take_image(link, number)
        else:
            self._report(link, number)

    async def _take_image(self, link: Link, number: int) -> None:
        """Load one partition: its epoch, the end of its stream and its hashes, all of one moment."""
        link.send("MULTI")
        link.send("GET", self._keys.of_partition(number, "epoch"))
        link.send("XREVRANGE", self._streams[number], "+", "-", "COUNT", 1)
        for noun in REPLICATED:
            link.send("HGETALL", self._keys.of_partition(number, noun))
        epoch, last, *hashes = await link.send("EXEC")
        image = Image(
            epoch=int(epoch or 0),
            position=last[0][0] if last else b"0-0",
            hashes={noun: _pairs(flat) for noun, flat in zip(REPLICATED, hashes, strict=True)},
        )
        self.snapshots += 1
        self._on_image()
        for change in self._replica.load(number, image):
            self._tell(change)
        self._report(link, number)

    def _report(self, link: Link, number: int) -> None:
        """Say up to which epoch this worker has applied a partition's changes."""
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
