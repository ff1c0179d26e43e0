"""Changes of state: written by one script, durable, and in force on every worker before the caller is told so."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from gateway.state.errors import StoreUnavailable
from gateway.state.link import Argument
from gateway.state.partitions import STREAM_LENGTH, Keys, encode
from gateway.state.reader import Reader
from gateway.state.replica import LIMITS, ModeSetting, Noun, Replica, read_protection, sanction_field
from gateway.state.reports import in_force
from gateway.state.scripts import CHANGE, SWAP, TIES
from gateway.state.store import Store
from protection.blocklist import Blocklist
from protection.circle import CIRCLE, Tie
from protection.dm_rules import Account, DmRules
from protection.modes import RoomMode
from protection.notices import Notice
from protection.protections import Protection
from protection.sanctions import Measure, Sanction
from ratelimit.rate import Rate

ANSWER_S = 1.0
"""How long a change waits for the workers to apply it; the wait for the disk runs at the same time."""
MOST_MEMBERS = 1000
"""Members of a circle changed by one script call, so that none holds up the store."""


MOST_NOTICES = 10_000
"""Notices kept of a partition's people, as a record of what they were told."""


class AlreadyDone(Exception):
    """What may be done once only has been done before; nothing was changed."""


class Once(msgspec.Struct, frozen=True):
    """Something that may be done once only: its name among those of its person, and for how long that is remembered."""

    name: str
    life_s: float


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

    def __init__(self, store: Store, keys: Keys, reader: Reader, replica: Replica, now: Callable[[], float]) -> None:
        self._store = store
        self._keys = keys
        self._reader = reader
        self._replica = replica
        self._now = now

    async def engage(self, person: str, protection: Protection, once: Once | None = None) -> Applied:
        """Put a protection in force. Raises `AlreadyDone` where it may be done once only and has been.

        It replaces the former one; a preset keeps the settings that come back at its end.
        """
        _refuse_endless(protection.until)
        return await self._protect(person, lambda before, now: protection.over(before, now), once)

    async def release(self, person: str) -> Applied:
        """End a person's protection; the settings that a preset had covered are in force again."""
        return await self._protect(person, lambda before, now: before.ended(now) if before else None)

    async def lapse(self, person: str) -> bool:
        """Carry out what is due of a person's protection: its reminder, or its end. Whether anything was.

        Any number of workers may try at the same time: what one has done is no longer there for the others to do. What
        the person has changed meanwhile stands.
        """
        key = self._keys.of_partition(self._keys.partition(person), Noun.PROTECTION)
        seen = await self._kept_protection(key, person)
        due = read_protection(seen).lapse(self._now()) if seen else None
        if due is None:
            return False
        value, notice = due
        arguments = self._swap_arguments(person, seen, value, notice)
        return bool(await self._store.run(SWAP, self._swap_keys(person, key), arguments) > 0)

    async def tell(self, person: str, notice: Notice) -> Applied:
        """Tell a person something, on whatever sockets they have open, on every worker."""
        partition = self._keys.partition(person)
        nothing = self._keys.of_partition(partition, Noun.NOTICE)
        return await self._change(
            partition, nothing, (Noun.NOTICE, encode(person), "tell", msgspec.json.encode(notice))
        )

    async def set_blocklist(self, person: str, blocklist: Blocklist) -> Applied:
        """Put a person's own rules in force; they replace the former ones. Those that rule nothing out are not kept."""
        value = None if blocklist == Blocklist() else msgspec.json.encode(blocklist)
        return await self._put(Noun.BLOCKLIST, person, person, value)

    async def tie(self, person: str, others: Sequence[str], ties: Tie) -> Applied:
        """Take others into a person's circle; ties that they have already stay."""
        return await self._change_circle(person, "tie", others, ties)

    async def untie(self, person: str, others: Sequence[str], ties: Tie = CIRCLE) -> Applied:
        """Undo these ties of others to a person; who has none left is out of the circle."""
        return await self._change_circle(person, "untie", others, ties)

    async def set_dm_rules(self, person: str, rules: DmRules | None) -> Applied:
        """Put a person's own rules for direct messages in force; None: the defaults."""
        return await self._put(Noun.DM_RULES, person, person, None if rules is None else msgspec.json.encode(rules))

    async def set_limits(self, limits: Mapping[str, Rate]) -> Applied:
        """Put limits, by name, in force instead of those of the policy; none: the policy's alone."""
        value = msgspec.json.encode(limits) if limits else None
        return await self._put(Noun.LIMITS, LIMITS, LIMITS, value)

    async def set_account(self, account: str, known: Account, minor_until: float) -> Applied:
        """Say what is known of an account, and until when it is a minor's (unix seconds; 0: it is not)."""
        value = None if known == Account() else msgspec.json.encode(known)
        await self._put(Noun.ACCOUNT, account, account, value)
        minor = repr(minor_until).encode() if minor_until else None
        return await self._put(Noun.MINOR, account, account, minor)

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

    async def _kept_protection(self, key: bytes, person: str) -> bytes:
        """A person's protection as it is kept now in the hash at ``key``; "" for none."""
        return await self._store.command("HGET", key, encode(person)) or b""

    async def _protect(
        self, person: str, changed: Callable[[Protection | None, float], Protection | None], once: Once | None = None
    ) -> Applied:
        """Replace a person's protection by what the change makes of it, and of nothing that came after it was read."""
        deadline = time.monotonic() + ANSWER_S
        key = self._keys.of_partition(self._keys.partition(person), Noun.PROTECTION)
        # Mostly there is none, as the replica knows: a question less. Should it be wrong, the swap finds out.
        seen = b"" if self._replica.protection_of(person) is None else await self._kept_protection(key, person)
        while True:
            value = changed(read_protection(seen) if seen else None, self._now())
            keys = self._swap_keys(person, key)
            if once is not None:
                keys = (*keys, self._keys.pair("once", person, once.name))
            arguments = self._swap_arguments(person, seen, value, None, once)
            epoch, durable = await self._store.run_durably(SWAP, keys, arguments)
            if epoch < 0:
                raise AlreadyDone
            if epoch:
                partition = self._keys.partition(person)
                applied, of = await self._applied(partition, epoch, deadline)
                return Applied(epoch, applied, of, durable)
            seen = await self._kept_protection(key, person)

    def _swap_keys(self, person: str, key: bytes) -> tuple[bytes, ...]:
        partition = self._keys.partition(person)
        return *self._change_keys(partition, key), self._keys.of_partition(partition, "notices")

    def _swap_arguments(
        self, person: str, seen: bytes, value: Protection | None, notice: Notice | None, once: Once | None = None
    ) -> tuple[Argument, ...]:
        written = msgspec.json.encode(value) if value is not None else b""
        told = msgspec.json.encode(notice) if notice is not None else b""
        life_ms = max(1, math.ceil(once.life_s * 1000)) if once is not None else 0
        return STREAM_LENGTH, Noun.PROTECTION, encode(person), seen, written, told, MOST_NOTICES, life_ms

    async def _put(self, noun: Noun, identity: str, field: str, value: bytes | None) -> Applied:
        """Set (or, with None, delete) one field of a replicated hash in the partition of ``identity``."""
        partition = self._keys.partition(identity)
        operation = ("del",) if value is None else ("set", value)
        return await self._change(
            partition, self._keys.of_partition(partition, noun), (noun, encode(field), *operation)
        )

    async def _change_circle(self, person: str, operation: str, others: Sequence[str], ties: Tie) -> Applied:
        deadline = time.monotonic() + ANSWER_S
        partition = self._keys.partition(person)
        keys = self._change_keys(partition, self._keys.of("members", person))
        head = (STREAM_LENGTH, Noun.CIRCLE, encode(person), operation, int(ties))
        *chunks, last = list(_chunks(others)) or [[]]
        # Only the last is waited for: the append-only file keeps the order, so what came before it is on disk with it.
        for chunk in chunks:
            await self._store.run(TIES, keys, (*head, *chunk))
        epoch, durable = await self._store.run_durably(TIES, keys, (*head, *last))
        applied, of = await self._applied(partition, epoch, deadline)
        return Applied(epoch, applied, of, durable)

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
