"""The lists that a gateway is started with are compiled once, apart, and mapped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from filters.scanner import Scanner
from gateway.policy.base import base_scanner
from gateway.policy.compiling import SHIPPED, Rejected

pytestmark = pytest.mark.req("O3")


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    file = tmp_path / "own.lexicon"
    file.write_text("shieldwire-lexicon 1\n[insult serious]\n紫色大象\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("files", [[], [SHIPPED]])
def test_no_lists_are_the_shipped_ones(files: list[str], tmp_path: Path) -> None:
    assert base_scanner(files, tmp_path / "policy") is Scanner.shipped()
    assert not (tmp_path / "policy").exists()


def test_workers_that_start_together_share_one_file_and_a_later_one_finds_it(lexicon: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    with ThreadPoolExecutor(3) as pool:
        scanners = list(pool.map(lambda _: base_scanner([str(lexicon)], folder), range(3)))
    assert [len(scanner.scan("紫色大象，贱人").hits) for scanner in scanners] == [1, 1, 1]
    (file,) = folder.glob("*.base")
    written = file.stat().st_mtime_ns
    base_scanner([str(lexicon)], folder)
    assert file.stat().st_mtime_ns == written


def test_a_changed_list_or_a_damaged_file_is_compiled_again(lexicon: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    base_scanner([str(lexicon)], folder)
    (first,) = folder.glob("*.base")
    first.write_bytes(first.read_bytes()[:-1])
    assert base_scanner([str(lexicon)], folder).scan("紫色大象").hits
    lexicon.write_text("shieldwire-lexicon 1\n[insult serious]\n绿色大象\n", encoding="utf-8")
    assert base_scanner([str(lexicon)], folder).scan("绿色大象").hits
    (second,) = folder.glob("*.base")
    assert second != first


def test_bad_lists_are_refused_with_every_fault(lexicon: Path, tmp_path: Path) -> None:
    lexicon.write_text("shieldwire-lexicon 1\n[insult serious]\n死\n[rude mild]\n", encoding="utf-8")
    with pytest.raises(Rejected) as rejected:
        base_scanner([str(lexicon)], tmp_path / "policy")
    assert [fault.partition(": ")[0] for fault in rejected.value.faults] == [f"{lexicon}:3", f"{lexicon}:4"]
    with pytest.raises(Rejected) as rejected:
        base_scanner([str(tmp_path / "missing")], tmp_path / "policy")
    assert rejected.value.faults == (f"{tmp_path / 'missing'}: No such file or directory",)
