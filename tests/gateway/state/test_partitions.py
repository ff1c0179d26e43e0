"""Key names: one slot per partition, and no id that reaches into another's key."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.state.partitions import Keys, decode, encode

KEYS = Keys(64)
# Ids as an attacker writes them: separators, braces, digits, and lone surrogates too.
ids = st.text(
    st.one_of(st.sampled_from(":{}0123456789p,*\\\r\n \0"), st.characters(exclude_categories=())), max_size=12
)


def hash_tag(key: bytes) -> bytes:
    """What a Cluster hashes: between the first { and the first } after it (Cluster specification, "Hash tags")."""
    start = key.index(b"{")
    return key[start + 1 : key.index(b"}", start)]


@given(ids, ids)
def test_all_keys_of_a_person_lie_in_one_slot(person: str, other: str) -> None:
    tag = b"p%02d" % KEYS.partition(person)
    partition = KEYS.partition(person)
    keys = [KEYS.of("circle", person), KEYS.pair("slow", person, other), KEYS.of_partition(partition, "changes")]
    assert {hash_tag(key) for key in keys} == {tag}


@given(st.tuples(ids, ids), st.tuples(ids, ids))
def test_two_pairs_never_share_a_key(one: tuple[str, str], two: tuple[str, str]) -> None:
    assume(one != two)
    assert KEYS.pair("flood", *one) != KEYS.pair("flood", *two)


@given(ids, ids, ids)
def test_a_persons_key_is_never_a_pairs_or_a_partitions(person: str, home: str, other: str) -> None:
    nouns = ("protection", "sanction", "owner", "mode", "epoch", "changes", "applied")
    taken = {KEYS.pair(noun, home, other) for noun in ("flood", "slow", "dm-pair")}
    taken |= {KEYS.of_partition(KEYS.partition(person), noun) for noun in nouns}
    assert not taken & {KEYS.of(noun, person) for noun in ("circle", "dm-flood", "dm-strangers")}


@given(ids)
def test_any_id_survives_the_way_through_the_store(identity: str) -> None:
    assert decode(encode(identity)) == identity


def test_partitions_are_the_same_on_every_machine_and_in_every_version() -> None:
    assert [KEYS.partition(identity) for identity in ("", "alice", "王小明", "p{1}:2")] == [0, 7, 3, 2]


def test_a_store_has_a_partition() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Keys(0)
