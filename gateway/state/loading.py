"""What state says about one message: the replica where that suffices, else one round trip, else the worst case.

Everything that has to be asked for a message is asked in one turn of the event loop and so in one write: the message
waits once. While the store is away nothing is asked: the last known protections stand, nobody counts as a member of a
circle, and limits are this worker's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from gateway.platform_circle import PlatformCircle
from gateway.state.blocked import BlockedLists
from gateway.state.circle import CircleMemo
from gateway.state.clock import StoreClock
from gateway.state.errors import StoreUnavailable
from gateway.state.link import Argument, Reply
from gateway.state.partitions import Keys, encode
from gateway.state.quotas import LocalQuotas, Purse, limit_arguments, read_charge
from gateway.state.reader import Reader
from gateway.state.replica import Noun, Replica
from gateway.state.scripts import CHARGE, DM, REFUND, SEND_DM, Script
from gateway.state.store import Store
from protection.circle import STRANGER, Tie
from protection.concern import people
from protection.dm_rules import MINOR, Account, DmRules
from protection.events import Event, Kind
from protection.modes import Room, RoomMode
from protection.policy import Limits, Policy
from protection.protections import ONE_KEY, Protection
from protection.snapshot import Charge, Concerned, Role, Scope, Snapshot
from ratelimit.gcra import Allowance
from ratelimit.lease import terms
from ratelimit.rate import MICROSECONDS, Rate

TALK_MS = 30 * 86_400_000
"""How long a first message waits for its reply, and how long a reply lets its receiver write on."""
NO_RULES = DmRules()
OF_SENDER = {Scope.DM_FLOOD, Scope.STRANGERS_REACHED}
"""What a DM is charged to its sender."""
REFUSED = Allowance(False, 0)
_read_account = msgspec.json.Decoder(Account).decode

PRESUMED = Protection(ONE_KEY, until=float("inf"))
"""What a person has of whom nothing was ever loaded: nothing that may be protected opens."""


class _Question(NamedTuple):
    """What one message asks: the reply to come (None: the store is down), and what to do with it (None: none came)."""

    reply: asyncio.Future[Any] | None
    settle: Callable[[Any], None]
    empty: Any = None
    """What an answer of nothing (nil) is read as: it is not the same as no answer."""
    of_store: bool = True
    """Whether the store is asked; otherwise the platform, which may keep its answer for itself."""


class _Load(msgspec.Struct):
    """One message on its way to a `Snapshot`."""

    event: Event
    now: float
    room: Room | None
    people: dict[str, Role]
    questions: list[_Question] = []
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


class Loader:
    """Makes the `Snapshot` of an `Event`."""

    def __init__(
        self, store: Store, keys: Keys, replica: Replica, reader: Reader, clock: StoreClock, staleness_s: float,
        policy: Callable[[], Policy], blocked: BlockedLists, platform: PlatformCircle | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._keys = keys
        self._replica = replica
        self._reader = reader
        self._clock = clock
        self._staleness_s = staleness_s
        self._policy = policy
        self._blocked = blocked
        self._platform = platform
        self._purse = Purse()
        self._local = LocalQuotas()
        self._limits = (Limits(), Limits())
        self.circle = CircleMemo()

    def limits(self) -> Limits:
        """The limits in force: the policy's, or those that stand in for them."""
        base = self._policy().limits
        if self._limits[0] is not base:
            self._limits = base, msgspec.structs.replace(base, **_known(self._replica.limits()))
        return self._limits[1]

    def limits_changed(self) -> None:
        """Others stand in for the policy's; refusals that were bound to stand under the former ones no longer are."""
        self._limits = (Limits(), Limits())
        self._purse = Purse()

    @property
    def fresh(self) -> bool:
        """Whether the replica is younger than its deadline."""
        return self._reader.age_s <= self._staleness_s

    async def load(self, event: Event) -> Snapshot:
        """The state that the decision on this event sees. Waits for the store once at most; never raises for it."""
        room = self._replica.room(event.room) if event.room else None
        load = _Load(event, self._clock.now(time.monotonic()), room, people(event, room))
        protections = {person: self._protection(person, load.now) for person in load.people}
        sanctions = self._replica.sanctions_of(event.sender)
        muted = any(sanction.refuses(event.kind, load.now) for sanction in sanctions)
        rules = self.dm_rules(event.target, load.now) if event.kind is Kind.DM and event.target else None
        for person, role in load.people.items():
            protection = protections[person]
            protected = protection is not None and protection.active(load.now)
            circle_only = room is not None and person == room.owner and _circle_only(room, load.now)
            guarded = protected or circle_only or (rules is not None and role is Role.TARGET)
            if event.kind is Kind.DM and role is Role.TARGET:
                self._ask_platform(load, person, guarded)
                closed = protection is not None and protected and protection.closes(event, person, aimed=True)
                closed = closed or (rules is not None and rules.closed_to_strangers(load.now))
                blocked = self._blocked.of(person)
                closed = closed or (blocked is not None and event.sender in blocked.users)
                self._ask_target(load, person, rules or NO_RULES, charged=not (closed or muted))
            elif guarded:
                self._ask_platform(load, person, guarded)
                self._ask_trust(load, person)
        self._ask_quotas(load)
        self._note_reply(load)
        answered = await self._settle(load)
        self._give_back(load, rules is not None and bool(rules.refusal(STRANGER, load.sender, load.now)[0]))
        return Snapshot(
            now=load.now,
            sanctions=sanctions,
            sender=load.sender,
            room=room,
            concerned=tuple(
                Concerned(
                    person,
                    role,
                    protections[person],
                    load.ties.get(person, STRANGER),
                    self._blocked.of(person),
                    rules if role is Role.TARGET else None,
                )
                for person, role in load.people.items()
            ),
            charges=tuple(load.charges),
            fresh=answered and self.fresh,
        )

    async def ties(self, person: str, other: str) -> Tie:
        """How ``other`` is in the person's circle; nobody is while the store cannot say. Mostly remembered."""
        load = _Load(Event(Kind.CHAT, other, ""), self._clock.now(time.monotonic()), None, {})
        self._ask_platform(load, person, guarded=True)
        self._ask_trust(load, person)
        await self._settle(load)
        return load.ties.get(person, STRANGER)

    def _protection(self, person: str, now: float) -> Protection | None:
        if not self._replica.knows(person):
            return PRESUMED
        protection = self._replica.protection_of(person)
        return None if protection is None else protection.at(now)

    def dm_rules(self, person: str, now: float) -> DmRules | None:
        """The rules for direct messages to a person: their own, else those of minors; None: there are none."""
        own = self._replica.dm_rules_of(person)
        return MINOR if own is None and now < self._replica.minor_until(person) else own

    # -- questions

    def _ask_platform(self, load: _Load, person: str, guarded: bool) -> None:
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
            load.questions.append(_Question(asked, settle, of_store=False))

    def _ask_trust(self, load: _Load, person: str) -> None:
        """How is the sender in the person's circle?"""
        known = self.circle.known(person, load.event.sender) if self.fresh else None
        if known is not None:
            load.learn(person, known)
            return
        count = self.circle.count(person)

        def settle(reply: bytes | int | None) -> None:
            self._learn_ties(load, person, count, reply)

        question = self._command("HGET", self._keys.of("members", person), encode(load.event.sender))
        load.questions.append(_Question(question, settle, empty=0))

    def _ask_target(self, load: _Load, person: str, rules: DmRules, charged: bool) -> None:
        """How is the sender of this DM in the target's circle, and a stranger: has the target room for their DM?

        A stranger whom the target's protection, their rules or a mute refuse anyway is not charged: such messages must
        not use up what the target leaves to other strangers.
        """
        if rules.asks_account:
            self._ask_account(load)
        remembered = self.fresh and self.circle.known(person, load.event.sender)
        if not charged or remembered or load.ties.get(person):
            self._ask_trust(load, person)
            return
        sender, limits, count = load.event.sender, self.limits(), self.circle.count(person)
        talk = self._keys.pair("talk", person, sender)
        charges = (
            (self._keys.pair("dm-pair", person, sender), rules.per_stranger or limits.stranger_dm),
            (self._keys.of("dm-strangers", person), rules.strangers or limits.strangers_dm),
        )

        def settle(reply: Sequence[int] | None) -> None:
            # Without the store nobody knows whether the target has replied.
            if (reply is None and rules.until_reply) or (reply is not None and reply[:2] == [0, 1]):
                load.charges.append(Charge(Scope.AWAITING_REPLY, REFUSED, rules.action))
            if reply is None:
                load.locally = True
                allowances = self._charge_locally(charges)
            else:
                self._learn_ties(load, person, count, reply[0])
                if len(reply) <= 2:
                    return
                allowances = [read_charge(reply[2:], index)[1] for index in (0, 1)]
                load.first = talk if reply[-1] else b""
            if all(allowance.allowed for allowance in allowances):
                load.target_charges = charges
            for scope, allowance in zip((Scope.STRANGER_PAIR, Scope.STRANGERS), allowances, strict=True):
                if load.target_charges or not allowance.allowed:
                    load.charges.append(Charge(scope, allowance, rules.action))

        keys = (self._keys.of("members", person), *(key for key, _ in charges), talk)
        rates = [part for _, rate in charges for part in (rate.interval_us, rate.period_us)]
        patience_ms = TALK_MS if rules.until_reply else 0
        load.questions.append(_Question(self._run(DM, keys, (encode(sender), *rates, patience_ms)), settle))

    def _ask_account(self, load: _Load) -> None:
        """What is known of the sender's account?"""
        sender = load.event.sender
        key = self._keys.of_partition(self._keys.partition(sender), Noun.ACCOUNT)

        def settle(reply: bytes | None) -> None:
            load.sender = read_account(reply)

        load.questions.append(_Question(self._command("HGET", key, encode(sender)), settle, empty=b""))

    def _note_reply(self, load: _Load) -> None:
        """Who wants one message of each stranger before a reply has replied by writing to them."""
        event = load.event
        if event.kind is not Kind.DM or not event.target:
            return
        own = self.dm_rules(event.sender, load.now)
        if own is not None and own.until_reply:
            self._command("SET", self._keys.pair("talk", event.sender, event.target), "answered", "PX", TALK_MS)

    def _ask_quotas(self, load: _Load) -> None:
        """Has the sender any of their own limits left?"""
        event, room, limits = load.event, load.room, self.limits()
        if event.kind is Kind.DM:
            self._ask_sender(load, limits)
            return
        self._ask_lease(load, Scope.FLOOD, self._keys.pair("flood", event.sender, event.room), limits.flood)
        self._ask_lease(load, Scope.SENDER_FLOOD, self._keys.of("sender-flood", event.sender), limits.sender_flood)
        if room is not None and room.mode_at(load.now) is RoomMode.SLOW and event.sender != room.owner:
            key = self._keys.pair("slow", event.room, event.sender)
            self._ask_charge(load, Scope.SLOW, key, Rate(1, max(1, room.slow_s)))

    def _ask_charge(self, load: _Load, scope: Scope, key: bytes, rate: Rate) -> None:
        """Charge one event."""
        asked_us = _steady_us()
        refusal = self._purse.refused(key, asked_us)
        if refusal is not None:
            load.charges.append(Charge(scope, refusal))
            return

        def settle(reply: Sequence[int] | None) -> None:
            load.charges.append(Charge(scope, self._read_single(reply, key, rate, asked_us)))

        load.questions.append(_Question(self._run(CHARGE, (key,), limit_arguments(rate)), settle))

    def _ask_sender(self, load: _Load, limits: Limits) -> None:
        """May the sender of this DM write at all, and to one stranger more?"""
        event, rate, reached = load.event, limits.dm_flood, limits.strangers_reached
        key, asked_us = self._keys.of("dm-flood", event.sender), _steady_us()
        refusal = self._purse.refused(key, asked_us)
        if refusal is not None:
            load.charges.append(Charge(Scope.DM_FLOOD, refusal))
            return
        places, target = self._keys.of("reached", event.sender), _digest(event.target)
        known = bool(load.ties.get(event.target)) or event.target in ("", event.sender)

        def settle(reply: Sequence[int] | None) -> None:
            load.charges.append(Charge(Scope.DM_FLOOD, self._read_single(reply, key, rate, asked_us)))
            if reply is None and not known:  # nobody knows to whom they have written: each message counts
                (allowance,) = self._charge_locally(((places, reached),))
                load.charges.append(Charge(Scope.STRANGERS_REACHED, allowance))
            elif reply is not None and reply[4]:
                refused = Allowance(False, 0, max(1, reply[5]) * 1000)
                load.charges.append(Charge(Scope.STRANGERS_REACHED, refused))
            elif reply is not None and reply[6]:
                load.place = (places, target)

        most = 0 if known else reached.limit
        arguments = (rate.interval_us, rate.period_us, target, most, reached.period_s * 1000)
        load.questions.append(_Question(self._run(SEND_DM, (key, places), arguments), settle))

    def _ask_lease(self, load: _Load, scope: Scope, key: bytes, rate: Rate) -> None:
        """Spend one event of the lease, or buy a new one."""
        asked_us = _steady_us()
        held = self._purse.spend(key, asked_us)
        if held is not None:
            load.charges.append(Charge(scope, held))
            return
        lease = terms(rate)
        quantity = self._purse.begin(key, lease)

        def settle(reply: Sequence[int] | None) -> None:
            if quantity > 1:
                bought = read_charge(reply, 0)[0] if reply is not None else 0
                self._purse.end(key, bought, asked_us + lease.life_us)
            load.charges.append(Charge(scope, self._read_single(reply, key, rate, asked_us)))

        load.questions.append(_Question(self._run(CHARGE, (key,), limit_arguments(rate, most=quantity)), settle))

    # -- answers

    async def _settle(self, load: _Load) -> bool:
        """Wait for all replies at once and take them in; whether all came."""
        waiting = [question.reply for question in load.questions if question.reply is not None]
        try:
            if waiting:
                await asyncio.wait(waiting)
        finally:  # also when this task is cancelled: a purchase under way must come to its end
            answers = [_answer(question) for question in load.questions]
            for question, answer in zip(load.questions, answers, strict=True):
                question.settle(answer)
        store = [answer for question, answer in zip(load.questions, answers, strict=True) if question.of_store]
        return None not in store

    def _give_back(self, load: _Load, unwanted: bool) -> None:
        """A DM refused for the sender's own quota, or for what their account is, costs the target nothing.

        Neither does that of a friend whom only the platform knows, and no stranger's limit holds them up.

        All were asked at once, so that the message waits once; what the target was charged goes back behind the
        answer. Should the store be lost in between, the target has one message less left: the side to err on.
        """
        trusted = bool(load.ties.get(load.event.target))
        if trusted and load.place is not None:
            self._command("ZREM", *load.place)
        refused = any(charge.scope in OF_SENDER and not charge.allowance.allowed for charge in load.charges)
        if not (trusted or ((refused or unwanted) and load.target_charges)):
            return
        kept = {Scope.DM_FLOOD} if trusted else OF_SENDER
        load.charges = [charge for charge in load.charges if charge.scope in kept]
        if not load.target_charges:
            return
        if load.locally:
            self._local.refund(load.target_charges, len(self._reader.workers))
        else:
            keys = [key for key, _ in load.target_charges]
            self._run(REFUND, keys, [rate.interval_us for _, rate in load.target_charges])
        if load.first:
            self._command("DEL", load.first)

    def _learn_ties(self, load: _Load, person: str, count: int, reply: bytes | int | None) -> None:
        if reply is None:
            return  # unknown: a stranger
        ties = Tie(int(reply))
        load.learn(person, ties)
        self.circle.remember(person, load.event.sender, count, ties)

    def _read_single(self, reply: Sequence[int] | None, key: bytes, rate: Rate, asked_us: int) -> Allowance:
        if reply is None:
            return self._charge_locally(((key, rate),))[0]
        allowance = read_charge(reply, 0)[1]
        if not allowance.allowed:
            self._purse.refuse(key, asked_us, allowance.retry_after_us)
        return allowance

    def _charge_locally(self, limits: Sequence[tuple[bytes, Rate]]) -> list[Allowance]:
        return self._local.charge(limits, _steady_us(), len(self._reader.workers))

    # -- the store

    def _command(self, *command: Argument) -> Reply | None:
        try:
            return self._store.command(*command)
        except StoreUnavailable:
            return None

    def _run(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Argument]) -> Reply | None:
        try:
            return self._store.run(script, keys, arguments)
        except StoreUnavailable:
            return None


def read_account(stored: bytes | None) -> Account:
    """What is known of an account, from its stored form; nothing where there is none."""
    return _read_account(stored) if stored else Account()


def _known(limits: Mapping[str, Rate]) -> dict[str, Rate]:
    """Those limits that this version knows."""
    return {name: rate for name, rate in limits.items() if name in Limits.__struct_fields__}


def _circle_only(room: Room, now: float) -> bool:
    return room.mode_at(now) is RoomMode.CIRCLE_ONLY


def _answer(question: _Question) -> Any:
    """The value of the reply; None when there is none."""
    reply = question.reply
    if reply is None or not reply.done() or reply.cancelled() or reply.exception() is not None:
        return None
    value = reply.result()
    return question.empty if value is None else value


def _digest(identity: str) -> bytes:
    """An id in so many bytes, whatever its length."""
    return hashlib.blake2b(encode(identity), digest_size=16).digest()


def _steady_us() -> int:
    return int(time.monotonic() * MICROSECONDS)
