"""`shieldwire eval`, `train` and `check` as their user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gateway import evaluate
from gateway.datasets import load
from gateway.evaluate import Row

HOSTILE = ["你这个傻逼，滚出去", "you are a fucking idiot, kill yourself", "操你妈的废物主播"]
FINE = ["今天的汤很好喝", "the ending of this movie was terrible", "送餐慢了两个小时，差评"]


def shieldwire(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.req("W3")
def test_eval_prints_what_the_contract_says(tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    lines = [f'"{text}",bad' for text in HOSTILE] + [f'"{text}",good' for text in FINE]
    file.write_text("words,judged\n" + "\n".join(lines), encoding="utf-8")
    done = shieldwire("eval", file, "--text", "words", "--label", "judged", "--positive", "bad", "--json")
    report = json.loads(done.stdout)
    keys = {"rows", "flag", "refuse", "us_per_message", "distress", "per_class"}
    assert set(report) == keys | {f"recall_at_{rate}pct_fpr" for rate in ("01", "1", "5")}
    assert report["rows"] == 6
    assert set(report["flag"]) == {"accuracy", "macro_f1", "precision", "recall", "fpr"}
    assert report["flag"]["recall"] == report["recall_at_1pct_fpr"] == 1.0
    assert report["refuse"]["fpr"] == 0.0


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [("text\nhello\n", [], "no column label"), (None, [], "No such file")],
)
def test_a_file_that_cannot_be_measured_is_told(
    tmp_path: Path, content: str | None, arguments: list[str], said: str
) -> None:
    file = tmp_path / "texts.csv"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    done = shieldwire("eval", file, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_figures_of_a_point() -> None:
    caught = np.array([True, True, False, False, False])
    hostile = np.array([True, False, True, False, False])
    found = evaluate.point(caught, hostile)
    assert (found.accuracy, found.precision, found.recall, found.fpr) == (0.6, 0.5, 0.5, 0.3333)
    assert found.macro_f1 == round((0.5 + 2 / 3) / 2, 4)


def test_recall_at_a_rate_of_false_alarms() -> None:
    scores = np.array([0.9, 0.5, 0.2, 0.6, 0.1, 0.1, 0.1])
    hostile = np.array([True, True, True, False, False, False, False])
    assert evaluate.recall_at(scores, hostile, 0.01) == round(1 / 3, 4)  # above the highest fine one
    assert evaluate.recall_at(scores, hostile, 0.25) == 1.0  # one of four may be


@pytest.mark.req("S5")
def test_a_cry_for_help_is_neither_flagged_nor_refused() -> None:
    report = evaluate.evaluate(
        [Row("我真的不想活了，撑不下去了", False), Row("i want to die, i can't do this anymore", False)]
    )
    assert (report.flag.fpr, report.refuse.fpr, report.distress) == (0.0, 0.0, 1.0)


def test_only_known_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "zh_cold_train.csv").write_text("text,label,topic\n甲乙,1,race\n丙丁,0,race\n", encoding="utf-8")
    (tmp_path / "en_gametox_train.csv").write_text("text,label\nez,1\n", encoding="utf-8")
    found = [one for one in load(tmp_path) if one.source == "group"]
    assert [(one.text, one.hostile) for one in found] == [("甲乙", True), ("丙丁", False)]
    assert not [one for one in load(tmp_path) if one.text == "ez"]
    assert not [one for one in load(tmp_path, without=["zh_cold_train.csv", "bank"]) if one.source in ("group", "bank")]


def test_marked_words_are_told_from_the_rest(tmp_path: Path) -> None:
    (tmp_path / "en_toxicspans_train.csv").write_text('spans,text\n"[4, 5, 6]",you ass go\n', encoding="utf-8")
    found = {(one.text, one.hostile) for one in load(tmp_path) if one.source == "spans"}
    assert found == {("ass", True), ("you   go", False)}


@pytest.mark.req("W2")
def test_train_twice_makes_the_same_file(tmp_path: Path) -> None:
    outs = [tmp_path / "one.bin", tmp_path / "two.bin"]
    for out in outs:
        done = shieldwire("train", "--data", tmp_path, "--out", out)
        assert done.returncode == 0, done.stderr
    assert outs[0].read_bytes() == outs[1].read_bytes()
