"""What state says about one message."""

from __future__ import annotations

import asyncio
import math
import random
import weakref
from unittest.mock import Mock

import msgspec
import pytest

from gateway.state import blocked
from gateway.state.partitions import Keys
from gateway.state.replica import Image, Noun, Replica
from gateway.state.state import State
from protection.blocklist import Blocked, Blocklist
from protection.circle import Tie
from protection.events import Event, Kind
from protection.modes import Room, RoomMode
from protection.policy import Limits, Policy
from protection.protections import ONE_KEY, Protection, Switch
from protection.sanctions import Measure, Sanction
from protection.snapshot import Concerned, Role, Scope, Snapshot
from ratelimit.lease import terms
from ratelimit.rate import MICROSECONDS, Rate
from tests.gateway.state.conftest import OpenState
from tests.gateway.state.waiting import until

TIGHT = Policy(limits=Limits(stranger_dm=Rate(2, 3600), strangers_dm=Rate(5, 3600), dm_flood=Rate(8, 3600)))


def dm(sender: str, target: str = "alice") -> Event:
    return Event(Kind.DM, sender, "hello", target=target)


def chat(sender: str, room: str = "r", **fields: str | tuple[str, ...]) -> Event:
    return Event(Kind.CHAT, sender, "hello", room=room, **fields)  # type: ignore[arg-type]


def one_key(state: State) -> Protection:
    return Protection(ONE_KEY, until=state.now() + 3600)


def refused(snapshot: Snapshot) -> list[Scope]:
    return [charge.scope for charge in snapshot.charges if not charge.allowance.allowed]


def allowed(snapshot: Snapshot) -> bool:
    return not refused(snapshot)


# -- whom it concerns


@pytest.mark.req("P1")
async def test_a_person_is_concerned_once_by_the_strongest_role_and_never_by_their_own_message(state: State) -> None:
    await state.set_owner("r", "owner")
    event = chat("sender", target="friend", mentions=("owner", "fan", "friend", "sender", "fan", ""))
    assert (await state.load(event)).concerned == (
        Concerned("friend", Role.TARGET),
        Concerned("owner", Role.OWNER),
        Concerned("fan", Role.MENTION),
    )
    assert (await state.load(chat("owner", target="owner"))).concerned == ()


@pytest.mark.req("P5")
async def test_a_blocklist_is_in_force_on_every_worker_when_it_is_answered_and_costs_no_question(
    open_states: OpenState,
) -> None:
    here, there = await open_states("a"), await open_states("b")
    await until(lambda: here.status().workers == 2)
    await here.set_owner("r", "alice")

    async def words() -> tuple[str, ...]:
        (alice,) = (await there.load(chat("stranger"))).concerned
        return alice.blocked.words.words if alice.blocked is not None else ()

    assert await words() == ()  # this also pays for some messages in advance
    calls = there.store.calls
    for listed in (("西瓜",), ("西瓜", "melon"), ("melon",), ()):
        answer = await here.set_blocklist("alice", Blocklist(listed))
        assert (answer.applied, answer.of) == (2, 2)
        assert await words() == listed
        assert there.blocklist_of("alice").words == listed
    assert there.store.calls == calls
    assert (await there.load(chat("alice"))).concerned == ()


@pytest.mark.req("P5")
async def test_words_are_indexed_once_for_each_list_and_not_for_each_message(state: State) -> None:
    await state.set_blocklist("alice", Blocklist(("melon",)))

    async def words() -> Blocked:
        (alice,) = (await state.load(dm("stranger"))).concerned
        assert alice.blocked is not None
        return alice.blocked

    first = await words()
    assert await words() is first
    assert state.blocked_by("alice") is first
    await state.set_blocklist("alice", Blocklist(("berry",)))
    assert (await words()).words.words == ("berry",)


@pytest.mark.req("P5")
def test_indexed_words_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocked, "MOST_ENTRIES_HELD", 8)
    replica = Replica(Keys(1))
    people = [f"p{number}" for number in range(20)]
    lists = {name.encode(): msgspec.json.encode(Blocklist((name + " a", name + " b"))) for name in people}
    replica.load(0, Image(1, b"1-0", {Noun.BLOCKLIST: lists}))
    held = blocked.BlockedLists(replica)
    made: list[weakref.ref[Blocked]] = []
    for person in people:
        words = held.of(person)
        assert words is not None
        assert words.words.words == (f"{person} a", f"{person} b")
        made.append(weakref.ref(words))
    del words
    assert [made.index(alive) for alive in made if alive() is not None] == [18, 19]


@pytest.mark.req("P1", "P6")
async def test_the_circle_is_asked_for_where_somebody_is_protected(state: State) -> None:
    protection = one_key(state)
    await state.set_owner("r", "owner")
    await state.engage("owner", protection)
    await state.tie("owner", ["friend"])
    assert (await state.load(chat("stranger"))).concerned == (Concerned("owner", Role.OWNER, protection),)
    assert (await state.load(chat("friend"))).concerned == (Concerned("owner", Role.OWNER, protection, Tie.CHOSEN),)
    mentioned = chat("friend", "other", mentions=("owner",))
    assert (await state.load(mentioned)).concerned == (Concerned("owner", Role.MENTION, protection, Tie.CHOSEN),)


@pytest.mark.req("P6")
async def test_circle_answers_are_remembered_until_the_circle_changes_on_any_worker(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    await here.engage("alice", one_key(here))
    comment = Event(Kind.COMMENT, "bob", "hello", target="alice")
    assert not (await there.load(comment)).concerned[0].trusted
    calls = there.store.calls
    assert not (await there.load(comment)).concerned[0].trusted
    assert there.store.calls == calls
    await here.tie("alice", ["bob"])
    assert (await there.load(comment)).concerned[0].trusted
    await here.untie("alice", ["bob"])
    assert not (await there.load(comment)).concerned[0].trusted


@pytest.mark.req("P1")
@pytest.mark.req("P6", "P7")
async def test_a_relation_asked_for_outside_of_a_message_is_remembered_in_the_same_place(
    open_states: OpenState,
) -> None:
    here, there = await open_states("a"), await open_states("b")
    await until(lambda: here.status().workers == 2)
    for trusted in (False, True, False):
        await (here.tie if trusted else here.untie)("alice", ["friend"])
        before = there.store.calls
        assert [bool(await there.ties_or_stranger("alice", "friend")) for _ in range(5)] == [trusted] * 5
        assert there.store.calls - before == 1
    await there.engage("alice", one_key(there))
    before = there.store.calls
    (alice,) = (await there.load(chat("friend", target="alice"))).concerned
    assert (alice.trusted, there.store.calls - before) == (False, 2)  # the leases of the flood limits, nothing else


async def test_an_ended_protection_asks_nothing(state: State) -> None:
    await state.engage("alice", Protection(ONE_KEY, until=state.now() - 1))
    calls = state.store.calls
    snapshot = await state.load(chat("bob", mentions=("alice",)))
    assert snapshot.concerned[0].protection is not None
    assert not snapshot.concerned[0].protection.active(snapshot.now)
    assert state.store.calls == calls + 2  # the leases: in this room, and in all


@pytest.mark.req("D2")
async def test_the_senders_sanctions_are_told(state: State) -> None:
    mute = Sanction(Measure.MUTE, until=state.now() + 60, reason="insult", by="moderator")
    await state.sanction("troll", mute)
    assert (await state.load(chat("troll"))).sanctions == (mute,)
    assert (await state.load(chat("alice"))).sanctions == ()


# -- rooms


@pytest.mark.req("S3")
async def test_in_a_circle_only_room_the_owners_circle_is_asked_for(state: State) -> None:
    await state.set_owner("r", "owner")
    await state.tie("owner", ["friend"])
    await state.set_mode("r", RoomMode.CIRCLE_ONLY)
    friend = await state.load(chat("friend"))
    assert friend.room == Room("owner", RoomMode.CIRCLE_ONLY)
    assert friend.concerned == (Concerned("owner", Role.OWNER, None, Tie.CHOSEN),)
    assert (await state.load(chat("stranger"))).concerned == (Concerned("owner", Role.OWNER, None),)
    at_the_owner = await state.load(chat("friend", target="owner"))
    assert at_the_owner.concerned == (Concerned("owner", Role.TARGET, None, Tie.CHOSEN),)


@pytest.mark.req("S3")
async def test_slow_mode_lets_a_sender_speak_once_per_pause_in_each_room(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    await here.set_mode("r", RoomMode.SLOW, slow_s=600)
    assert allowed(await here.load(chat("bob")))
    second = await there.load(chat("bob"))
    assert refused(second) == [Scope.SLOW]
    retry_after_us = second.charges[-1].allowance.retry_after_us
    assert 590 * MICROSECONDS < retry_after_us <= 600 * MICROSECONDS
    calls = there.store.calls
    third = await there.load(chat("bob"))
    assert refused(third) == [Scope.SLOW]
    assert third.charges[-1].allowance.retry_after_us < retry_after_us
    assert there.store.calls == calls, "a refusal that must stand is not asked for again"
    assert allowed(await there.load(chat("carol")))
    assert allowed(await there.load(chat("bob", "elsewhere")))
    await here.clear_mode("r")
    assert allowed(await there.load(chat("bob")))


# -- floods


@pytest.mark.req("P3")
async def test_public_messages_are_paid_by_lease(open_states: OpenState) -> None:
    rate = Rate(20, 3600)
    state = await open_states("a", Policy(limits=Limits(flood=rate)))
    answers = [allowed(await state.load(chat("bob"))) for _ in range(25)]
    assert answers == [True] * 20 + [False] * 5
    everywhere = math.ceil(25 / terms(Limits(flood=rate).in_all_rooms).quantity)
    room = 20 / terms(rate).quantity + 1
    assert state.store.calls == room + everywhere, "one call a lease, and one to hear that there is no more"
    assert allowed(await state.load(chat("bob", "elsewhere")))
    assert allowed(await state.load(chat("carol")))


@pytest.mark.req("P3")
async def test_leases_of_several_workers_take_from_one_limit(open_states: OpenState) -> None:
    rate = Rate(40, 3600)
    states = [await open_states(f"w{number}", Policy(limits=Limits(flood=rate))) for number in range(4)]
    rng = random.Random(7)
    loads = [rng.choice(states).load(chat("bob")) for _ in range(200)]
    admitted = sum(allowed(snapshot) for snapshot in await asyncio.gather(*loads))
    # No lease lapses in this time, so not one event is lost or made; what is left unspent lies with the workers.
    assert rate.limit - 4 * (terms(rate).quantity - 1) <= admitted <= rate.limit
    for state in states:
        while allowed(await state.load(chat("bob"))):
            admitted += 1
    assert admitted == rate.limit


@pytest.mark.req("P3", "P6")
async def test_a_friend_who_floods_somebody_protected_is_flooding_all_the_same(open_states: OpenState) -> None:
    state = await open_states("a", Policy(limits=Limits(flood=Rate(2, 3600))))
    await state.engage("alice", one_key(state))
    await state.tie("alice", ["friend"])
    comments = [await state.load(Event(Kind.COMMENT, "friend", "hello", target="alice")) for _ in range(3)]
    assert [refused(comment) for comment in comments] == [[], [], [Scope.FLOOD]]


# -- direct messages


@pytest.mark.req("P3")
async def test_strangers_dms_are_limited_each_and_all_together(open_states: OpenState) -> None:
    state = await open_states("a", TIGHT)
    assert [refused(await state.load(dm("s1"))) for _ in range(3)] == [[], [], [Scope.STRANGER_PAIR]]
    assert [refused(await state.load(dm("s2"))) for _ in range(2)] == [[], []]
    assert [refused(await state.load(dm(sender))) for sender in ("s3", "s4")] == [[], [Scope.STRANGERS]]
    assert allowed(await state.load(dm("s4", "somebody else")))


@pytest.mark.req("P3", "P6")
async def test_the_circle_writes_without_limit(open_states: OpenState) -> None:
    state = await open_states("a", TIGHT)
    await state.tie("alice", ["friend"])
    for _ in range(TIGHT.limits.dm_flood.limit):
        snapshot = await state.load(dm("friend"))
        assert snapshot.concerned == (Concerned("alice", Role.TARGET, None, Tie.CHOSEN),)
        assert [charge.scope for charge in snapshot.charges] == [Scope.DM_FLOOD]
        assert allowed(snapshot)
    assert refused(await state.load(dm("friend"))) == [Scope.DM_FLOOD]
    assert refused(await state.load(dm("stranger"))) == []


@pytest.mark.req("P3")
async def test_a_dm_refused_for_the_senders_own_quota_costs_the_target_nothing(open_states: OpenState) -> None:
    state = await open_states("a", TIGHT)
    for number in range(TIGHT.limits.dm_flood.limit):
        await state.load(dm("bob", f"victim-{number}"))
    for _ in range(10):
        snapshot = await state.load(dm("bob"))
        assert [charge.scope for charge in snapshot.charges] == [Scope.DM_FLOOD]
        assert not allowed(snapshot)
    admitted = [allowed(await state.load(dm(f"s{number}"))) for number in range(6)]
    assert admitted == [True] * TIGHT.limits.strangers_dm.limit + [False]


@pytest.mark.req("P1", "P3", "D2")
async def test_dms_refused_anyway_use_up_nothing_of_what_is_left_to_strangers(open_states: OpenState) -> None:
    state = await open_states("a", TIGHT)
    await state.engage("alice", Protection(frozenset({Switch.DM}), until=state.now() + 3600))
    for number in range(10):
        snapshot = await state.load(dm(f"s{number}"))
        assert [charge.scope for charge in snapshot.charges] == [Scope.DM_FLOOD]
        assert not snapshot.concerned[0].trusted
    await state.release("alice")
    await state.sanction("troll", Sanction(Measure.MUTE, until=state.now() + 60, reason="insult", by="moderator"))
    for _ in range(5):
        await state.load(dm("troll"))
    admitted = [allowed(await state.load(dm(f"t{number}"))) for number in range(6)]
    assert admitted == [True] * TIGHT.limits.strangers_dm.limit + [False]


@pytest.mark.req("P5", "P3")
async def test_a_blocked_user_uses_up_nothing_of_what_is_left_to_strangers(open_states: OpenState) -> None:
    state = await open_states("a", Policy(limits=Limits(strangers_dm=Rate(1, 3600))))
    await state.set_blocklist("alice", Blocklist(users=("troll",)))
    for _ in range(3):
        assert [charge.scope for charge in (await state.load(dm("troll"))).charges] == [Scope.DM_FLOOD]
    assert allowed(await state.load(dm("stranger")))


@pytest.mark.req("P3")
async def test_a_protection_that_leaves_dms_open_keeps_their_limits(open_states: OpenState) -> None:
    state = await open_states("a", TIGHT)
    await state.engage("alice", Protection(frozenset({Switch.COMMENT}), until=state.now() + 3600))
    assert [allowed(await state.load(dm("bob"))) for _ in range(3)] == [True, True, False]


@pytest.mark.req("P3")
async def test_quotas_are_exact_under_concurrency(open_states: OpenState) -> None:
    limits = Limits(stranger_dm=Rate(3, 3600), strangers_dm=Rate(50, 3600), dm_flood=Rate(1000, 3600))
    states = [await open_states(f"w{number}", Policy(limits=limits)) for number in range(4)]
    attempts = [(state, f"s{number}") for state in states for number in range(40) for _ in range(3)]
    random.Random(3).shuffle(attempts)
    snapshots = await asyncio.gather(*(state.load(dm(sender)) for state, sender in attempts))
    assert sum(allowed(snapshot) for snapshot in snapshots) == limits.strangers_dm.limit
    assert all(snapshot.fresh for snapshot in snapshots)
    pair = await asyncio.gather(*(state.load(dm("one", "bob")) for state in states for _ in range(25)))
    assert sum(allowed(snapshot) for snapshot in pair) == limits.stranger_dm.limit


async def test_a_message_waits_for_the_store_once(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it needs: two circles, two leases and the slow mode's charge, or both sides of a DM."""
    await state.set_owner("r", "owner")
    for person in ("owner", "fan"):
        await state.engage(person, one_key(state))
    await state.set_mode("r", RoomMode.SLOW)
    calls, wait = state.store.calls, Mock(wraps=asyncio.wait)
    monkeypatch.setattr(asyncio, "wait", wait)
    await state.load(chat("bob", mentions=("fan",)))
    assert (wait.call_count, state.store.calls - calls) == (1, 5)
    await state.load(dm("bob", "carol"))
    assert (wait.call_count, state.store.calls - calls) == (2, 7)


@pytest.mark.parametrize("odd", ["", "{p00}", "a:b", "1:a:b", "\ud800", "用户"])
async def test_ids_may_hold_anything(state: State, odd: str) -> None:
    for event in (dm(odd), dm("bob", odd), chat(odd, odd), chat("bob", odd, target=odd, mentions=(odd, odd + ":"))):
        snapshot = await state.load(event)
        assert snapshot.fresh
        assert allowed(snapshot)


async def test_the_clock_is_the_stores(state: State) -> None:
    seconds, microseconds = await state.store.command("TIME")
    assert abs(state.now() - (int(seconds) + int(microseconds) / 1e6)) < 0.1
    assert abs((await state.load(chat("bob"))).now - state.now()) < 0.1


# -- passes


@pytest.mark.req("P1", "P5", "S3", "D2")
async def test_a_pass_is_given_only_where_nothing_could_be_in_the_way(state: State) -> None:
    event = chat("sender", target="bob")
    assert state.open_pass(event) is None  # nothing is paid for yet
    await state.load(event)
    opened = state.open_pass(event)
    assert opened is not None
    left = opened.left()
    assert left > 0
    for refused in (dm("sender"), chat("sender", mentions=("x",)), chat("somebody else"), chat("sender", room="r2")):
        assert state.open_pass(refused) is None
    mute = Sanction(Measure.MUTE, state.now() + 60, "", "")
    obstacles = (
        (state.engage("bob", one_key(state)), state.release("bob")),
        (state.set_blocklist("bob", Blocklist(("word",))), state.set_blocklist("bob", Blocklist())),
        (state.set_mode("r", RoomMode.SLOW), state.clear_mode("r")),
        (
            state.sanction("sender", mute),
            state.lift("sender", Measure.MUTE),
        ),
    )
    for engage, release in obstacles:
        await engage
        assert opened.left() == 0  # at once, on sockets that are open
        assert state.open_pass(event) is None
        await release
        opened = state.open_pass(event)
        assert opened is not None
        assert opened.left() == left


@pytest.mark.req("S3")
async def test_what_passes_and_what_is_loaded_spend_the_same_lease(state: State) -> None:
    event = chat("sender")
    await state.load(event)
    opened = state.open_pass(event)
    assert opened is not None
    left = opened.left()
    opened.spend(1)
    await state.load(event)
    assert opened.left() == left - 2
    opened.spend(left - 2)
    assert opened.left() == 0
    assert state.open_pass(event) is None
