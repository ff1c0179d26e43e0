"""The rules of one worker: what it takes up, what it does not, and that taking up holds nothing up."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from filters.lexicon import parse
from filters.model.scoring import Model
from filters.reader import Reader
from filters.scanner import Scanner
from filters.thresholds import Threshold
from gateway.policy import live
from gateway.policy.compiling import Compiled, TextFacts
from gateway.policy.live import LiveRules
from gateway.state.errors import StoreUnavailable
from gateway.state.revisions import FIRST, Announcement, Revision
from protection.events import Event, Kind
from protection.policy import Policy, Sensitivity
from protection.rules import Rules
from protection.snapshot import Snapshot
from protection.verdicts import Disposition
from tests.doubles import until
from tests.filters.many import many_terms

pytestmark = pytest.mark.req("O3")

LINES = ["shieldwire-lexicon 1", "[insult serious]"]
BASE_SCANNER = Scanner.compile(parse([("base", "\n".join([*LINES, "贱人"]))]))
BASE = Rules(Reader(BASE_SCANNER, Model.shipped()), Policy())


class Operator:
    """Announces revisions to one `LiveRules`, and hears its reports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.announcement: Announcement | None = None
        self.reports: list[int] = []
        self.store_is_down = False
        self.live = LiveRules(BASE, folder, lambda: self.announcement, self.report)

    async def report(self, revision: int) -> None:
        if self.store_is_down:
            raise StoreUnavailable("down")
        self.reports.append(revision)

    def announce(self, *terms: str, sensitivity: Sensitivity | None = None) -> Revision:
        """Compile, and announce what was compiled."""
        scanner = Scanner.compile(parse([("new", "\n".join([*LINES, *terms]))]))
        unnamed = self.folder / "unnamed"
        digest = Compiled(scanner, TextFacts(len(terms), 0, (), sensitivity)).write(unnamed)
        self.announcement = (self.announcement or Announcement()).followed_by(digest, len(terms), 1.0)
        unnamed.replace(self.folder / self.announcement.current.file)
        return self.announcement.current

    def found(self, text: str) -> list[str]:
        return [hit.why for hit in self.live().reader.scan_terms(text).hits]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


async def test_before_anything_is_announced_the_base_is_in_force(operator: Operator) -> None:
    assert await operator.live.settle()
    assert operator.live() is BASE
    assert operator.reports == [0]


async def test_what_is_announced_takes_the_place_of_the_base_and_is_reported(operator: Operator) -> None:
    revision = operator.announce("紫色大象")
    assert await operator.live.settle()
    assert operator.found("贱人，紫色大象") == ["紫色大象"]
    assert operator.live.revision == revision
    assert operator.reports == [1]


async def test_going_back_to_the_first_revision_is_going_back_to_the_base(operator: Operator) -> None:
    operator.announce("紫色大象")
    await operator.live.settle()
    assert operator.announcement is not None
    operator.announcement = operator.announcement.followed_by(FIRST.digest, 0, 2.0)
    assert await operator.live.settle()
    assert operator.live() is BASE
    assert operator.reports == [1, 2]


@pytest.mark.req("W3")
async def test_thresholds_come_with_the_terms_and_go_with_them(operator: Operator) -> None:
    strict = Sensitivity(Threshold(-50, -50), 99)
    event, snapshot = Event(Kind.CHAT, "", "今天的汤很好喝"), Snapshot(0.0)
    operator.announce("紫色大象", sensitivity=strict)
    await operator.live.settle()
    before = operator.live()
    assert before.policy.sensitivity == strict
    assert before.policy.limits is BASE.policy.limits
    assert before.judge(event, snapshot).disposition > Disposition.ALLOW
    operator.announce("紫色大象")  # a file without thresholds: those that the worker was started with
    await operator.live.settle()
    assert operator.live().policy.sensitivity == BASE.policy.sensitivity
    assert operator.live().judge(event, snapshot).disposition is Disposition.ALLOW
    assert before.judge(event, snapshot).disposition > Disposition.ALLOW  # what is being judged ends as it began


async def test_a_store_that_has_forgotten_changes_nothing(operator: Operator) -> None:
    operator.announce("紫色大象")
    await operator.live.settle()
    operator.announcement = None
    assert await operator.live.settle()
    assert operator.found("贱人，紫色大象") == ["紫色大象"]


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda file: file.unlink(), "No such file or directory"),
        (lambda file: file.write_bytes(file.read_bytes()[:-7]), "should have"),
        (lambda file: file.write_bytes(b""), "the file is empty"),
        (lambda file: Compiled(BASE_SCANNER, TextFacts(1, 0, ())).write(file), "is not the file that was announced"),
    ],
    ids=["gone", "cut short", "empty", "another"],
)
async def test_a_file_that_cannot_be_used_changes_nothing_and_is_not_reported(
    operator: Operator, caplog: pytest.LogCaptureFixture, damage: object, why: str
) -> None:
    revision = operator.announce("紫色大象")
    assert callable(damage)
    damage(operator.folder / revision.file)
    for _ in range(2):
        assert not await operator.live.settle()
    assert operator.live() is BASE
    assert operator.reports == []
    (record,) = [record for record in caplog.records if record.message == "text-revision-refused"]
    assert why in record.fields["why"]  # type: ignore[attr-defined]


async def test_it_follows_and_tries_again_what_was_not_possible(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RETRY_S", 0.01)
    following = asyncio.create_task(operator.live.follow())
    try:
        await until(lambda: operator.reports == [0])
        revision = operator.announce("紫色大象")
        file = operator.folder / revision.file
        aside = file.rename(operator.folder / "aside")
        operator.store_is_down = True
        operator.live.wake()
        await until(lambda: operator.live._refused == 1)
        aside.rename(file)
        await until(lambda: operator.found("紫色大象") == ["紫色大象"])
        operator.store_is_down = False
        await until(lambda: operator.reports[-1] == 1)
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


async def test_taking_up_100000_terms_does_not_hold_up_the_loop(operator: Operator) -> None:
    operator.announce(*many_terms(100_000))
    longest = []
    for _ in range(3):  # a machine that is busy with something else may hold it up once
        fresh = Operator(operator.folder)
        fresh.announcement = operator.announcement
        settling = asyncio.create_task(fresh.live.settle())
        gaps = [0.0]
        while not settling.done():
            before = time.perf_counter()
            await asyncio.sleep(0)
            gaps.append(time.perf_counter() - before)
        assert await settling
        assert len(gaps) > 10
        longest.append(max(gaps))
    assert min(longest) < 0.05
