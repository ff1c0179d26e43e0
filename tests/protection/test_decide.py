"""The decision: what each stage says, and which signal wins."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.classes import Harm
from filters.hits import MODEL, Hit, Scan, Severity
from protection.actions import Action
from protection.blocklist import Blocked, Blocklist, Listed
from protection.circle import STRANGER, Tie
from protection.events import Event, Kind
from protection.modes import Room, RoomMode
from protection.pipeline import decide
from protection.policy import Policy, PolicyError
from protection.protections import ONE_KEY, Protection, Switch
from protection.sanctions import Measure, Sanction
from protection.snapshot import Charge, Concerned, Role, Scope, Snapshot
from protection.verdicts import Disposition, Signal, Verdict
from ratelimit.gcra import Allowance

NOW = 1_800_000_000.0
POLICY = Policy()
BARRAGE = Event(Kind.BARRAGE, "stranger", "a nice song", id="1", room="r")


def hit(harm: Harm, severity: Severity, start: int = 0, end: int = 1) -> Hit:
    return Hit(harm, start, end, severity, "raw", "why")


def judged(event: Event = BARRAGE, scan: Scan | None = None, policy: Policy = POLICY, **state: object) -> Verdict:
    return decide(event, msgspec.structs.replace(Snapshot(NOW), **state), scan or Scan(), policy)


def protected(*kinds: Switch, until: float = NOW + 60) -> Protection:
    return Protection(frozenset(kinds), until)


def test_a_harmless_message_to_nobody_in_particular_is_allowed() -> None:
    assert judged() == Verdict()


@pytest.mark.req("P1")
@pytest.mark.parametrize(
    ("kind", "switch"),
    [
        (Kind.DM, Switch.DM),
        (Kind.COMMENT, Switch.COMMENT),
        (Kind.FORWARD, Switch.FORWARD),
        (Kind.BARRAGE, Switch.BARRAGE),
        (Kind.CHAT, Switch.BARRAGE),
    ],
)
@pytest.mark.parametrize("role", [Role.TARGET, Role.OWNER])
def test_each_switch_closes_its_own_kind_and_no_other(kind: Kind, switch: Switch, role: Role) -> None:
    event = msgspec.structs.replace(BARRAGE, kind=kind)

    def refused(*kinds: Switch) -> bool:
        concerned = (Concerned("victim", role, protected(*kinds)),)
        return judged(event, concerned=concerned).disposition is Disposition.REJECT

    assert refused(switch)
    assert not refused(*(ONE_KEY - {switch}))


@pytest.mark.req("P1")
@pytest.mark.parametrize("kind", list(Kind))
def test_a_mention_is_closed_by_the_mention_switch_alone(kind: Kind) -> None:
    event = msgspec.structs.replace(BARRAGE, kind=kind, mentions=("victim",))

    def disposition(*kinds: Switch) -> Disposition:
        return judged(event, concerned=(Concerned("victim", Role.MENTION, protected(*kinds)),)).disposition

    assert disposition(Switch.MENTION) is Disposition.REJECT
    assert disposition(*(ONE_KEY - {Switch.MENTION})) is Disposition.ALLOW


@pytest.mark.req("P1")
@pytest.mark.parametrize("role", list(Role))
def test_the_mention_switch_also_holds_for_who_is_aimed_at_or_owns_the_room(role: Role) -> None:
    event = msgspec.structs.replace(BARRAGE, mentions=("victim",))
    concerned = (Concerned("victim", role, protected(Switch.MENTION)),)
    assert judged(event, concerned=concerned).reason == "protected"
    assert not judged(BARRAGE, concerned=concerned).reason


@pytest.mark.req("P1", "P6")
def test_the_circle_passes_and_an_ended_protection_no_longer_closes() -> None:
    closed = Concerned("victim", Role.TARGET, protected(*ONE_KEY))
    assert judged(concerned=(closed,)).reason == "protected"
    assert not judged(concerned=(msgspec.structs.replace(closed, ties=Tie.CHOSEN),)).reason
    ended = msgspec.structs.replace(closed, protection=protected(*ONE_KEY, until=NOW))
    assert not judged(concerned=(ended,)).reason


@pytest.mark.req("D2")
def test_a_mute_refuses_everything_until_it_ends() -> None:
    mute = Sanction(Measure.MUTE, NOW + 30, "insults", "mod")
    verdict = judged(sanctions=(mute,))
    assert (verdict.disposition, verdict.reason, verdict.retry_after) == (Disposition.REJECT, "muted", 30)
    assert judged(sanctions=(msgspec.structs.replace(mute, until=NOW),)) == Verdict()


@pytest.mark.req("S3")
@pytest.mark.parametrize(
    ("mode", "stranger", "friend", "owner"),
    [
        (RoomMode.OPEN, "", "", ""),
        (RoomMode.SLOW, "", "", ""),
        (RoomMode.CIRCLE_ONLY, "room-circle-only", "", ""),
        (RoomMode.READ_ONLY, "room-read-only", "room-read-only", ""),
        (RoomMode.SHUT, "room-shut", "room-shut", "room-shut"),
    ],
)
def test_who_may_speak_in_each_room_mode(mode: RoomMode, stranger: str, friend: str, owner: str) -> None:
    room = Room("host", mode)

    def reason(sender: str, trusted: bool) -> str:
        event = msgspec.structs.replace(BARRAGE, sender=sender)
        concerned = (
            () if sender == "host" else (Concerned("host", Role.OWNER, None, Tie.FRIEND if trusted else STRANGER),)
        )
        return judged(event, room=room, concerned=concerned).reason

    assert (reason("stranger", False), reason("friend", True), reason("host", False)) == (stranger, friend, owner)


@pytest.mark.req("S3", "P6")
def test_in_a_circle_only_room_a_friend_may_also_address_the_owner() -> None:
    """The owner is then listed as the target, which is the stronger role."""
    event = msgspec.structs.replace(BARRAGE, sender="friend", target="host")
    concerned = (Concerned("host", Role.TARGET, None, ties=Tie.CHOSEN),)
    assert not judged(event, room=Room("host", RoomMode.CIRCLE_ONLY), concerned=concerned).reason


@pytest.mark.req("S3")
def test_a_room_mode_that_has_ended_is_open_again() -> None:
    assert not judged(room=Room("host", RoomMode.SHUT, until=NOW)).reason
    assert judged(room=Room("host", RoomMode.SHUT, until=NOW + 5)).retry_after == 5


@pytest.mark.req("P3")
def test_a_refused_charge_says_when_to_come_back() -> None:
    charges = (Charge(Scope.FLOOD, Allowance(True, 1)), Charge(Scope.STRANGER_PAIR, Allowance(False, 1, 2_500_000)))
    verdict = judged(charges=charges)
    assert (verdict.disposition, verdict.reason, verdict.retry_after) == (Disposition.REJECT, "stranger-dm", 2.5)


MELON = Blocked(Blocklist(("西瓜", "melon")))


@pytest.mark.req("P5")
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("trusted", [False, True])
def test_a_persons_own_word_is_refused_whatever_the_kind_and_whoever_sends_it(
    kind: Kind, role: Role, trusted: bool
) -> None:
    event = msgspec.structs.replace(BARRAGE, kind=kind, text="送你一个西-瓜")
    verdict = judged(event, concerned=(Concerned("victim", role, None, Tie.FRIEND if trusted else STRANGER, MELON),))
    assert (verdict.disposition, verdict.reason) == (Disposition.REJECT, "own-word")
    assert verdict.signals == (Signal("blocklist", "own-word", Disposition.REJECT),)


@pytest.mark.req("P5")
@pytest.mark.parametrize("text", ["送你一个东瓜", "watermelon", "西，瓜", ""])
def test_what_holds_no_word_of_the_person_passes(text: str) -> None:
    event = msgspec.structs.replace(BARRAGE, text=text)
    assert judged(event, concerned=(Concerned("victim", Role.TARGET, blocked=MELON),)) == Verdict()


@pytest.mark.req("P5")
def test_the_words_are_those_of_whom_it_concerns_and_of_nobody_else() -> None:
    event = msgspec.structs.replace(BARRAGE, text="melon")
    without = Concerned("friend", Role.TARGET, blocked=Blocked(Blocklist(("berry",))))
    assert not judged(event, concerned=(without, Concerned("other", Role.MENTION))).reason
    mentioned = Concerned("other", Role.MENTION, blocked=MELON)
    assert judged(event, concerned=(without, mentioned)).reason == "own-word"


@pytest.mark.req("P5")
def test_who_is_refused_anyway_is_not_told_of_the_list() -> None:
    """Or a sender who has used up a limit could go on trying out words."""
    event = msgspec.structs.replace(BARRAGE, text="melon")
    listed = Concerned("victim", Role.TARGET, blocked=MELON)
    closed = msgspec.structs.replace(listed, protection=protected(*ONE_KEY))
    flood = (Charge(Scope.FLOOD, Allowance(False, 1, 1)),)
    mute = (Sanction(Measure.MUTE, NOW + 30, "", "mod"),)
    insult = Scan((hit(Harm.INSULT, Severity.SERIOUS),))
    assert judged(event, concerned=(closed,)).reason == "protected"
    assert judged(event, concerned=(listed,), charges=flood).reason == "flood"
    assert judged(event, concerned=(listed,), sanctions=mute).reason == "muted"
    assert judged(event, insult, concerned=(listed,)).reason == "insult"
    assert judged(event, concerned=(listed,), room=Room("", RoomMode.SHUT)).reason == "room-shut"


@pytest.mark.req("P5", "D1")
def test_a_nudge_or_a_mask_does_not_open_what_a_person_has_closed() -> None:
    event = msgspec.structs.replace(BARRAGE, text="melon", insisted=True)
    listed = (Concerned("victim", Role.TARGET, blocked=MELON),)
    assert judged(event, Scan((hit(Harm.INSULT, Severity.MILD),)), concerned=listed).reason == "own-word"
    assert judged(event, Scan((hit(Harm.PRIVACY, Severity.SERIOUS),)), concerned=listed).reason == "own-word"


@pytest.mark.req("P4", "S1")
@pytest.mark.parametrize("kind", list(Kind))
def test_the_ladder_turns_severity_into_a_disposition_for_every_kind(kind: Kind) -> None:
    event = msgspec.structs.replace(BARRAGE, kind=kind)

    def disposition(severity: Severity) -> Disposition:
        return judged(event, Scan((hit(Harm.INSULT, severity),))).disposition

    expected = [Disposition.NUDGE, Disposition.REJECT, Disposition.REJECT]
    assert [disposition(severity) for severity in Severity] == expected


@pytest.mark.req("S1")
@pytest.mark.req("S1")
def test_what_would_be_masked_is_masked_in_a_hidden_message_too_and_nowhere_else() -> None:
    event = msgspec.structs.replace(BARRAGE, text="ab cd ef")
    scan = Scan((hit(Harm.MOCKERY, Severity.MILD, 0, 2), hit(Harm.PRIVACY, Severity.MILD, 3, 5)))
    for mockery, masked in ((Disposition.HIDE, "ab ** ef"), (Disposition.REJECT, "")):
        policy = Policy({Harm.MOCKERY: (mockery,) * 3, Harm.PRIVACY: (Disposition.MASK,) * 3})
        verdict = judged(event, scan, policy)
        assert (verdict.disposition, verdict.text) == (mockery, masked)


@pytest.mark.req("S1", "P5")
def test_without_hiding_a_hidden_message_is_what_the_other_signals_make_of_it() -> None:
    hide, nudge, flood = (
        Signal("text", "mockery", Disposition.HIDE),
        Signal("text", "insult", Disposition.NUDGE),
        Signal("rate", "flood", Disposition.REJECT, 2.0),
    )
    hidden = Verdict(Disposition.HIDE, "mockery", signals=(hide, nudge), support=True)
    assert hidden.without_hiding() == Verdict(Disposition.NUDGE, "insult", signals=(nudge,), support=True)
    assert Verdict(Disposition.HIDE, "mockery", signals=(hide,)).without_hiding() == Verdict()
    refused = Verdict(Disposition.REJECT, "flood", 2.0, signals=(hide, flood))
    assert refused.without_hiding() is refused


def test_a_mask_covers_the_hits_and_nothing_else() -> None:
    event = msgspec.structs.replace(BARRAGE, text="call 138 now")
    verdict = judged(event, Scan((hit(Harm.PRIVACY, Severity.SERIOUS, 5, 8),)))
    assert (verdict.disposition, verdict.text) == (Disposition.MASK, "call *** now")


@pytest.mark.req("D1")
def test_insisting_lowers_a_nudge_and_nothing_more() -> None:
    insisted = msgspec.structs.replace(BARRAGE, insisted=True)
    assert judged(insisted, Scan((hit(Harm.INSULT, Severity.MILD),))).disposition is Disposition.ALLOW
    assert judged(insisted, Scan((hit(Harm.INSULT, Severity.SERIOUS),))).disposition is Disposition.REJECT


@pytest.mark.req("S5", "W3")
@pytest.mark.parametrize(
    ("beside", "disposition"),
    [
        (hit(Harm.INSULT, Severity.SERIOUS, 3, 6), Disposition.ALLOW),  # within the cry: "i hate my stupid self"
        (hit(Harm.INSULT, Severity.MILD, 8, 9), Disposition.ALLOW),
        (hit(Harm.INSULT, Severity.SERIOUS, 8, 9), Disposition.REJECT),
        (hit(Harm.THREAT, Severity.SEVERE, 8, 9), Disposition.REJECT),
    ],
)
def test_a_cry_for_help_is_helped_but_is_no_free_pass_for_abuse(beside: Hit, disposition: Disposition) -> None:
    verdict = judged(scan=Scan((hit(Harm.DISTRESS, Severity.SEVERE, 2, 7), beside)))
    assert (verdict.disposition, verdict.support) == (disposition, True)


def rated(harm: Harm, severity: Severity, chance: float, start: int = 0, end: int = 9) -> Hit:
    return Hit(harm, start, end, severity, MODEL, "clause", chance)


GOES_DIE = hit(Harm.SELF_HARM, Severity.SEVERE, 2, 5)


@pytest.mark.req("S5")
@pytest.mark.parametrize(
    ("hits", "disposition"),
    [
        # Whatever the model rates as abuse is the cry's own words, be the cry a term or the model's.
        ((hit(Harm.DISTRESS, Severity.SEVERE, 2, 7), rated(Harm.INSULT, Severity.SERIOUS, 0.9, 8, 9)), "allow"),
        ((rated(Harm.DISTRESS, Severity.MILD, 0.3), rated(Harm.THREAT, Severity.SERIOUS, 0.9)), "allow"),
        # A guess about the whole text excuses no term in it ...
        ((rated(Harm.DISTRESS, Severity.MILD, 0.9), hit(Harm.INSULT, Severity.SERIOUS)), "reject"),
        ((rated(Harm.DISTRESS, Severity.MILD, 0.9), hit(Harm.INSULT, Severity.MILD)), "allow"),
        # ... but words of dying, if the model is rather sure and sees no abuse.
        ((rated(Harm.DISTRESS, Severity.MILD, 0.9), GOES_DIE), "allow"),
        ((rated(Harm.DISTRESS, Severity.MILD, 0.4), GOES_DIE), "reject"),
        ((rated(Harm.DISTRESS, Severity.MILD, 0.9), GOES_DIE, rated(Harm.INSULT, Severity.MILD, 0.6)), "reject"),
    ],
)
def test_a_cry_that_the_model_hears_is_never_punished_by_it(hits: tuple[Hit, ...], disposition: str) -> None:
    verdict = judged(scan=Scan(hits))
    assert (verdict.disposition.word, verdict.support) == (disposition, True)


def test_the_most_severe_signal_wins_and_of_equals_the_first_stage() -> None:
    mute = Sanction(Measure.MUTE, NOW + 30, "", "mod")
    scan = Scan((hit(Harm.INSULT, Severity.MILD), hit(Harm.THREAT, Severity.SEVERE)))
    verdict = judged(scan=scan, sanctions=(mute,))
    assert verdict.reason == "muted"
    assert [signal.reason for signal in verdict.signals] == ["muted", "insult", "threat"]
    assert judged(scan=scan).reason == "threat"


hits = st.builds(hit, st.sampled_from(Harm), st.sampled_from(Severity), st.integers(0, 5), st.integers(5, 11))


@given(found=st.lists(hits, max_size=4).map(tuple), trusted=st.booleans(), kinds=st.frozensets(st.sampled_from(Switch)))
def test_no_signal_is_ever_weaker_than_the_verdict_and_a_mask_keeps_the_length(
    found: tuple[Hit, ...], trusted: bool, kinds: frozenset[Switch]
) -> None:
    concerned = (Concerned("victim", Role.TARGET, protected(*kinds), Tie.FRIEND if trusted else STRANGER),)
    verdict = judged(scan=Scan(found), concerned=concerned)
    assert verdict.disposition == max((s.disposition for s in verdict.signals), default=Disposition.ALLOW)
    if verdict.disposition is Disposition.MASK:
        assert len(verdict.text) == len(BARRAGE.text)


@pytest.mark.parametrize(
    ("ladders", "problem"),
    [
        ({Harm.INSULT: (Disposition.NUDGE, Disposition.HOLD, Disposition.REJECT)}, "hold is not built"),
        ({Harm.DISTRESS: (Disposition.ALLOW, Disposition.ALLOW, Disposition.MASK)}, "never punished"),
    ],
)
def test_a_policy_that_cannot_be_carried_out_is_refused(
    ladders: dict[Harm, tuple[Disposition, ...]], problem: str
) -> None:
    with pytest.raises(PolicyError, match=problem):
        Policy(ladders=ladders)  # type: ignore[arg-type]


@pytest.mark.req("P5")
@pytest.mark.parametrize("hidden", [*Listed, None])
def test_users_words_and_classes_are_kept_away_each_refused_or_hidden(hidden: Listed | None) -> None:
    lists = Blocklist(("melon",), ("troll",), (Harm.MARKETING,), () if hidden is None else (hidden,))
    concerned = (Concerned("victim", Role.MENTION, ties=Tie.FRIEND, blocked=Blocked(lists)),)
    event = msgspec.structs.replace(BARRAGE, sender="troll", text="a melon", mentions=("victim",), insisted=True)
    found = Scan((hit(Harm.MARKETING, Severity.MILD),))
    signals = {signal.reason: signal.disposition for signal in judged(event, found, concerned=concerned).signals}
    for listed, reason in zip(Listed, ("own-word", "own-user", "own-class"), strict=True):
        assert signals[reason] is (Disposition.HIDE if listed is hidden else Disposition.REJECT)
        assert Blocked(lists).action(listed) is (Action.HIDE if listed is hidden else Action.REFUSE)
    other = msgspec.structs.replace(event, sender="friend", text="a berry")
    assert judged(other, concerned=concerned) == Verdict()


@pytest.mark.req("P5", "D2")
def test_a_hidden_sender_who_is_refused_for_something_else_is_told_of_that_alone() -> None:
    hidden = Blocked(Blocklist(users=("troll",), hide=(Listed.USERS,)))
    event = msgspec.structs.replace(BARRAGE, sender="troll", target="victim")
    concerned = (Concerned("victim", Role.TARGET, blocked=hidden),)
    assert judged(event, concerned=concerned).disposition is Disposition.HIDE
    verdict = judged(event, concerned=concerned, sanctions=(Sanction(Measure.MUTE, NOW + 30, "insults", "mod"),))
    assert (verdict.disposition, verdict.reason) == (Disposition.REJECT, "muted")
