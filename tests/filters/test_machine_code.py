"""Machine code is kept for the next process, whole or not at all; whatever is wrong with it, the kernel works."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNEL = """
from numba import int64
from filters import machine_code

def triple(number):
    return 3 * number

def compiled():
    return machine_code.entry_point(triple, int64(int64))
"""

CHILD = """
import sys
from pathlib import Path
from numba.core import event
from filters import machine_code
import kernel

machine_code.keep_in(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
with event.install_recorder("numba:compile") as recorder:
    triple = kernel.compiled()
print(triple(14), sum(one.is_start for _, one in recorder.buffer))
"""
"""Prints what the kernel answers and how often numba compiled."""

COMPILED, LOADED = ("42", "1"), ("42", "0")


class Process:
    """A process that asks for a kernel, once it is told to."""

    def __init__(self, sources: Path, folder: Path, **environment: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(sources), os.getcwd()]), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._told = False
        assert self._child.stdout is not None
        assert self._child.stdout.readline() == "ready\n"

    def answer(self) -> tuple[str, ...]:
        self.go()
        output, _ = self._child.communicate()
        assert self._child.returncode == 0
        return tuple(output.split())

    def go(self) -> None:
        """Let it ask; `answer` waits for what comes."""
        assert self._child.stdin is not None
        if not self._told:
            self._told = True
            self._child.stdin.write("\n")
            self._child.stdin.flush()


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "kernel.py").write_text(KERNEL)
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where machine code is kept; not there yet."""
    return tmp_path / "caches" / "shieldwire"


def is_whole(file: Path) -> bool:
    content = file.read_bytes()
    return len(content) > 1000 and hashlib.sha256(content[32:]).digest() == content[:32]


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    assert is_whole(file)
    return file


def test_the_next_process_loads_what_the_first_compiled(sources: Path, kept: Path) -> None:
    assert Process(sources, kept).answer() == COMPILED
    assert kept.stat().st_mode & 0o777 == 0o700
    written = only_file(kept)
    before = written.stat()
    assert Process(sources, kept).answer() == LOADED
    after = only_file(kept).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


DAMAGES = {
    "cut off": lambda content: content[:-1],
    "empty": lambda content: b"",
    "a bit": lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:],
    "something else": lambda content: b"not machine code",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_replaced(sources: Path, kept: Path, damage: object) -> None:
    assert callable(damage)
    Process(sources, kept).answer()
    file = only_file(kept)
    file.write_bytes(damage(file.read_bytes()))
    assert Process(sources, kept).answer() == COMPILED
    assert only_file(kept) == file
    assert Process(sources, kept).answer() == LOADED


def test_code_that_numba_cannot_rebuild_is_compiled_again(sources: Path, kept: Path) -> None:
    Process(sources, kept).answer()
    file = only_file(kept)
    code = b"\x80\x04)."  # a pickle of ()
    file.write_bytes(hashlib.sha256(code).digest() + code)
    assert Process(sources, kept).answer() == COMPILED
    assert only_file(kept) == file
    assert Process(sources, kept).answer() == LOADED


def test_a_change_of_the_sources_is_compiled_anew(sources: Path, kept: Path) -> None:
    assert Process(sources, kept).answer() == COMPILED
    (sources / "kernel.py").write_text(KERNEL.replace("3 *", "4 *"))
    assert Process(sources, kept).answer() == ("56", "1")
    assert Process(sources, kept).answer() == ("56", "0")
    (sources / "kernel.py").write_text(KERNEL)
    assert Process(sources, kept).answer() == LOADED
    assert sum(map(is_whole, kept.iterdir())) == 2


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o755, 0o777])
def test_a_folder_that_others_may_enter_is_not_used(sources: Path, kept: Path, mode: int) -> None:
    kept.mkdir(parents=True)
    kept.chmod(mode)
    assert Process(sources, kept).answer() == COMPILED
    assert list(kept.iterdir()) == []


def test_a_file_in_a_folder_that_was_opened_to_others_is_not_believed(sources: Path, kept: Path) -> None:
    Process(sources, kept).answer()
    kept.chmod(0o755)
    assert Process(sources, kept).answer() == COMPILED


def test_two_processes_at_once_on_an_empty_folder_leave_one_whole_file(sources: Path, kept: Path) -> None:
    processes = [Process(sources, kept) for _ in range(2)]
    for process in processes:
        process.go()
    assert {process.answer() for process in processes} <= {COMPILED, LOADED}
    only_file(kept)
    assert Process(sources, kept).answer() == LOADED


def test_where_no_folder_can_be_made_the_kernel_is_compiled_in_memory(sources: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    assert Process(sources, file / "below").answer() == COMPILED
    assert Process(sources, file).answer() == COMPILED
    assert file.read_bytes() == b""


def test_a_folder_in_which_nothing_can_be_written_does_no_harm(sources: Path, kept: Path) -> None:
    process = Process(sources, kept)
    kept.rmdir()
    assert process.answer() == COMPILED
    assert not kept.exists()


def test_a_folder_in_the_place_of_a_file_does_no_harm(sources: Path, kept: Path) -> None:
    Process(sources, kept).answer()
    file = only_file(kept)
    file.unlink()
    file.mkdir()
    assert Process(sources, kept).answer() == COMPILED
    assert list(kept.iterdir()) == [file]
    assert list(file.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away, or enter that of another")
def test_a_folder_of_another_user_is_not_used(sources: Path, kept: Path) -> None:
    kept.mkdir(parents=True, mode=0o700)
    os.chown(kept, 12345, 12345)
    assert Process(sources, kept).answer() == COMPILED
    assert list(kept.iterdir()) == []


def test_code_without_checks_is_not_taken_for_code_with_them(sources: Path, kept: Path) -> None:
    assert Process(sources, kept).answer() == COMPILED
    assert Process(sources, kept, NUMBA_BOUNDSCHECK="1").answer() == COMPILED
