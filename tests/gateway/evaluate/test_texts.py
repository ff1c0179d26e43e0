"""`shieldwire eval FILE.csv` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.evaluate import Row, evaluate
from tests.gateway.command import in_a_process, shieldwire

HOSTILE = ["你这个傻逼，滚出去", "you are a fucking idiot, kill yourself", "操你妈的废物主播"]
FINE = ["今天的汤很好喝", "the ending of this movie was terrible", "送餐慢了两个小时，差评"]


def written(folder: Path, content: str, hostile: str = "1", fine: str = "0") -> Path:
    """A file with the lines above below this header; further columns stay empty."""
    file = folder / "texts.csv"
    more = "," * (content.count(",") - 1)
    lines = [f'"{text}",{hostile}{more}' for text in HOSTILE] + [f'"{text}",{fine}{more}' for text in FINE]
    file.write_text("\n".join([content, *lines]), encoding="utf-8")
    return file


def report_of(*arguments: object) -> dict[str, Any]:
    done = in_a_process("eval", *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.req("W3")
def test_it_prints_what_the_contract_says(tmp_path: Path) -> None:
    file = written(tmp_path, "words,judged", "not fine", "fine")
    report = report_of(file, "--text", "words", "--label", "judged", "--positive", "not fine")
    contract = {"rows", "flag", "refuse", "us_per_message", "per_class"}
    contract |= {f"recall_at_{rate}pct_fpr" for rate in ("01", "1", "5")}
    assert set(report) == contract | {"hostile", "distress", "calibration"}
    assert (report["rows"], report["hostile"]) == (6, 3)
    assert set(report["flag"]) == set(report["refuse"]) == {"accuracy", "macro_f1", "precision", "recall", "fpr"}
    assert report["flag"]["recall"] == report["recall_at_1pct_fpr"] == 1.0
    assert report["refuse"]["fpr"] == 0.0
    assert report["us_per_message"] > 0
    assert report["per_class"]["insult"]["hostile"] == 1.0
    assert set(report["calibration"]) == {"ece", "brier", "prior", "bins"}
    assert sum(one["rows"] for one in report["calibration"]["bins"]) == 6


@pytest.mark.req("W3")
def test_several_labels_may_be_hostile_and_white_space_is_no_part_of_one(tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    file.write_text('\ufefftext,label\na, hate \nb,very rude\nc,fine\nd,"rude, very"\n', encoding="utf-8")
    given = ("--positive", "hate", "--positive", " very rude", "--positive", "rude, very")
    assert report_of(file, *given)["hostile"] == 3


@pytest.mark.req("W1")
def test_classes_are_measured_where_rows_have_one() -> None:
    rows = [Row("加我微信，低价代购，先到先得", True, "marketing"), Row("不想活了", False, "distress")]
    report = evaluate([*rows, *(Row(text, False) for text in FINE)])
    for harm, row in (("marketing", rows[0]), ("distress", rows[1])):
        figures = report.per_class[harm]
        assert figures.rows == 1
        assert figures.calibration is not None
        assert figures.calibration.bins[-1].observed == 1.0, row.text  # the one row is the likeliest of its class
        assert figures.calibration.bins[-1].rows == 1
    assert all(figures.calibration is None for harm, figures in report.per_class.items() if not figures.rows)


@pytest.mark.req("W3")
def test_calibration_at_a_prior(tmp_path: Path) -> None:
    calibration = report_of(written(tmp_path, "text,label"), "--prior", "0.1")["calibration"]
    assert calibration["prior"] == 0.1


@pytest.mark.req("W3")
def test_without_json_it_is_a_table(tmp_path: Path) -> None:
    done = shieldwire("eval", written(tmp_path, "text,label"))
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0].startswith("6 rows, 3 of them hostile; ")
    assert [line.split()[:1] for line in said[2:5]] == [["accuracy"], ["flag"], ["refuse"]]
    assert any(line.startswith("is it hostile? ECE ") for line in said)


@pytest.mark.req("W3")
def test_a_file_of_one_kind_is_measured_and_told(tmp_path: Path) -> None:
    done = shieldwire("eval", written(tmp_path, "text,label", "0"), "--json")
    assert done.returncode == 0
    assert done.stderr == "shieldwire: every row is fine: figures that need others as well are 0\n"
    report = json.loads(done.stdout)
    assert (report["flag"]["fpr"], report["flag"]["recall"]) == (0.5, 0.0)


@pytest.mark.req("W3")
@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (b"", [], "the file is empty"),
        (b"text,topic\nhello,race\n", [], "no column label; the columns are text, topic"),
        (b"text,label\nhello,1\n\xff,0\n", [], "texts.csv:3: this line is not UTF-8"),
        (None, [], "No such file"),
        (b"text,label\nhello,1\n", ["--prior", "0.5"], "a prior needs hostile and fine rows"),
        (b"text,label\nhello,1\n", ["--prior", "5"], "5 does not lie between 0 and 1"),
        (b"text,label\nhello,1\n", ["--prior", "half"], "half does not lie between 0 and 1"),
        (b"text,label\nhello,1\n", ["--swaps"], "not allowed with argument"),
    ],
)
def test_what_cannot_be_measured_is_told(
    tmp_path: Path, content: bytes | None, arguments: list[str], said: str
) -> None:
    file = tmp_path / "texts.csv"
    if content is not None:
        file.write_bytes(content)
    done = shieldwire("eval", file, *arguments, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.req("S5")
def test_a_cry_for_help_is_neither_flagged_nor_refused() -> None:
    report = evaluate([Row("我真的不想活了，撑不下去了", False), Row("i want to die, i can't do this anymore", False)])
    assert (report.flag.fpr, report.refuse.fpr, report.distress) == (0.0, 0.0, 1.0)
