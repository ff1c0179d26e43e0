"""The local replica of what every message needs: people, rooms, and the policy announced. Pure: no I/O here.

Each partition is an image taken at one epoch, brought forward by the entries of its change stream. The store bumps the
epoch with every change, so the next entry must carry the next epoch; any other is a `Gap` (a trimmed stream, a store
that lost or forgot writes), and the partition needs a new image. `gateway.state.reader` brings images and entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

import msgspec

from gateway.state.partitions import Keys, decode
from gateway.state.revisions import Announcement
from protection.blocklist import Blocklist
from protection.dm_rules import DmRules
from protection.modes import DEFAULT_SLOW_S, Room, RoomMode
from protection.protections import Protection, Switch
from protection.sanctions import Sanction
from ratelimit.rate import Rate


class Noun(StrEnum):
    """What a change is about. All but circles and notices are hashes of a partition; see `REPLICATED`."""

    PROTECTION = "protection"
    SANCTION = "sanction"
    OWNER = "owner"
    MODE = "mode"
    POLICY = "policy"
    BLOCKLIST = "blocklist"
    CIRCLE = "circle"
    NOTICE = "notice"
    DM_RULES = "dm-rules"
    MINOR = "minor"
    ACCOUNT = "account"
    LIMITS = "limits"


REPLICATED = (
    Noun.PROTECTION,
    Noun.SANCTION,
    Noun.OWNER,
    Noun.MODE,
    Noun.POLICY,
    Noun.BLOCKLIST,
    Noun.DM_RULES,
    Noun.MINOR,
    Noun.LIMITS,
)


LIMITS = "limits"
"""The id of the limits, in the partition that it falls into."""


class Change(msgspec.Struct, frozen=True):
    """Something has changed about a person, a room (owner, mode) or the policy."""

    noun: Noun
    id: str
    epoch: int
    """Of the partition. A change found by taking a new image carries the image's epoch."""
    value: bytes | None = None
    """Of a notice, which is told and not kept."""


class ModeSetting(msgspec.Struct, frozen=True):
    """The stored form of a room's mode."""

    mode: RoomMode = RoomMode.OPEN
    until: float = 0.0
    slow_s: int = DEFAULT_SLOW_S


class Entry(msgspec.Struct, frozen=True):
    """One entry of a change stream. ``field`` is the key in the noun's hash; ``value`` is None for a deletion."""

    position: bytes
    epoch: int
    noun: Noun
    field: str
    value: bytes | None


class Image(msgspec.Struct, frozen=True):
    """A partition as it stood at one epoch, with the position of its stream at that moment."""

    epoch: int
    position: bytes
    hashes: Mapping[Noun, Mapping[bytes, bytes]]


class Asserted(msgspec.Struct, frozen=True):
    """A protection or sanction in its stored form, for a store that may have lost it. ``until`` is its end."""

    noun: Noun
    field: str
    value: bytes
    until: float


class Gap(Exception):
    """The entry does not follow from what is known: the partition needs a new image."""


def sanction_field(account: str, sanction: str) -> str:
    """The key of one measure against one account. Measures hold no colon; accounts may hold anything."""
    return f"{sanction}:{account}"


class _Partition:
    """What is known of one partition."""

    def __init__(self, epoch: int, position: bytes) -> None:
        self.epoch = epoch
        self.position = position
        self.protections: dict[str, Protection] = {}
        self.sanctions: dict[str, tuple[Sanction, ...]] = {}
        self.rooms: dict[str, Room] = {}
        self.policies: dict[str, Announcement] = {}
        self.dm_rules: dict[str, DmRules] = {}
        self.minors: dict[str, float] = {}
        """Until when they are (unix seconds)."""
        self.limits: dict[str, Rate] = {}
        """Those that stand in for the policy's, in the one partition of them all."""
        self.blocklists: dict[str, bytes] = {}
        """As stored: read into words they would take ten times the room, and most are not needed here today."""

    def set(self, noun: Noun, field: str, value: bytes | None) -> str:
        """Carry one change out; answers the id that it is about."""
        match noun:
            case Noun.PROTECTION:
                _put(self.protections, field, None if value is None else read_protection(value))
            case Noun.SANCTION:
                measure, _, account = field.partition(":")
                others = tuple(s for s in self.sanctions.get(account, ()) if s.measure.value != measure)
                _put(self.sanctions, account, others if value is None else (*others, _read_sanction(value)))
                return account
            case Noun.OWNER:
                room = self.rooms.get(field, _UNKNOWN_ROOM)
                self._set_room(field, msgspec.structs.replace(room, owner="" if value is None else decode(value)))
            case Noun.MODE:
                room = self.rooms.get(field, _UNKNOWN_ROOM)
                setting = _OPEN if value is None else _read_mode(value)
                self._set_room(field, Room(room.owner, setting.mode, setting.until, setting.slow_s))
            case Noun.POLICY:
                _put(self.policies, field, None if value is None else _read_announcement(value))
            case Noun.BLOCKLIST:
                if value is not None:
                    read_blocklist(value)  # what cannot be read is to be found out here, not when a message comes
                _put(self.blocklists, field, value)
            case Noun.DM_RULES:
                _put(self.dm_rules, field, None if value is None else _read_dm_rules(value))
            case Noun.LIMITS:
                self.limits = {} if value is None else _read_limits(value)
            case Noun.MINOR:
                _put(self.minors, field, None if value is None else float(value))
            case Noun.CIRCLE | Noun.NOTICE | Noun.ACCOUNT:
                pass
        return field

    def _set_room(self, identity: str, room: Room) -> None:
        _put(self.rooms, identity, None if room == _UNKNOWN_ROOM else room)


class Replica:
    """All partitions as far as they are known."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._partitions: list[_Partition | None] = [None] * keys.partitions
        self.changes = 0
        """How often anything was learned: what was concluded at another number may no longer hold."""

    def protection_of(self, person: str) -> Protection | None:
        """The person's protection, whether or not it is still in force."""
        partition = self._of(person)
        return partition.protections.get(person) if partition else None

    def protected(self) -> list[tuple[str, Protection]]:
        """Everybody who has a protection, in force or ended."""
        return [held for partition in self._partitions if partition for held in partition.protections.items()]

    def sanctions_of(self, account: str) -> tuple[Sanction, ...]:
        """The measures against an account, whether or not they are still in force."""
        partition = self._of(account)
        return partition.sanctions.get(account, ()) if partition else ()

    def room(self, identity: str) -> Room | None:
        """The room, if anything has been said about it."""
        partition = self._of(identity)
        return partition.rooms.get(identity) if partition else None

    def limits(self) -> Mapping[str, Rate]:
        """The limits that stand in for those of the policy, by their name."""
        partition = self._of(LIMITS)
        return partition.limits if partition else {}

    def dm_rules_of(self, person: str) -> DmRules | None:
        """The person's own rules for direct messages, if they have any."""
        partition = self._of(person)
        return partition.dm_rules.get(person) if partition else None

    def minor_until(self, person: str) -> float:
        """Until when the person is a minor (unix seconds); 0 for who is not known to be one."""
        partition = self._of(person)
        return partition.minors.get(person, 0.0) if partition else 0.0

    def blocklist_of(self, person: str) -> bytes | None:
        """The person's blocklist as it is stored, for `read_blocklist`; None if they have none."""
        partition = self._of(person)
        return partition.blocklists.get(person) if partition else None

    def announced(self, policy: str) -> Announcement | None:
        """What was last announced of a part of the policy, if anything ever was."""
        partition = self._of(policy)
        return partition.policies.get(policy) if partition else None

    def knows(self, identity: str) -> bool:
        """Whether this id's partition has ever been loaded: only then does "nothing found" mean anything."""
        return self._of(identity) is not None

    def knows_partition(self, number: int) -> bool:
        """Whether a partition has ever been loaded."""
        return self._partitions[number] is not None

    @property
    def complete(self) -> bool:
        """Whether every partition has been loaded."""
        return None not in self._partitions

    def epoch(self, number: int) -> int:
        """The epoch up to which a partition is known."""
        partition = self._partitions[number]
        return partition.epoch if partition else 0

    def position(self, number: int) -> bytes:
        """From where a partition's stream is to be read on."""
        partition = self._partitions[number]
        return partition.position if partition else b"0-0"

    def positions(self) -> list[bytes]:
        """From where each partition's stream is to be read on."""
        return [self.position(number) for number in range(len(self._partitions))]

    def lacking(self, number: int, image: Image) -> list[Asserted]:
        """The protections and sanctions known here that an image lacks, or has with an earlier end or less closed."""
        partition = self._partitions[number]
        if partition is None or partition.epoch == 0:
            return []
        known = _Partition(image.epoch, image.position)
        for noun in (Noun.PROTECTION, Noun.SANCTION):
            for raw, value in image.hashes.get(noun, {}).items():
                known.set(noun, decode(raw), value)
        found = []
        for person, protection in partition.protections.items():
            there = known.protections.get(person)
            if there is None or there.until < protection.until or not protection.kinds <= there.kinds:
                found.append(Asserted(Noun.PROTECTION, person, msgspec.json.encode(protection), protection.until))
        for account, sanctions in partition.sanctions.items():
            ends = {sanction.measure: sanction.until for sanction in known.sanctions.get(account, ())}
            for sanction in sanctions:
                if ends.get(sanction.measure, float("-inf")) < sanction.until:
                    field = sanction_field(account, sanction.measure)
                    found.append(Asserted(Noun.SANCTION, field, msgspec.json.encode(sanction), sanction.until))
        return found

    def load(self, number: int, image: Image) -> list[Change]:
        """Replace a partition by an image of it; answers what is different now."""
        self.changes += 1
        before = self._partitions[number] or _Partition(0, b"0-0")
        after = _Partition(image.epoch, image.position)
        for noun, fields in image.hashes.items():
            for field, value in fields.items():
                after.set(noun, decode(field), value)
        self._partitions[number] = after
        return [Change(noun, identity, image.epoch) for noun, identity in _differences(before, after)]

    def apply(self, number: int, entry: Entry) -> Change:
        """Bring a partition forward by one entry; raises `Gap` when it is not the next one."""
        partition = self._partitions[number]
        if partition is None or entry.epoch != partition.epoch + 1:
            raise Gap
        self.changes += 1
        identity = partition.set(entry.noun, entry.field, entry.value)
        partition.epoch, partition.position = entry.epoch, entry.position
        return Change(entry.noun, identity, entry.epoch, entry.value if entry.noun is Noun.NOTICE else None)

    def _of(self, identity: str) -> _Partition | None:
        return self._partitions[self._keys.partition(identity)]


V = TypeVar("V")

_UNKNOWN_ROOM = Room()
_OPEN = ModeSetting()
_decode_protection = msgspec.json.Decoder(Protection).decode
_read_sanction = msgspec.json.Decoder(Sanction).decode
_read_announcement = msgspec.json.Decoder(Announcement).decode
read_blocklist = msgspec.json.Decoder(Blocklist).decode
_read_limits = msgspec.json.Decoder(dict[str, Rate]).decode
_read_dm_rules = msgspec.json.Decoder(DmRules).decode
_read_mode = msgspec.json.Decoder(ModeSetting).decode


_sets_of_switches: dict[frozenset[Switch], frozenset[Switch]] = {}


def read_protection(value: bytes) -> Protection:
    """A protection whose switches are a set that it shares with all that have the same: one takes 700 bytes."""
    protection = _decode_protection(value)
    kinds = _sets_of_switches.setdefault(protection.kinds, protection.kinds)
    msgspec.structs.force_setattr(protection, "kinds", kinds)
    return protection


def _put(mapping: dict[str, V], key: str, value: V | None) -> None:
    if value:
        mapping[key] = value
    else:
        mapping.pop(key, None)


def _differing(before: Mapping[str, V], after: Mapping[str, V]) -> Iterable[str]:
    return [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]


def _differences(before: _Partition, after: _Partition) -> Iterator[tuple[Noun, str]]:
    for identity in _differing(before.protections, after.protections):
        yield Noun.PROTECTION, identity
    for identity in _differing(before.sanctions, after.sanctions):
        yield Noun.SANCTION, identity
    for identity in _differing(before.blocklists, after.blocklists):
        yield Noun.BLOCKLIST, identity
    for identity in _differing(before.dm_rules, after.dm_rules):
        yield Noun.DM_RULES, identity
    if before.limits != after.limits:
        yield Noun.LIMITS, LIMITS
    for identity in _differing(before.minors, after.minors):
        yield Noun.MINOR, identity
    for identity in _differing(before.policies, after.policies):
        yield Noun.POLICY, identity
    for identity in _differing(before.rooms, after.rooms):
        old, new = before.rooms.get(identity, _UNKNOWN_ROOM), after.rooms.get(identity, _UNKNOWN_ROOM)
        if old.owner != new.owner:
            yield Noun.OWNER, identity
        if msgspec.structs.replace(old, owner=new.owner) != new:
            yield Noun.MODE, identity
