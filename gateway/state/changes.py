"""Changes of state: written by one script, durable, and in force on every worker before the caller is told so."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import msgspec

from gateway.state.errors import StoreUnavailable
from gateway.state.link import Argument
from gateway.state.partitions import STREAM_LENGTH, Keys, encode
from gateway.state.reader import Reader
from gateway.state.replica import ModeSetting, Noun, sanction_field
from gateway.state.reports import in_force
from gateway.state.scripts import CHANGE
from gateway.state.store import Store
from protection.blocklist import Blocklist
from protection.modes import RoomMode
from protection.protections import Protection
from protection.sanctions import Measure, Sanction

ANSWER_S = 1.0
"""How long a change waits for the workers to apply it; the wait for the disk runs at the same time."""
MOST_MEMBERS = 1000
"""Members of a circle changed by one script call, so that none holds up the store."""


class Applied(msgspec.Struct, frozen=True):
    """What has become of a change."""

    epoch: int
    """Of the partition, with this change."""
    applied: int
    """On so many workers it is in force ..."""
    of: int
    """... of so many that live."""
    durable: bool
    """Whether it is on the store's disk; False also when the store cannot tell."""


class Changes:
    """All writes.

    Each raises `StoreUnavailable` when the store is down (then it may or may not have happened; all of them may be
    repeated), and `ValueError` for a time that is not finite.
    """

    def __init__(self, store: Store, keys: Keys, reader: Reader) -> None:
        self._store = store
        self._keys = keys
        self._reader = reader

    async def engage(self, person: str, protection: Protection) -> Applied:
        """Put a protection in force; it replaces the person's former one."""
        _refuse_endless(protection.until)
        return await self._put(Noun.PROTECTION, person, person, msgspec.json.encode(protection))

    async def release(self, person: str) -> Applied:
        """End a person's protection."""
        return await self._put(Noun.PROTECTION, person, person, None)

    async def set_blocklist(self, person: str, blocklist: Blocklist) -> Applied:
        """Put a person's own rules in force; they replace the former ones. Those that rule nothing out are not kept."""
        value = None if blocklist == Blocklist() else msgspec.json.encode(blocklist)
        return await self._put(Noun.BLOCKLIST, person, person, value)

    async def trust(self, person: str, others: Sequence[str]) -> Applied:
        """Take others into a person's circle."""
        return await self._change_circle(person, "add", others)

    async def distrust(self, person: str, others: Sequence[str]) -> Applied:
        """Take others out of a person's circle."""
        return await self._change_circle(person, "rem", others)

    async def set_owner(self, room: str, owner: str) -> Applied:
        """Say whose room it is; "" for nobody known."""
        return await self._put(Noun.OWNER, room, room, encode(owner) if owner else None)

    async def set_mode(self, room: str, mode: RoomMode, until: float, slow_s: int) -> Applied:
        """Run a room in a mode, until a time (unix seconds; 0: without end)."""
        _refuse_endless(until)
        return await self._put(Noun.MODE, room, room, msgspec.json.encode(ModeSetting(mode, until, slow_s)))

    async def clear_mode(self, room: str) -> Applied:
        """Run a room open again."""
        return await self._put(Noun.MODE, room, room, None)

    async def sanction(self, account: str, sanction: Sanction) -> Applied:
        """Put a measure in force; it replaces the same measure against the account."""
        _refuse_endless(sanction.until)
        field = sanction_field(account, sanction.measure)
        return await self._put(Noun.SANCTION, account, field, msgspec.json.encode(sanction))

    async def lift(self, account: str, measure: Measure) -> Applied:
        """End a measure against an account."""
        return await self._put(Noun.SANCTION, account, sanction_field(account, measure), None)

    async def _put(self, noun: Noun, identity: str, field: str, value: bytes | None) -> Applied:
        """Set (or, with None, delete) one field of a replicated hash in the partition of ``identity``."""
        partition = self._keys.partition(identity)
        operation = ("del",) if value is None else ("set", value)
        return await self._change(
            partition, self._keys.of_partition(partition, noun), (noun, encode(field), *operation)
        )

    async def _change_circle(self, person: str, operation: str, others: Sequence[str]) -> Applied:
        partition, key = self._keys.partition(person), self._keys.of("circle", person)
        *chunks, last = list(_chunks(others)) or [[]]
        # Only the last is waited for: the append-only file keeps the order, so what came before it is on disk with it.
        for chunk in chunks:
            await self._store.run(
                CHANGE,
                self._change_keys(partition, key),
                (STREAM_LENGTH, Noun.CIRCLE, encode(person), operation, *chunk),
            )
        return await self._change(partition, key, (Noun.CIRCLE, encode(person), operation, *last))

    async def _change(self, partition: int, key: bytes, arguments: Sequence[Argument]) -> Applied:
        deadline = time.monotonic() + ANSWER_S
        epoch, durable = await self._store.run_durably(
            CHANGE, self._change_keys(partition, key), (STREAM_LENGTH, *arguments)
        )
        applied, of = await self._applied(partition, epoch, deadline)
        return Applied(epoch, applied, of, durable)

    def _change_keys(self, partition: int, key: bytes) -> tuple[bytes, bytes, bytes]:
        return self._keys.of_partition(partition, "epoch"), self._keys.of_partition(partition, "changes"), key

    async def _applied(self, partition: int, epoch: int, deadline: float) -> tuple[int, int]:
        """Wait until all living workers have applied an epoch, or the deadline: how many have, and how many live."""
        try:
            return await in_force(self._store, self._keys.of_partition(partition, "applied"), epoch, deadline)
        except StoreUnavailable:  # the change itself was made
            return 0, len(self._reader.workers)


def _chunks(others: Sequence[str]) -> Iterator[list[bytes]]:
    for start in range(0, len(others), MOST_MEMBERS):
        yield [encode(other) for other in others[start : start + MOST_MEMBERS]]


def _refuse_endless(until: float) -> None:
    if not math.isfinite(until):
        raise ValueError(f"an end must be a finite time, not {until}")
