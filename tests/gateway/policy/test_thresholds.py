"""A file of thresholds: what it says, and what an operator is told of one that cannot be taken."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from filters.classes import Harm
from filters.thresholds import Threshold
from gateway.policy.thresholds import read_thresholds
from gateway.settings import SettingsError, load_settings
from protection.events import Kind
from protection.policy import PolicyError, Sensitivity
from protection.risk import Level

pytestmark = pytest.mark.req("O3")

GOOD = """distress = -1
[usual]
flag = 0.5
refuse = 2

[classes.hatred]
flag = 0.5
refuse = 3.5

[kinds]
dm = -0.5
[levels]
emergency = -0.7
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "own.toml"
    written.write_text(GOOD, encoding="utf-8")
    return written


def test_a_good_file_is_what_it_says(file: Path) -> None:
    assert read_thresholds(file) == Sensitivity(
        Threshold(0.5, 2.0), -1.0, {Harm.HATRED: Threshold(0.5, 3.5)}, {Kind.DM: -0.5}, {Level.EMERGENCY: -0.7}
    )


def test_the_shipped_file_is_one() -> None:
    with resources.as_file(resources.files("filters.model") / "thresholds.toml") as shipped:
        assert read_thresholds(shipped) == Sensitivity.shipped()


@pytest.mark.parametrize(
    ("before", "after", "faults"),
    [
        ("flag = 0.5\nrefuse = 2\n", "flag = 0.5\n", ['2: "usual.refuse" is missing']),
        ("distress = -1\n", "", ['1: "distress" is missing']),
        ("refuse = 2\n", "refuse = yes\n", ["4: Invalid value"]),
        ("refuse = 2\n", 'refuse = "2"\n', ["4: usual.refuse: Expected `float`, got `str`"]),
        ("refuse = 2\n", "refuse = nan\n", ["2: usual: flag 0.5 is above refuse nan"]),
        ("refuse = 3.5\n", "refuse = 0.1\n", ["6: classes.hatred: flag 0.5 is above refuse 0.1"]),
        ("dm = -0.5\n", "dm = inf\n", ["1: inf and nan are no thresholds; 99 is never reached"]),
        (
            "[classes.hatred]",
            "[classes.hate]",
            [
                '6: unknown key "hate"; known: insult, defamation, mockery, threat, privacy, pile-on, self-harm, '
                "distress, hatred, sexual, rumour, marketing"
            ],
        ),
        (
            "[classes.hatred]",
            "[classes.distress]",
            ["1: distress is no class of abuse: its threshold stands"],
        ),
        ("dm = ", "mail = ", ['11: unknown key "mail"; known: chat, comment, barrage, dm, forward']),
        ("emergency = ", "alarm = ", ['13: unknown key "alarm"; known: calm, watch, warning, emergency']),
        ("[levels]", "[level]", ['12: unknown key "level"; the nearest known key is "levels"']),
        (
            "flag = 0.5\nrefuse = 2\n",
            'flg = 0.5\nrefuse = "2"\n',
            [
                '2: "usual.flag" is missing',
                '3: unknown key "flg"; the nearest known key is "flag"',
                "4: usual.refuse: Expected `float`, got `str`",
            ],
        ),
        ("[kinds]\ndm = -0.5\n", "kinds = { dm = true }\n", ['10: unknown key "kinds"; the nearest known key is']),
        ("[kinds]\n", "[kinds\n", ["10: "]),
    ],
)
def test_each_fault_is_named_with_its_line(file: Path, before: str, after: str, faults: list[str]) -> None:
    assert before in GOOD
    file.write_text(GOOD.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(PolicyError) as refused:
        read_thresholds(file)
    said = str(refused.value).splitlines()
    assert len(said) == len(faults)
    for line, fault in zip(said, faults, strict=True):
        assert line.startswith(f"{file}:{fault}")


def test_files_that_cannot_be_read(tmp_path: Path, file: Path) -> None:
    file.write_bytes(b"distress = -1\n# caf\xe9\n")
    with pytest.raises(PolicyError, match=r"own.toml:2: this line is not UTF-8$"):
        read_thresholds(file)
    with pytest.raises(PolicyError, match=r"missing.toml: No such file or directory$"):
        read_thresholds(tmp_path / "missing.toml")


def test_the_settings_name_the_file_and_its_faults_end_the_start(file: Path) -> None:
    environment = {"SHIELDWIRE_POLICY__THRESHOLDS": str(file)}
    policy = load_settings(None, environment).policy.build()
    assert policy.thresholds_of(Kind.DM, Level.EMERGENCY).usual.flag == pytest.approx(0.5 - 0.5 - 0.7)
    file.write_text(GOOD.replace("refuse = 2", "refuse = 0"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"own.toml:2: usual: flag 0.5 is above refuse 0"):
        load_settings(None, environment)
