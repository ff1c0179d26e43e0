"""What can be asked for one message, of the store and of the platform, and how the answers are taken in.

Asking is a call and no wait: all that one message asks goes out together, and `Asking.settle` waits once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from gateway.platform_circle import PlatformCircle
from gateway.state.circle import CircleMemo
from gateway.state.errors import StoreUnavailable
from gateway.state.link import Argument, Reply
from gateway.state.partitions import Keys, encode
from gateway.state.quotas import LocalQuotas, Purse, limit_arguments, read_charge
from gateway.state.reader import Reader
from gateway.state.scripts import CHARGE, Script
from gateway.state.store import Store
from protection.circle import STRANGER, Tie
from protection.dm_rules import Account
from protection.events import Event
from protection.modes import Room
from protection.snapshot import Charge, Role, Scope
from ratelimit.gcra import Allowance
from ratelimit.lease import terms
from ratelimit.rate import MICROSECONDS, Rate


class Question(NamedTuple):
    """What one message asks: the reply to come (None: the store is down), and what to do with it (None: none came)."""

    reply: asyncio.Future[Any] | None
    settle: Callable[[Any], None]
    empty: Any = None
    """What an answer of nothing (nil) is read as: it is not the same as no answer."""
    of_store: bool = True
    """Whether the store is asked; otherwise the platform, which may keep its answer for itself."""


class Load(msgspec.Struct):
    """One message on its way to a `Snapshot`."""

    event: Event
    now: float
    room: Room | None
    people: dict[str, Role]
    questions: list[Question] = []
    ties: dict[str, Tie] = {}
    sender: Account = Account()
    charges: list[Charge] = []
    target_charges: tuple[tuple[bytes, Rate], ...] = ()
    """The limits of the target that were charged, and can be given back."""
    locally: bool = False
    """Whether those were limits of this worker's own."""
    place: tuple[bytes, bytes] | None = None
    """Where the target stands as a stranger whom the sender has written to, if this message put them there."""
    first: bytes = b""
    """The key under which this message stands as the one that may be sent before a reply, if it does."""

    def learn(self, person: str, ties: Tie) -> None:
        """How the sender is in a person's circle; the store and the platform may each know a part of it."""
        self.ties[person] = self.ties.get(person, STRANGER) | ties


class Asking:
    """Asks, remembers what needs no second question, and falls back to this worker's own limits without the store."""

    def __init__(
        self, store: Store, keys: Keys, reader: Reader, staleness_s: float, platform: PlatformCircle | None
    ) -> None:
        self.keys = keys
        self._store = store
        self._reader = reader
        self._staleness_s = staleness_s
        self._platform = platform
        self.purse = Purse()
        self._local = LocalQuotas()
        self.circle = CircleMemo()

    @property
    def fresh(self) -> bool:
        """Whether the replica is younger than its deadline."""
        return self._reader.age_s <= self._staleness_s

    def ask_platform(self, load: Load, person: str, guarded: bool) -> None:
        """What does the platform itself say of the two? Waited for where it decides; otherwise it is for next time."""
        if self._platform is None:
            return
        known = self._platform.known(person, load.event.sender)
        if known is not None:
            load.learn(person, known)
            return

        def settle(answer: Tie | None) -> None:
            load.learn(person, answer or STRANGER)

        asked = self._platform.ask(person, load.event.sender)
        if guarded:
            load.questions.append(Question(asked, settle, of_store=False))

    def ask_trust(self, load: Load, person: str) -> None:
        """How is the sender in the person's circle?"""
        known = self.circle.known(person, load.event.sender) if self.fresh else None
        if known is not None:
            load.learn(person, known)
            return
        count = self.circle.count(person)

        def settle(reply: bytes | int | None) -> None:
            self.learn_ties(load, person, count, reply)

        question = self.command("HGET", self.keys.of("members", person), encode(load.event.sender))
        load.questions.append(Question(question, settle, empty=0))

    def ask_charge(self, load: Load, scope: Scope, key: bytes, rate: Rate) -> None:
        """Charge one event."""
        asked_us = steady_us()
        refusal = self.purse.refused(key, asked_us)
        if refusal is not None:
            load.charges.append(Charge(scope, refusal))
            return

        def settle(reply: Sequence[int] | None) -> None:
            load.charges.append(Charge(scope, self.read_single(reply, key, rate, asked_us)))

        load.questions.append(Question(self.run(CHARGE, (key,), limit_arguments(rate)), settle))

    def ask_lease(self, load: Load, scope: Scope, key: bytes, rate: Rate) -> None:
        """Spend one event of the lease, or buy a new one."""
        asked_us = steady_us()
        held = self.purse.spend(key, asked_us)
        if held is not None:
            load.charges.append(Charge(scope, held))
            return
        lease = terms(rate)
        quantity = self.purse.begin(key, lease)

        def settle(reply: Sequence[int] | None) -> None:
            if quantity > 1:
                bought = read_charge(reply, 0)[0] if reply is not None else 0
                self.purse.end(key, bought, asked_us + lease.life_us)
            load.charges.append(Charge(scope, self.read_single(reply, key, rate, asked_us)))

        load.questions.append(Question(self.run(CHARGE, (key,), limit_arguments(rate, most=quantity)), settle))

    async def settle(self, load: Load) -> bool:
        """Wait for all replies at once and take them in; whether all came."""
        waiting = [question.reply for question in load.questions if question.reply is not None]
        try:
            if waiting:
                await asyncio.wait(waiting)
        finally:  # also when this task is cancelled: a purchase under way must come to its end
            answers = [_value(question) for question in load.questions]
            for question, answer in zip(load.questions, answers, strict=True):
                question.settle(answer)
        store = [answer for question, answer in zip(load.questions, answers, strict=True) if question.of_store]
        return None not in store

    def learn_ties(self, load: Load, person: str, count: int, reply: bytes | int | None) -> None:
        """Take in what the store says of the sender and a person, asked for when the memo's count was ``count``."""
        if reply is None:
            return  # unknown: a stranger
        ties = Tie(int(reply))
        load.learn(person, ties)
        self.circle.remember(person, load.event.sender, count, ties)

    def read_single(self, reply: Sequence[int] | None, key: bytes, rate: Rate, asked_us: int) -> Allowance:
        """The allowance of the first limit of a reply, or this worker's own; a refusal is remembered."""
        if reply is None:
            return self.charge_locally(((key, rate),))[0]
        allowance = read_charge(reply, 0)[1]
        if not allowance.allowed:
            self.purse.refuse(key, asked_us, allowance.retry_after_us)
        return allowance

    def charge_locally(self, limits: Sequence[tuple[bytes, Rate]]) -> list[Allowance]:
        """Charge limits of this worker's own, all or none."""
        return self._local.charge(limits, steady_us(), len(self._reader.workers))

    def command(self, *command: Argument) -> Reply | None:
        """Send one command; None while the store is down."""
        try:
            return self._store.command(*command)
        except StoreUnavailable:
            return None

    def run(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Argument]) -> Reply | None:
        """Run one script; None while the store is down."""
        try:
            return self._store.run(script, keys, arguments)
        except StoreUnavailable:
            return None

    def refund_locally(self, limits: Sequence[tuple[bytes, Rate]]) -> None:
        """Take back a charge of this worker's own limits."""
        self._local.refund(limits, len(self._reader.workers))


def _value(question: Question) -> Any:
    """The value of the reply; None when there is none."""
    reply = question.reply
    if reply is None or not reply.done() or reply.cancelled() or reply.exception() is not None:
        return None
    value = reply.result()
    return question.empty if value is None else value


def steady_us() -> int:
    """The local steady clock (microseconds)."""
    return int(time.monotonic() * MICROSECONDS)
