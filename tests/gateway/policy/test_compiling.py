"""What an operator is told of word lists, good and bad."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from filters.artifact import Artifact
from filters.scanner import Scanner
from gateway.policy.compiling import SHIPPED, Rejected, TextFacts, compile_files
from gateway.state.revisions import FIRST, FORMER, Announcement, Revision

pytestmark = pytest.mark.req("O3")


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    file = tmp_path / "own.lexicon"
    file.write_text("shieldwire-lexicon 1\n[insult serious]\n紫色大象\nallow: 紫色大象馆\n", encoding="utf-8")
    return file


def faults(*files: object) -> tuple[str, ...]:
    with pytest.raises(Rejected) as rejected:
        compile_files(list(map(str, files)))
    return rejected.value.faults


def test_a_good_list_is_compiled_with_the_shipped_ones(lexicon: Path, tmp_path: Path) -> None:
    compiled = compile_files([SHIPPED, str(lexicon)])
    digest = compiled.write(tmp_path / "x.text")
    opened = Artifact.open(tmp_path / "x.text")
    assert opened.digest == digest
    assert opened.metadata(TextFacts) == compiled.facts
    assert compiled.facts.files == ("chinese.lexicon", "english.lexicon", str(lexicon))
    scanner = Scanner.from_artifact(opened)
    assert [hit.why for hit in scanner.scan("紫色大象馆里有紫色大象，傻逼").hits] == ["紫色大象", "傻逼"]


def test_without_files_it_is_the_shipped_ones() -> None:
    assert compile_files([]).facts.files == ("chinese.lexicon", "english.lexicon")


def test_files_that_cannot_be_read(tmp_path: Path, lexicon: Path) -> None:
    latin = tmp_path / "latin.lexicon"
    latin.write_bytes("shieldwire-lexicon 1\n[insult mild]\ncaf\xe9\n".encode("latin-1"))
    missing = tmp_path / "missing.lexicon"
    bad = tmp_path / "bad.lexicon"
    bad.write_text("shieldwire-lexicon 1\n[insult mild]\n紫色大象\n死\n", encoding="utf-8")
    assert faults(latin, missing, tmp_path, lexicon, bad) == (
        f"{latin}:3: this line is not UTF-8",
        f"{missing}: No such file or directory",
        f"{tmp_path}: Is a directory",
        f'{bad}:3: "紫色大象" is already a term in {lexicon}:3',
        f'{bad}:4: "死" is too short: one character is no term',
    )


def test_a_byte_order_mark_does_no_harm(lexicon: Path) -> None:
    lexicon.write_bytes(b"\xef\xbb\xbf" + lexicon.read_bytes())
    compile_files([SHIPPED, str(lexicon)])


def test_conflicts_are_all_named(tmp_path: Path) -> None:
    file = tmp_path / "x.lexicon"
    file.write_text("shieldwire-lexicon 1\n[insult mild]\nbass\nallow: embassy\nallow: bassoon\n", encoding="utf-8")
    assert faults(file) == (
        f'{file}:3: "bass" never fires in "embassy": there is nothing to allow',
        f'{file}:3: "bass" never fires in "bassoon": there is nothing to allow',
    )


@pytest.mark.req("W2")
def test_a_list_that_judges_pinned_samples_otherwise_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.lexicon"
    file.write_text("shieldwire-lexicon 1\n[insult mild]\n主播今天的操作\n", encoding="utf-8")
    assert faults(SHIPPED, file) == (
        'samples.csv:222: "主播今天的操作真的不行，建议多练练" (fine) is pinned as deliver, and it would be flag',
    )
    only = faults(file)
    assert 'samples.csv:9: "nmsl" (insult) is pinned as refuse, and it would be deliver' in only
    assert compile_files([str(file)], accept_flips=True).facts.terms == 1


@pytest.mark.parametrize("good", [True, False])
def test_the_command_says_ok_or_every_fault(lexicon: Path, tmp_path: Path, good: bool) -> None:
    bad = tmp_path / "bad.lexicon"
    bad.write_text("shieldwire-lexicon 1\n[insult mild]\n死\n[insult awful]\n", encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "policy", "check", SHIPPED, str(lexicon if good else bad)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if good:
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("OK: 2,")
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines() == [
            f'{bad}:3: "死" is too short: one character is no term',
            f'{bad}:4: unknown severity "awful"; known: mild, serious, severe',
            "2 fault(s); nothing has changed",
        ]


def test_revisions_count_up_and_remember_the_former_ones() -> None:
    announcement = Announcement()
    for number in range(1, FORMER + 5):
        announcement = announcement.followed_by(f"{number:064x}", number, float(number))
    assert announcement.current == Revision(FORMER + 4, f"{FORMER + 4:064x}", FORMER + 4, float(FORMER + 4))
    assert [revision.number for revision in announcement.former] == list(range(FORMER + 3, 3, -1))
    assert Announcement().followed_by("a" * 64, 1, 1.0).former == (FIRST,)
