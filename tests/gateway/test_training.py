"""`shieldwire train` as its user meets it, and the files that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.datasets import load
from tests.gateway.command import in_a_process


def test_only_known_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "zh_cold_train.csv").write_text("text,label,topic\n甲乙,1,race\n丙丁,0,race\n", encoding="utf-8")
    (tmp_path / "en_gametox_train.csv").write_text("text,label\nez,1\n", encoding="utf-8")
    found = [one for one in load(tmp_path) if one.source == "group"]
    assert [(one.text, one.hostile) for one in found] == [("甲乙", True), ("丙丁", False)]
    assert not [one for one in load(tmp_path) if one.text == "overlookable"]
    assert not [one for one in load(tmp_path, without=["zh_cold_train.csv", "bank"]) if one.source in ("group", "bank")]


def test_marked_words_are_told_from_the_rest(tmp_path: Path) -> None:
    (tmp_path / "en_toxicspans_train.csv").write_text('spans,text\n"[4, 5, 6]",you ass go\n', encoding="utf-8")
    found = {(one.text, one.hostile) for one in load(tmp_path) if one.source == "spans"}
    assert found == {("ass", True), ("you   go", False)}


@pytest.mark.req("W2")
def test_train_twice_makes_the_same_file(tmp_path: Path) -> None:
    outs = [tmp_path / "one.bin", tmp_path / "two.bin"]
    for out in outs:
        done = in_a_process("train", "--data", tmp_path, "--out", out)
        assert done.returncode == 0, done.stderr
    assert outs[0].read_bytes() == outs[1].read_bytes()
