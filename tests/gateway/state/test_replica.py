"""The replica's logic, without a store: images and entries in, answers out."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.partitions import Keys, encode
from gateway.state.reader import read_entry
from gateway.state.replica import Change, Entry, Gap, Image, ModeSetting, Noun, Replica, read_blocklist, sanction_field
from gateway.state.revisions import TEXT, Announcement
from protection.blocklist import Blocklist
from protection.modes import Room, RoomMode
from protection.protections import ONE_KEY, Protection, Switch
from protection.sanctions import Measure, Sanction

ONE = Keys(1)
EMPTY = Image(0, b"0-0", {})
PROTECTION = Protection(ONE_KEY, until=100.0)
MUTE = Sanction(Measure.MUTE, until=100.0, reason="insult", by="moderator")


def json(value: object) -> bytes:
    return msgspec.json.encode(value)


def entry(epoch: int, noun: Noun, field: str, value: bytes | None) -> Entry:
    return Entry(b"%d-0" % epoch, epoch, noun, field, value)


def loaded(image: Image = EMPTY) -> Replica:
    replica = Replica(ONE)
    replica.load(0, image)
    return replica


def test_before_its_image_a_partition_is_unknown() -> None:
    replica = Replica(ONE)
    assert not replica.knows("alice")
    assert not replica.complete
    assert replica.protection_of("alice") is None
    with pytest.raises(Gap):
        replica.apply(0, entry(1, Noun.PROTECTION, "alice", json(PROTECTION)))
    replica.load(0, EMPTY)
    assert replica.knows("alice")
    assert replica.complete


def test_changes_are_applied_in_turn() -> None:
    replica = loaded()
    assert replica.apply(0, entry(1, Noun.PROTECTION, "alice", json(PROTECTION))) == Change(Noun.PROTECTION, "alice", 1)
    assert replica.protection_of("alice") == PROTECTION
    assert replica.positions() == [b"1-0"]
    replica.apply(0, entry(2, Noun.PROTECTION, "alice", None))
    assert replica.protection_of("alice") is None
    assert replica.epoch(0) == 2


def test_a_room_has_an_owner_and_a_mode_that_change_apart() -> None:
    replica = loaded()
    assert replica.room("r") is None
    replica.apply(0, entry(1, Noun.MODE, "r", json(ModeSetting(RoomMode.SLOW, 50.0, 7))))
    replica.apply(0, entry(2, Noun.OWNER, "r", encode("主播:{1}")))
    assert replica.room("r") == Room("主播:{1}", RoomMode.SLOW, 50.0, 7)
    replica.apply(0, entry(3, Noun.MODE, "r", None))
    assert replica.room("r") == Room("主播:{1}")
    replica.apply(0, entry(4, Noun.OWNER, "r", None))
    assert replica.room("r") is None


def test_the_policy_announced_is_kept_and_its_change_is_told() -> None:
    replica = loaded()
    assert replica.announced(TEXT) is None
    first = Announcement().followed_by("a" * 64, 10, 1.0)
    assert replica.apply(0, entry(1, Noun.POLICY, TEXT, json(first))) == Change(Noun.POLICY, TEXT, 1)
    assert replica.announced(TEXT) == first
    second = first.followed_by("b" * 64, 20, 2.0)
    changes = replica.load(0, Image(9, b"9-0", {Noun.POLICY: {TEXT.encode(): json(second)}}))
    assert changes == [Change(Noun.POLICY, TEXT, 9)]
    assert replica.announced(TEXT) == second


@pytest.mark.req("P5")
def test_a_blocklist_is_kept_as_it_is_stored_and_its_change_is_told() -> None:
    replica = loaded()
    assert replica.blocklist_of("alice") is None
    first, second = json(Blocklist(("西瓜",))), json(Blocklist(("melon",)))
    assert replica.apply(0, entry(1, Noun.BLOCKLIST, "alice", first)) == Change(Noun.BLOCKLIST, "alice", 1)
    assert replica.blocklist_of("alice") == first
    assert replica.load(0, Image(9, b"9-0", {Noun.BLOCKLIST: {b"alice": second}})) == [
        Change(Noun.BLOCKLIST, "alice", 9)
    ]
    assert replica.blocklist_of("alice") == second
    replica.apply(0, entry(10, Noun.BLOCKLIST, "alice", None))
    assert replica.blocklist_of("alice") is None


@pytest.mark.req("P5")
def test_a_blocklist_of_a_later_version_is_read_as_far_as_it_is_understood() -> None:
    replica = loaded()
    replica.apply(0, entry(1, Noun.BLOCKLIST, "alice", b'{"words":["melon"],"pictures":["cats"]}'))
    stored = replica.blocklist_of("alice")
    assert stored is not None
    assert read_blocklist(stored) == Blocklist(("melon",))
    with pytest.raises(msgspec.MsgspecError):
        replica.apply(0, entry(2, Noun.BLOCKLIST, "alice", b'{"words":"melon"}'))


def test_an_account_whose_name_looks_like_a_field_is_just_an_account() -> None:
    replica = loaded()
    field = sanction_field("mute:x:y", Measure.MUTE)
    assert replica.apply(0, entry(1, Noun.SANCTION, field, json(MUTE))) == Change(Noun.SANCTION, "mute:x:y", 1)
    assert replica.sanctions_of("mute:x:y") == (MUTE,)
    assert replica.sanctions_of("x:y") == ()
    longer = msgspec.structs.replace(MUTE, until=200.0)
    replica.apply(0, entry(2, Noun.SANCTION, field, json(longer)))
    assert replica.sanctions_of("mute:x:y") == (longer,)
    replica.apply(0, entry(3, Noun.SANCTION, field, None))
    assert replica.sanctions_of("mute:x:y") == ()


@pytest.mark.parametrize(
    ("epoch", "why"),
    [(7, "an entry is missing"), (5, "an entry comes twice"), (1, "the store was emptied and counts anew")],
)
def test_an_entry_that_does_not_follow_is_a_gap_and_changes_nothing(epoch: int, why: str) -> None:
    replica = loaded(Image(5, b"5-0", {Noun.PROTECTION: {b"alice": json(PROTECTION)}}))
    with pytest.raises(Gap):
        replica.apply(0, entry(epoch, Noun.PROTECTION, "alice", None))
    assert replica.protection_of("alice") == PROTECTION, why
    assert replica.positions() == [b"5-0"]


def test_a_new_image_tells_what_is_different() -> None:
    replica = loaded(
        Image(
            5,
            b"5-0",
            {
                Noun.PROTECTION: {b"stays": json(PROTECTION), b"goes": json(PROTECTION)},
                Noun.OWNER: {b"r": b"alice", b"same": b"bob"},
                Noun.SANCTION: {b"mute:troll": json(MUTE)},
            },
        )
    )
    changes = replica.load(
        0,
        Image(
            9,
            b"9-0",
            {
                Noun.PROTECTION: {b"stays": json(PROTECTION), b"comes": json(PROTECTION)},
                Noun.OWNER: {b"r": b"alice", b"same": b"bob"},
                Noun.MODE: {b"r": json(ModeSetting(RoomMode.SHUT))},
            },
        ),
    )
    assert sorted(changes, key=lambda change: (change.noun, change.id)) == [
        Change(Noun.MODE, "r", 9),
        Change(Noun.PROTECTION, "comes", 9),
        Change(Noun.PROTECTION, "goes", 9),
        Change(Noun.SANCTION, "troll", 9),
    ]
    assert replica.protection_of("goes") is None
    assert replica.sanctions_of("troll") == ()
    assert replica.room("r") == Room("alice", RoomMode.SHUT)


def test_entries_are_read_from_the_streams_flat_form() -> None:
    fields = [b"epoch", b"3", b"noun", b"owner", b"id", "房间".encode(), b"value", b"alice"]
    assert read_entry(b"9-1", fields) == Entry(b"9-1", 3, Noun.OWNER, "房间", b"alice")
    assert read_entry(b"9-1", fields[:-2]).value is None


PEOPLE = ("alice", "bob", "a:{b}")
changes_of_protection = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.none() | st.sets(st.sampled_from(Switch), min_size=1)), max_size=30
)


@given(changes_of_protection, st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30)))
def test_whatever_is_lost_or_doubled_the_replica_ends_equal_to_the_store(
    changes: list[tuple[str, set[Switch] | None]], lost: set[int], doubled: set[int]
) -> None:
    truth: dict[str, Protection] = {}
    replica = loaded()
    for epoch, (person, switches) in enumerate(changes, 1):
        value = None
        if switches is None:
            truth.pop(person, None)
        else:
            truth[person] = Protection(frozenset(switches), until=float(epoch))
            value = json(truth[person])
        for _ in range((epoch not in lost) + (epoch in doubled)):
            try:
                replica.apply(0, entry(epoch, Noun.PROTECTION, person, value))
            except Gap:  # what the reader does then
                held = {encode(name): json(protection) for name, protection in truth.items()}
                replica.load(0, Image(epoch, b"%d-0" % epoch, {Noun.PROTECTION: held}))
            assert {name: replica.protection_of(name) for name in PEOPLE} == {name: truth.get(name) for name in PEOPLE}
