"""A platform's own sample bank: what comes in, what stays out, and that an import may be repeated."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import private
from filters.classes import Harm
from filters.samples import BankSample
from protection.own_bank import Fault, Merged, OwnSample, decided, merge, stored, without_private_data, written

pytestmark = pytest.mark.req("W2")

ROW = {
    "text": "你打得真烂，别玩了",
    "decision": "violation",
    "class": "insult",
    "kind": "chat",
    "language": "zh",
    "decided_by": "mod-7",
    "decided_at": "2026-11-22T10:00:00+08:00",
}
UPHELD = {"decision": "appeal-upheld", "class": ""}
SHIPPED = [("主播脑子是租来的吧，到期了赶紧还", "zh_abuse_1.csv:2")]


def row(place: str = "a.csv:2", /, **cells: str) -> OwnSample:
    return decided(ROW | cells, place, 1)


def merged(bank: list[OwnSample], *decisions: OwnSample) -> Merged:
    return merge(bank, SHIPPED, decisions)


def read_back(content: str) -> list[OwnSample]:
    return [stored(cells) for cells in csv.DictReader(io.StringIO(content))]


def test_a_decision_becomes_a_sample() -> None:
    one = row(text="  你打得真烂，\n别玩了 ")
    assert one.text == "你打得真烂， 别玩了"
    assert one.sample == BankSample("你打得真烂， 别玩了", True, Harm.INSULT, "chat", "moderation")
    assert one.decided_at.isoformat() == "2026-11-22T02:00:00+00:00"


@pytest.mark.req("D3")
def test_an_upheld_appeal_says_that_the_text_is_fine() -> None:
    assert row(**UPHELD).sample == BankSample(ROW["text"], False, None, "chat", "appeal")
    assert row(decision="appeal-rejected").sample.abusive
    assert row(decision="no-violation", **{"class": "distress"}).sample.harm is Harm.DISTRESS


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"decision": "ok"}, 'decision "ok" is none of violation, no-violation, appeal-upheld, appeal-rejected'),
        ({"class": "rude"}, 'class "rude" is none of insult, '),
        ({"kind": "mail"}, 'kind "mail" is none of chat, comment, barrage, dm, forward'),
        ({"language": "fr"}, 'language "fr" is none of zh, en'),
        ({"class": ""}, "what is abusive has a class, what is fine has none but distress"),
        ({"class": "distress"}, "what is abusive has a class"),
        ({"decision": "no-violation"}, "what is fine has none but distress"),
        ({"decided_by": "Li Ming"}, "decided_by is no opaque id"),
        ({"decided_by": "li@example.com"}, "decided_by is no opaque id"),
        ({"decided_by": "13812345678"}, "decided_by is no opaque id"),
        ({"decided_by": ""}, "decided_by is no opaque id"),
        ({"decided_at": "yesterday"}, 'decided_at "yesterday" is no time in ISO 8601 with a time zone'),
        ({"decided_at": "2026-11-22T10:00:00"}, "with a time zone"),
        ({"decided_at": "0001-01-01T00:00:00+14:00"}, "is no time"),
    ],
)
def test_a_row_that_does_not_say_what_it_must_is_told(cells: dict[str, str], said: str) -> None:
    with pytest.raises(Fault) as fault:
        row(**cells)
    assert said in str(fault.value)


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    with pytest.raises(Fault) as fault:
        row(kind="mail", decided_by="", decided_at="")
    assert len(str(fault.value).split("; ")) == 3


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("她电话是13812345678，快打", "她电话是***********，快打"),
        ("write to anna.b@example.com now", "write to ****************** now"),
        ("打1 3 8 1 2 3 4 5 6 7 8", "打*********************"),
    ],
)
def test_private_data_is_masked(text: str, kept: str) -> None:
    assert row(text=text).text == kept


@given(st.lists(st.sampled_from([*"电话微信号：13812345678 @.加", "qq", "a@b.com", "110101199003071233"]), max_size=30))
def test_no_private_data_is_left(pieces: list[str]) -> None:
    masked = without_private_data("".join(pieces))
    assert private.find(masked) == ()
    assert len(masked) == len("".join(pieces))


def test_near_duplicates_are_refused_with_their_places() -> None:
    found = merged(
        [row(text="完全不一样的另外一句话啊")],
        row("b.csv:2", text="主播脑子是租来的吧 到期了赶紧还！"),
        row("b.csv:3", text="完全不一样的另外一句话啊啊"),
        row("b.csv:4"),
        row("b.csv:5", text=ROW["text"] + "！！"),
    )
    assert found.refused == [
        "b.csv:2: nearly the same as zh_abuse_1.csv:2",
        "b.csv:3: nearly the same as a.csv:2",
        "b.csv:5: nearly the same as b.csv:4",
    ]
    assert (found.added, len(found.samples)) == (1, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("菜", "1 characters; a sample has 2 to 300"),
        ("菜" * 301, "301 characters; a sample has 2 to 300"),
        ("13812345678", "no letter is left without private data"),
    ],
)
def test_what_can_be_no_sample_is_refused(text: str, said: str) -> None:
    assert merged([], row("b.csv:2", text=text)).refused == [f"b.csv:2: {said}"]


@pytest.mark.req("D3")
def test_the_later_decision_on_a_text_stands() -> None:
    first = row()
    later = row("b.csv:2", decided_at="2026-11-23T00:00:00Z", **UPHELD)
    for decisions in ([later], [later, first], [first, later]):
        found = merged([first], *decisions)
        assert (found.samples, found.anew, found.added) == ([later], 1, 0)
    again = merged([later], first, later)
    assert (again.samples, again.changed, again.known) == ([later], False, 2)


def test_a_decision_from_between_two_is_not_the_latest() -> None:
    first, last = row(), row("b.csv:2", decided_at="2026-11-24T00:00:00Z")
    between = row("b.csv:3", decided_at="2026-11-23T00:00:00Z", **UPHELD)
    confirmed = merged([first], last).samples
    assert merged(confirmed, between).samples == [last]


def test_two_decisions_of_one_moment_are_no_decision() -> None:
    found = merged([row()], row("b.csv:9", **UPHELD))
    assert found.refused == ["b.csv:9: a.csv:2 decided otherwise at the same time"]
    assert not found.changed


DECISIONS = st.lists(
    st.builds(
        lambda text, upheld, day, line: row(
            f"x.csv:{line}", text=text, decided_at=f"2026-11-2{day}T00:00:00Z", **(UPHELD if upheld else {})
        ),
        st.sampled_from(["废物主播", "废物主播！", "废物 主播", "今天的汤", "今天的汤很好喝", SHIPPED[0][0]]),
        st.booleans(),
        st.integers(0, 3),
        st.integers(2, 99),
    )
)


@given(DECISIONS)
def test_merging_again_changes_nothing(decisions: list[OwnSample]) -> None:
    once = merged([], *decisions)
    again = merged(once.samples, *decisions)
    assert (again.samples, again.changed) == (once.samples, False)


@given(DECISIONS)
def test_a_bank_comes_back_from_its_file(decisions: list[OwnSample]) -> None:
    bank = merged([], *decisions).samples
    assert read_back(written(bank)) == bank


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("label", "0", "label should read 1"),
        ("about", "plain", "about should read moderation"),
        ("revision", "0", 'revision "0" is no number from 1 on'),
        ("revision", "x", 'revision "x" is no number from 1 on'),
        ("decided_at", "2026-11-22T10:00:00+08:00", "decided_at should read 2026-11-22T02:00:00Z"),
        ("decision", "maybe", 'decision "maybe" is none of'),
    ],
)
def test_a_line_that_no_import_has_written_is_told(column: str, value: str, said: str) -> None:
    (cells,) = csv.DictReader(io.StringIO(written([row()])))
    with pytest.raises(Fault) as fault:
        stored(cells | {column: value})
    assert said in str(fault.value)


def test_private_data_that_was_not_found_formerly_is_masked_when_it_is_read() -> None:
    (cells,) = csv.DictReader(io.StringIO(written([row()])))
    assert stored(cells | {"text": "她电话是13812345678"}).text == "她电话是***********"
