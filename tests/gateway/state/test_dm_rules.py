"""A person's rules for direct messages over a real store: exact, in one wait, on every worker (P3, P10)."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest

from gateway.state.engine import Engine
from gateway.state.state import State
from protection.actions import Action
from protection.circle import Tie
from protection.dm_rules import DAY_S, MINOR, Account, DmRules, QuietHours, Senders
from protection.policy import Limits, Policy
from protection.snapshot import Scope
from ratelimit.rate import Rate
from tests.gateway.state.conftest import OpenState
from tests.gateway.state.test_loading import allowed, dm, refused
from tests.gateway.state.waiting import until

pytestmark = pytest.mark.req("P3")

ALL_DAY = tuple(QuietHours(start, end, "Asia/Shanghai") for start, end in ((0, 1439), (1439, 0)))


async def test_a_persons_own_numbers_stand_in_for_the_policys_on_every_worker_at_once(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    await until(lambda: here.status().workers == 2)
    answer = await here.set_dm_rules("alice", DmRules(Rate(1, 3600), Rate(3, 3600), action=Action.HIDE))
    assert (answer.applied, answer.of) == (2, 2)
    assert refused(await here.load(dm("s1"))) == []
    twice = await there.load(dm("s1"))
    assert refused(twice) == [Scope.STRANGER_PAIR]
    assert [charge.action for charge in twice.charges if not charge.allowance.allowed] == [Action.HIDE]
    assert [refused(await there.load(dm(f"s{number}"))) for number in (2, 3, 4)] == [[], [], [Scope.STRANGERS]]
    await there.set_dm_rules("alice", None)
    assert here.dm_rules_of("alice") is None


async def test_both_numbers_are_charged_together_or_not_at_all_under_concurrency(open_states: OpenState) -> None:
    states = [await open_states(f"w{number}", Policy(limits=Limits(dm_flood=Rate(1000, 60)))) for number in range(3)]
    await states[0].set_dm_rules("alice", DmRules(Rate(2, 3600), Rate(7, 3600)))
    loads = [state.load(dm(f"s{number}")) for _ in range(3) for number in range(6) for state in states]
    assert sum(allowed(snapshot) for snapshot in await asyncio.gather(*loads)) == 7


async def test_one_message_until_a_reply_and_then_more(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    await here.set_dm_rules("alice", DmRules(until_reply=True))
    assert allowed(await here.load(dm("bob")))
    for state in (here, there):
        assert refused(await state.load(dm("bob"))) == [Scope.AWAITING_REPLY]
    assert allowed(await here.load(dm("carol"))), "each has one"
    assert allowed(await there.load(dm("alice", "bob")))
    for state in (here, there):
        assert allowed(await state.load(dm("bob")))
    assert refused(await here.load(dm("carol"))) == [Scope.AWAITING_REPLY], "the reply was to somebody else"
    await here.tie("alice", ["carol"])
    assert allowed(await here.load(dm("carol")))


async def test_a_first_message_that_did_not_go_out_for_the_senders_own_limit_is_not_the_one(
    open_states: OpenState,
) -> None:
    state = await open_states("a", Policy(limits=Limits(dm_flood=Rate(1, 1))))
    await state.set_dm_rules("alice", DmRules(until_reply=True))
    assert allowed(await state.load(dm("bob", "somebody")))
    assert refused(await state.load(dm("bob"))) == [Scope.DM_FLOOD]
    started = state.now()
    await until(lambda: state.now() > started + 1.1)
    assert allowed(await state.load(dm("bob")))


@pytest.mark.parametrize("scope", [Senders.FOLLOWS, Senders.FRIENDS, Senders.NOBODY])
async def test_whom_the_scope_keeps_away_uses_up_nothing_of_what_is_left_to_strangers(
    state: State, scope: Senders
) -> None:
    await state.tie("alice", ["friend"], Tie.FRIEND)
    await state.set_dm_rules("alice", DmRules(Rate(1, 3600), Rate(1, 3600), scope=scope))
    for number in range(3):
        snapshot = await state.load(dm(f"s{number}"))
        assert [charge.scope for charge in snapshot.charges] == [Scope.DM_FLOOD]
        assert snapshot.concerned[0].ties == 0
    assert (await state.load(dm("friend"))).concerned[0].ties == Tie.FRIEND
    await state.set_dm_rules("alice", DmRules(Rate(1, 3600), Rate(1, 3600)))
    assert allowed(await state.load(dm("s0")))


async def test_in_quiet_hours_strangers_are_not_charged_and_the_circle_writes(state: State) -> None:
    await state.tie("alice", ["friend"], Tie.FOLLOWED)
    for quiet in ALL_DAY:
        rules = DmRules(Rate(1, 3600), quiet=quiet)
        await state.set_dm_rules("alice", rules)
        if quiet.left_s(state.now()) > 1:
            for _ in range(2):
                assert [charge.scope for charge in (await state.load(dm("bob"))).charges] == [Scope.DM_FLOOD]
            assert (await state.load(dm("friend"))).concerned[0].ties == Tie.FOLLOWED
            return
    raise AssertionError("one of the two is quiet at any time")


async def test_what_is_known_of_the_sender_is_asked_for_in_the_same_wait(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = DmRules(Rate(1, 3600), Rate(1, 3600), scope=Senders.OLDER_THAN, older_than_days=30)
    await state.set_dm_rules("alice", rules)
    await state.set_account("old", Account(created=state.now() - 31 * DAY_S))
    await state.set_account("new", Account(created=state.now() - 29 * DAY_S))
    wait = Mock(wraps=asyncio.wait)
    monkeypatch.setattr(asyncio, "wait", wait)
    for sender in ("nobody", "new"):
        snapshot = await state.load(dm(sender))
        assert rules.refusal(snapshot.concerned[0].ties, snapshot.sender, snapshot.now)[0] == "dm-scope"
    snapshot = await state.load(dm("old"))
    assert wait.call_count == 3
    assert not rules.refusal(snapshot.concerned[0].ties, snapshot.sender, snapshot.now)[0]
    assert allowed(snapshot), "those who were kept away gave back what they had been charged"
    assert not allowed(await state.load(dm("old")))


async def test_every_question_of_a_dm_goes_out_in_one_wait(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    await state.set_dm_rules("alice", DmRules(scope=Senders.VERIFIED, until_reply=True))
    await state.set_dm_rules("bob", DmRules(until_reply=True))
    wait = Mock(wraps=asyncio.wait)
    monkeypatch.setattr(asyncio, "wait", wait)
    await state.load(dm("bob"))
    assert wait.call_count == 1


async def test_without_the_store_rules_close_and_open_nothing(engine: Engine, state: State) -> None:
    await state.tie("alice", ["friend"], Tie.FRIEND)
    await state.set_account("known", Account(created=1.0, verified=True))
    await state.set_dm_rules("alice", DmRules(until_reply=True))
    await state.set_dm_rules("carol", DmRules(scope=Senders.VERIFIED))
    await state.set_dm_rules("dora", DmRules(scope=Senders.FRIENDS))
    await engine.__aexit__(None, None, None)
    await until(lambda: not state.status().connected)
    assert Scope.AWAITING_REPLY in refused(await state.load(dm("bob")))
    for person, sender in (("carol", "known"), ("dora", "friend")):
        snapshot = await state.load(dm(sender, person))
        (concerned,) = snapshot.concerned
        assert concerned.dm_rules is not None
        assert concerned.dm_rules.refusal(concerned.ties, snapshot.sender, snapshot.now)[0] == "dm-scope"


@pytest.mark.req("P10")
async def test_a_minor_has_the_rules_of_minors_until_they_are_of_age_or_have_their_own(open_states: OpenState) -> None:
    here, there = await open_states("a"), await open_states("b")
    await until(lambda: here.status().workers == 2)
    await here.set_account("alice", Account(), float("inf"))
    assert there.is_minor("alice")
    assert there.dm_rules_of("alice") == MINOR
    own = DmRules(until_reply=True)
    await here.set_dm_rules("alice", own)
    assert there.dm_rules_of("alice") == own
    await here.set_account("bob", Account(), here.now() + 0.5)
    assert there.dm_rules_of("bob") == MINOR
    await until(lambda: there.dm_rules_of("bob") is None)
    await here.set_account("alice", Account())
    assert not there.is_minor("alice")


@pytest.mark.req("P6")
async def test_ties_of_several_kinds_come_and_go_each_by_itself(state: State) -> None:
    await state.tie("alice", ["bob", "carol"], Tie.FRIEND)
    await state.tie("alice", ["bob"], Tie.FOLLOWED)
    assert await state.ties("alice", "bob") == Tie.FRIEND | Tie.FOLLOWED
    await state.untie("alice", ["bob", "carol"], Tie.FRIEND)
    assert await state.ties("alice", "bob") == Tie.FOLLOWED
    assert not await state.is_trusted("alice", "carol")
    await state.untie("alice", ["bob"])
    assert not await state.is_trusted("alice", "bob")


@pytest.mark.parametrize("odd", ["{p00}", "a:b", "1:a:b", "sw:{p01}:talk:1:a:b", "}{", "\ud800", "用户\r\n", "x" * 128])
async def test_ids_may_hold_anything(state: State, odd: str) -> None:
    await state.set_dm_rules(odd, DmRules(scope=Senders.VERIFIED, until_reply=True))
    await state.set_dm_rules("alice", DmRules(until_reply=True))
    await state.set_account(odd, Account(verified=True))
    assert await state.account(odd) == Account(verified=True)
    assert allowed(await state.load(dm(odd)))
    assert refused(await state.load(dm(odd))) == [Scope.AWAITING_REPLY]
    assert allowed(await state.load(dm("bob", odd)))
    assert allowed(await state.load(dm("alice", odd)))
    assert allowed(await state.load(dm(odd)))
    assert await state.account("alice") == Account()
    assert state.protection_of(odd) is None
