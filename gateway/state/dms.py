"""What a direct message asks of the store: of its target's partition and of its sender's, both at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from gateway.state.partitions import encode
from gateway.state.questions import Asking, Load, Question, steady_us
from gateway.state.quotas import read_charge
from gateway.state.replica import Noun
from gateway.state.scripts import DM, REFUND, SEND_DM
from protection.dm_rules import Account, DmRules
from protection.events import Kind
from protection.policy import Limits
from protection.snapshot import Charge, Scope
from ratelimit.gcra import Allowance

TALK_MS = 30 * 86_400_000
"""How long a first message waits for its reply, and how long a reply lets its receiver write on."""
OF_SENDER = {Scope.DM_FLOOD, Scope.STRANGERS_REACHED}
"""What a DM is charged to its sender."""
REFUSED = Allowance(False, 0)
_read_account = msgspec.json.Decoder(Account).decode


class DirectMessages:
    """Asks what a direct message needs; see `gateway.state.questions`."""

    def __init__(self, asking: Asking, limits: Callable[[], Limits]) -> None:
        self._asking = asking
        self._limits = limits

    def ask_target(self, load: Load, person: str, rules: DmRules, charged: bool) -> None:
        """How is the sender of this DM in the target's circle, and a stranger: has the target room for their DM?

        A stranger whom the target's protection, their rules or a mute refuse anyway is not charged: such messages must
        not use up what the target leaves to other strangers.
        """
        if rules.asks_account:
            self._ask_account(load)
        remembered = self._asking.fresh and self._asking.circle.known(person, load.event.sender)
        if not charged or remembered or load.ties.get(person):
            self._asking.ask_trust(load, person)
            return
        sender, limits, count = load.event.sender, self._limits(), self._asking.circle.count(person)
        talk = self._asking.keys.pair("talk", person, sender)
        charges = (
            (self._asking.keys.pair("dm-pair", person, sender), rules.per_stranger or limits.stranger_dm),
            (self._asking.keys.of("dm-strangers", person), rules.strangers or limits.strangers_dm),
        )

        def settle(reply: Sequence[int] | None) -> None:
            # Without the store nobody knows whether the target has replied.
            if (reply is None and rules.until_reply) or (reply is not None and reply[:2] == [0, 1]):
                load.charges.append(Charge(Scope.AWAITING_REPLY, REFUSED, rules.action))
            if reply is None:
                load.locally = True
                allowances = self._asking.charge_locally(charges)
            else:
                self._asking.learn_ties(load, person, count, reply[0])
                if len(reply) <= 2:
                    return
                allowances = [read_charge(reply[2:], index)[1] for index in (0, 1)]
                load.first = talk if reply[-1] else b""
            if all(allowance.allowed for allowance in allowances):
                load.target_charges = charges
            for scope, allowance in zip((Scope.STRANGER_PAIR, Scope.STRANGERS), allowances, strict=True):
                if load.target_charges or not allowance.allowed:
                    load.charges.append(Charge(scope, allowance, rules.action))

        keys = (self._asking.keys.of("members", person), *(key for key, _ in charges), talk)
        rates = [part for _, rate in charges for part in (rate.interval_us, rate.period_us)]
        patience_ms = TALK_MS if rules.until_reply else 0
        load.questions.append(Question(self._asking.run(DM, keys, (encode(sender), *rates, patience_ms)), settle))

    def _ask_account(self, load: Load) -> None:
        """What is known of the sender's account?"""
        sender = load.event.sender
        key = self._asking.keys.of_partition(self._asking.keys.partition(sender), Noun.ACCOUNT)

        def settle(reply: bytes | None) -> None:
            load.sender = read_account(reply)

        load.questions.append(Question(self._asking.command("HGET", key, encode(sender)), settle, empty=b""))

    def ask_sender(self, load: Load, limits: Limits) -> None:
        """May the sender of this DM write at all, and to one stranger more?"""
        event, rate, reached = load.event, limits.dm_flood, limits.strangers_reached
        key, asked_us = self._asking.keys.of("dm-flood", event.sender), steady_us()
        refusal = self._asking.purse.refused(key, asked_us)
        if refusal is not None:
            load.charges.append(Charge(Scope.DM_FLOOD, refusal))
            return
        places, target = self._asking.keys.of("reached", event.sender), _digest(event.target)
        known = bool(load.ties.get(event.target)) or event.target in ("", event.sender)

        def settle(reply: Sequence[int] | None) -> None:
            load.charges.append(Charge(Scope.DM_FLOOD, self._asking.read_single(reply, key, rate, asked_us)))
            if reply is None and not known:  # nobody knows to whom they have written: each message counts
                (allowance,) = self._asking.charge_locally(((places, reached),))
                load.charges.append(Charge(Scope.STRANGERS_REACHED, allowance))
            elif reply is not None and reply[4]:
                refused = Allowance(False, 0, max(1, reply[5]) * 1000)
                load.charges.append(Charge(Scope.STRANGERS_REACHED, refused))
            elif reply is not None and reply[6]:
                load.place = (places, target)

        most = 0 if known else reached.limit
        arguments = (rate.interval_us, rate.period_us, target, most, reached.period_s * 1000)
        load.questions.append(Question(self._asking.run(SEND_DM, (key, places), arguments), settle))

    def note_reply(self, load: Load, own: DmRules | None) -> None:
        """Who wants one message of each stranger before a reply (their ``own`` rules) replies by writing to them."""
        event = load.event
        if event.kind is not Kind.DM or not event.target:
            return
        if own is not None and own.until_reply:
            talk = self._asking.keys.pair("talk", event.sender, event.target)
            self._asking.command("SET", talk, "answered", "PX", TALK_MS)

    def give_back(self, load: Load, unwanted: bool) -> None:
        """A DM refused for the sender's own quota, or for what their account is, costs the target nothing.

        Neither does that of a friend whom only the platform knows, and no stranger's limit holds them up.

        All were asked at once, so that the message waits once; what the target was charged goes back behind the
        answer. Should the store be lost in between, the target has one message less left: the side to err on.
        """
        trusted = bool(load.ties.get(load.event.target))
        if trusted and load.place is not None:
            self._asking.command("ZREM", *load.place)
        refused = any(charge.scope in OF_SENDER and not charge.allowance.allowed for charge in load.charges)
        if not (trusted or ((refused or unwanted) and load.target_charges)):
            return
        kept = {Scope.DM_FLOOD} if trusted else OF_SENDER
        load.charges = [charge for charge in load.charges if charge.scope in kept]
        if not load.target_charges:
            return
        if load.locally:
            self._asking.refund_locally(load.target_charges)
        else:
            keys = [key for key, _ in load.target_charges]
            self._asking.run(REFUND, keys, [rate.interval_us for _, rate in load.target_charges])
        if load.first:
            self._asking.command("DEL", load.first)


def read_account(stored: bytes | None) -> Account:
    """What is known of an account, from its stored form; nothing where there is none."""
    return _read_account(stored) if stored else Account()


def _digest(identity: str) -> bytes:
    """An id in so many bytes, whatever its length."""
    return hashlib.blake2b(encode(identity), digest_size=16).digest()
