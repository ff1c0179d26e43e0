"""What state says about one message: the replica where that suffices, else one round trip, else the worst case.

Everything that has to be asked for a message is asked in one turn of the event loop and so in one write: the message
waits once. While the store is away nothing is asked: the last known protections stand, nobody counts as a member of a
circle, and limits are this worker's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from gateway.platform_circle import PlatformCircle
from gateway.state.blocked import BlockedLists
from gateway.state.circle import CircleMemo
from gateway.state.clock import StoreClock
from gateway.state.dms import DirectMessages
from gateway.state.partitions import Keys
from gateway.state.passes import Pass
from gateway.state.questions import Asking, Load
from gateway.state.quotas import Purse
from gateway.state.reader import Reader
from gateway.state.replica import Replica
from gateway.state.store import Store
from protection.circle import STRANGER, Tie
from protection.concern import people
from protection.dm_rules import MINOR, DmRules
from protection.events import Event, Kind
from protection.modes import Room, RoomMode
from protection.policy import Limits, Policy
from protection.protections import ONE_KEY, Protection
from protection.snapshot import Concerned, Role, Scope, Snapshot
from ratelimit.rate import Rate

NO_RULES = DmRules()

PRESUMED = Protection(ONE_KEY, until=float("inf"))
"""What a person has of whom nothing was ever loaded: nothing that may be protected opens."""


class Loader:
    """Makes the `Snapshot` of an `Event`."""

    def __init__(
        self, store: Store, keys: Keys, replica: Replica, reader: Reader, clock: StoreClock, staleness_s: float,
        policy: Callable[[], Policy], blocked: BlockedLists, platform: PlatformCircle | None = None,
    ) -> None:  # fmt: skip
        self._replica = replica
        self._clock = clock
        self._policy = policy
        self._blocked = blocked
        self._asking = Asking(store, keys, reader, staleness_s, platform)
        self._dms = DirectMessages(self._asking, self.limits)
        self._limits = (Limits(), Limits())

    @property
    def circle(self) -> CircleMemo:
        """What is remembered of circles."""
        return self._asking.circle

    @property
    def fresh(self) -> bool:
        """Whether the replica is younger than its deadline."""
        return self._asking.fresh

    def limits(self) -> Limits:
        """The limits in force: the policy's, or those that stand in for them."""
        base = self._policy().limits
        if self._limits[0] is not base:
            self._limits = base, msgspec.structs.replace(base, **_known(self._replica.limits()))
        return self._limits[1]

    def limits_changed(self) -> None:
        """Others stand in for the policy's; refusals that were bound to stand under the former ones no longer are."""
        self._limits = (Limits(), Limits())
        self._asking.purse = Purse()

    @property
    def changes(self) -> int:
        """A number that grows with everything that the replica learns."""
        return self._replica.changes

    def open_pass(self, event: Event) -> Pass | None:
        """A pass for events like this one, whatever their text; None where a message has to be loaded for."""
        if event.kind is Kind.DM or event.mentions or not (self.fresh and self._replica.complete):
            return None
        now = self._clock.now(time.monotonic())
        if any(sanction.active(now) for sanction in self._replica.sanctions_of(event.sender)):
            return None
        room = self._replica.room(event.room) if event.room else None
        if room is not None and room.mode_at(now) is not RoomMode.OPEN:
            return None
        for person in people(event, room):
            protection = self._protection(person, now)
            if (protection is not None and protection.active(now)) or self._replica.blocklist_of(person) is not None:
                return None
        room_lease = self._asking.purse.lease(self._asking.keys.pair("flood", event.sender, event.room))
        sender_lease = self._asking.purse.lease(self._asking.keys.of("sender-flood", event.sender))
        if room_lease is None or sender_lease is None:
            return None
        opened = Pass(self, (room_lease, sender_lease))
        return opened if opened.left() else None

    async def load(self, event: Event) -> Snapshot:
        """The state that the decision on this event sees. Waits for the store once at most; never raises for it."""
        room = self._replica.room(event.room) if event.room else None
        load = Load(event, self._clock.now(time.monotonic()), room, people(event, room))
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
                self._asking.ask_platform(load, person, guarded)
                closed = protection is not None and protected and protection.closes(event, person, aimed=True)
                closed = closed or (rules is not None and rules.closed_to_strangers(load.now))
                blocked = self._blocked.of(person)
                closed = closed or (blocked is not None and event.sender in blocked.users)
                self._dms.ask_target(load, person, rules or NO_RULES, charged=not (closed or muted))
            elif guarded:
                self._asking.ask_platform(load, person, guarded)
                self._asking.ask_trust(load, person)
        self._ask_quotas(load)
        self._dms.note_reply(load, self.dm_rules(event.sender, load.now))
        answered = await self._asking.settle(load)
        if event.kind is Kind.DM:
            self._dms.give_back(load, rules is not None and bool(rules.refusal(STRANGER, load.sender, load.now)[0]))
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
            fresh=answered and self._asking.fresh,
        )

    async def ties(self, person: str, other: str) -> Tie:
        """How ``other`` is in the person's circle; nobody is while the store cannot say. Mostly remembered."""
        load = Load(Event(Kind.CHAT, other, ""), self._clock.now(time.monotonic()), None, {})
        self._asking.ask_platform(load, person, guarded=True)
        self._asking.ask_trust(load, person)
        await self._asking.settle(load)
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

    def _ask_quotas(self, load: Load) -> None:
        """Has the sender any of their own limits left?"""
        event, room, limits = load.event, load.room, self.limits()
        if event.kind is Kind.DM:
            self._dms.ask_sender(load, limits)
            return
        asking, keys = self._asking, self._asking.keys
        asking.ask_lease(load, Scope.FLOOD, keys.pair("flood", event.sender, event.room), limits.flood)
        asking.ask_lease(load, Scope.SENDER_FLOOD, keys.of("sender-flood", event.sender), limits.in_all_rooms)
        if room is not None and room.mode_at(load.now) is RoomMode.SLOW and event.sender != room.owner:
            key = keys.pair("slow", event.room, event.sender)
            asking.ask_charge(load, Scope.SLOW, key, Rate(1, max(1, room.slow_s)))


def _known(limits: Mapping[str, Rate]) -> dict[str, Rate]:
    """Those limits that this version knows."""
    return {name: rate for name, rate in limits.items() if name in Limits.__struct_fields__}


def _circle_only(room: Room, now: float) -> bool:
    return room.mode_at(now) is RoomMode.CIRCLE_ONLY
