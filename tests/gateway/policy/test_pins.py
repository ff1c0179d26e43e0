"""What becomes of each case of the sample bank is pinned: a change that flips one is told."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

import filters.data
from filters.classes import Harm
from filters.reader import Reader
from filters.thresholds import Threshold
from gateway.policy import pins
from gateway.policy.pins import KNOWN_MISS, Case, Outcome
from protection.events import Kind
from protection.policy import Policy, Sensitivity
from protection.rules import Rules

pytestmark = pytest.mark.req("W2", "O3")

FILE = Path(filters.data.__file__).with_name(pins.FILE)
STRICT = """distress = -1.4
[usual]
flag = -0.5
refuse = 0.5
"""


def case(text: str) -> Case:
    return next(one for one in pins.cases() if one.text == text)


def test_the_pinned_outcomes_are_those_of_today() -> None:
    """After a change that is meant: ``python -m gateway.policy.pins``, and read the difference."""
    assert pins.written(Rules.shipped()) == FILE.read_text(encoding="utf-8")
    assert list(pins.flips(Rules.shipped())) == []


def test_every_case_is_pinned_and_known_misses_are_marked() -> None:
    pinned = pins.shipped()
    found = list(pins.cases())
    assert {one.digest for one in found} == pinned.keys()
    misses = {one.digest for one in found if one.error(pinned[one.digest])}
    rows = FILE.read_text(encoding="utf-8").splitlines()[2:]
    assert {row[1] for row in csv.reader(rows) if row[3] == KNOWN_MISS} == misses


SORTS = {
    "abusive": Case("a", Kind.CHAT, abusive=True, harm=Harm.INSULT, place="x:1"),
    "fine": Case("b", Kind.CHAT, abusive=False, harm=None, place="x:2"),
    "distress": Case("c", Kind.CHAT, abusive=False, harm=Harm.DISTRESS, place="x:3"),
}


@pytest.mark.req("W3", "S5")
@pytest.mark.parametrize(
    ("sort", "before", "flips"),
    [
        ("abusive", Outcome.REFUSE, {Outcome.DELIVER, Outcome.SUPPORT, Outcome.FLAG}),
        ("abusive", Outcome.FLAG, {Outcome.DELIVER, Outcome.SUPPORT, Outcome.REFUSE}),
        ("abusive", Outcome.DELIVER, set()),
        ("fine", Outcome.DELIVER, {Outcome.SUPPORT, Outcome.FLAG, Outcome.REFUSE}),
        ("fine", Outcome.FLAG, {Outcome.REFUSE}),
        ("fine", Outcome.REFUSE, set()),
        ("distress", Outcome.SUPPORT, {Outcome.DELIVER, Outcome.FLAG, Outcome.REFUSE}),
        ("distress", Outcome.DELIVER, {Outcome.FLAG, Outcome.REFUSE}),
    ],
)
def test_what_is_right_stays_and_what_is_wrong_gets_no_worse(sort: str, before: Outcome, flips: set[Outcome]) -> None:
    assert {after for after in Outcome if SORTS[sort].flipped(before, after)} == flips


def test_thresholds_that_flip_cases_are_told_with_place_and_words() -> None:
    never = Sensitivity(Threshold(99, 99), 99)
    rules = Rules(Reader.shipped(), Policy(sensitivity=never))
    told = list(pins.flips(rules))
    assert pins.outcome_of(case("nmsl"), rules) is Outcome.REFUSE  # a term, whatever the model says
    assert not any(line.startswith(f"{case('nmsl').place}:") for line in told)
    flagged = [one for one in pins.cases() if one.abusive and pins.shipped()[one.digest] is Outcome.FLAG]
    lost = [one for one in flagged if pins.outcome_of(one, rules) is Outcome.DELIVER]
    assert len(lost) > 100
    for one in lost:
        assert f'{one.place}: "{one.text}" ({one.harm}) is pinned as flag, and it would be deliver' in told


def test_the_check_fails_and_names_each_case_on_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "strict.toml"
    file.write_text(STRICT, encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "policy", "check", "--thresholds", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    *flips, last = done.stderr.splitlines()
    assert last == f"{len(flips)} fault(s); nothing has changed"
    assert [
        line for line in flips if line.startswith("zh_fine.csv:") and line.endswith("deliver, and it would be flag")
    ]
    done = subprocess.run([*command, "--accept-flips"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    file.write_text(STRICT.replace("-0.5", '"no"'), encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, f"{file}:3: usual.flag: Expected `float`, got `str`")


def test_the_shipped_policy_passes_its_own_check() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "policy", "check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "must begin"),
        ("shieldwire-pins 2\nfile,case,outcome,note\n", "must begin"),
        ("shieldwire-pins 1\nfile,case,outcome,note\nx.csv,0,pass,\n", "pins.csv:3: not a pin"),
        ("shieldwire-pins 1\nfile,case,outcome,note\nx.csv,0,flag,known\n", "pins.csv:3: not a pin"),
    ],
)
def test_a_list_that_is_not_as_described_is_refused(content: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pins.read(content)
