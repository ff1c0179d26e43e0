"""`shieldwire bank import` as its user meets it, and who reads the bank."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from filters.classes import Harm
from gateway.bank import Rejected, read
from gateway.datasets import load
from gateway.private_file import write_private
from gateway.tables import TableError
from protection.own_bank import COLUMNS
from tests.gateway.command import in_a_process, shieldwire

pytestmark = pytest.mark.req("W2")

HEADER = "text,decision,class,kind,language,decided_by,decided_at,sender\n"
MARKS = ",violation,insult,chat,zh,mod-7,2026-11-22T10:00:00+08:00,alice\n"
FIRST = HEADER + "你这手法真是没谁了废得可以" + MARKS + "她电话13812345678大家打爆它" + MARKS


def given(folder: Path, content: str = FIRST, name: str = "decisions.csv") -> Path:
    file = folder / name
    file.write_text(content, encoding="utf-8")
    return file


def test_decisions_are_added_once_without_private_data(tmp_path: Path) -> None:
    out = tmp_path / "own.csv"
    done = shieldwire("bank", "import", given(tmp_path), "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (f"OK: 2 added, 0 decided anew, 0 known already, 0 refused\n{out}: revision 1, 2 samples\n")
    content = out.read_text(encoding="utf-8")
    assert "13812345678" not in content
    assert "alice" not in content
    assert [(one.origin, one.revision, one.decided_by) for one in read(out)] == [
        ("decisions.csv:2", 1, "mod-7"),
        ("decisions.csv:3", 1, "mod-7"),
    ]

    before = out.stat()
    again = shieldwire("bank", "import", tmp_path / "decisions.csv", "--out", out)
    assert again.stdout.startswith("OK: 0 added, 0 decided anew, 2 known already, 0 refused\n")
    assert out.read_text(encoding="utf-8") == content
    assert (out.stat().st_ino, out.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_json_lines_add_a_revision_and_near_duplicates_stay_out(tmp_path: Path) -> None:
    out = tmp_path / "own.csv"
    shieldwire("bank", "import", given(tmp_path), "--out", out)
    marks = {"kind": "dm", "language": "zh", "decided_by": "mod-8", "decided_at": "2026-11-23T00:00:00Z"}
    rows = [
        {"text": "刚才那句是玩笑话，跟朋友闹着玩的", "decision": "appeal-upheld", "class": None, **marks},
        {"text": "你这手法真是没谁了，废得可以", "decision": "violation", "class": "insult", **marks},
        {"text": "废物一个", "decision": "violation", "class": "insult", **marks},
    ]
    lines = "\n\n".join(json.dumps(one, ensure_ascii=False) for one in rows)
    done = shieldwire("bank", "import", given(tmp_path, lines, "appeals.jsonl"), "--out", out)
    assert done.returncode == 0
    assert done.stdout.endswith("own.csv: revision 2, 3 samples\n")
    told = done.stderr.splitlines()
    assert told[0] == "appeals.jsonl:3: nearly the same as decisions.csv:2"
    assert told[1].startswith("appeals.jsonl:5: nearly the same as ")
    assert [one.revision for one in read(out)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv", FIRST.replace(",insult,", ",rude,", 1), "x.csv:2: class"),
        ("x.jsonl", '\n{"text": "x"}\n', "x.jsonl:2: no decision, class, kind, language, decided_by, decided_at"),
        ("x.jsonl", '{"text": 1}', "x.jsonl:1: Expected"),
        ("x.jsonl", '{"a":' + "[" * 100_000, "x.jsonl:1: maximum recursion"),
        ("x.jsonl", r'{"text": "\ud800"}', "x.jsonl:1: "),
    ],
)
def test_one_row_with_a_fault_and_nothing_changes(tmp_path: Path, name: str, content: str, said: str) -> None:
    out = tmp_path / "own.csv"
    done = shieldwire("bank", "import", given(tmp_path, content, name), "--out", out)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}/{said}")
    assert done.stderr.endswith(" fault(s); nothing has changed\n")
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.txt", FIRST, "x.txt: the name must end with .csv or .jsonl"),
        ("x.csv", "text\nhello\n", "x.csv: no column class, decided_at, decided_by, decision, kind, language; "),
        ("x.csv", HEADER + "hello\n", "x.csv:2: 1 cells, but there are 8 columns"),
        ("x.jsonl", "", "x.jsonl: no decisions"),
    ],
)
def test_what_is_no_file_of_decisions_is_told(tmp_path: Path, name: str, content: str, said: str) -> None:
    done = shieldwire("bank", "import", given(tmp_path, content, name), "--out", tmp_path / "own.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    missing = shieldwire("bank", "import", tmp_path / name, "--out", tmp_path / "no" / "own.csv")
    assert (missing.returncode, missing.stdout) == (2, "")


def test_a_bank_that_was_spoilt_is_neither_read_nor_written(tmp_path: Path) -> None:
    out = given(
        tmp_path, ",".join(COLUMNS) + "\na,2,insult,chat,plain,zh,violation,x,2026-11-22T00:00:00Z,a:1,1\n", "own.csv"
    )
    before = out.read_bytes()
    with pytest.raises(Rejected) as rejected:
        read(out)
    assert rejected.value.faults == (f"{out}:2: label, about should read 1, moderation",)
    done = shieldwire("bank", "import", given(tmp_path), "--out", out)
    assert done.returncode == 1
    assert out.read_bytes() == before


def test_a_folder_of_banks_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name, text in (("b.csv", "第二个文件里的一句狠话"), ("a.csv", "第一个文件里的另外一句话")):
        decisions = given(tmp_path, HEADER + text + MARKS, f"{name}.decisions.csv")
        shieldwire("bank", "import", decisions, "--out", tmp_path / name)
        decisions.unlink()
    assert [one.text for one in read(tmp_path)] == ["第一个文件里的另外一句话", "第二个文件里的一句狠话"]
    with pytest.raises(TableError, match="No such file"):
        read(tmp_path / "c.csv")


def test_imports_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    out = tmp_path / "own.csv"
    texts = ["甲乙丙丁戊己庚辛", "子丑寅卯辰巳午未", "东南西北中发白", "赤橙黄绿青蓝紫"]
    files = [given(tmp_path, HEADER + text + MARKS, f"{number}.csv") for number, text in enumerate(texts)]
    with ThreadPoolExecutor(len(files)) as pool:
        done = list(pool.map(lambda file: in_a_process("bank", "import", file, "--out", out), files))
    assert [one.returncode for one in done] == [0] * 4
    assert {one.text for one in read(out)} == set(texts)
    assert sorted(one.revision for one in read(out)) == [1, 2, 3, 4]


def test_a_bank_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    write_private(file, "字")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text(encoding="utf-8") == "字"


def test_training_learns_from_an_own_bank(tmp_path: Path) -> None:
    bank = tmp_path / "own.csv"
    shieldwire("bank", "import", given(tmp_path), "--out", bank)
    examples = load(tmp_path, banks=[bank])
    assert examples[:-2] == load(tmp_path)
    assert [(one.text, one.hostile, one.harm, one.source) for one in examples[-2:]] == [
        (one.text, True, Harm.INSULT, "bank") for one in read(bank)
    ]
    done = shieldwire("train", "--data", tmp_path, "--out", tmp_path / "x.bin", "--bank", tmp_path / "missing.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such file" in done.stderr
