"""Announcing over a real store."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from filters.lexicon import parse
from filters.scanner import Scanner
from gateway.policy.compiling import Compiled, TextFacts
from gateway.policy.publishing import FOLDER, NoSuchRevision, Publisher, open_publisher
from gateway.settings import StateSettings
from gateway.state.engine import Engine
from gateway.state.errors import PartitionsDiffer, StateError
from gateway.state.partitions import PARTITIONS_KEY
from gateway.state.revisions import FORMER
from gateway.state.state import open_state
from gateway.state.store import Store
from protection.policy import Policy
from tests.doubles import until

pytestmark = pytest.mark.req("O3")


def compiled(word: str) -> Compiled:
    lexicon = parse([("x", f"shieldwire-lexicon 1\n[insult mild]\n{word}\n")])
    return Compiled(Scanner.compile(lexicon), TextFacts(1, 0, ("x",)))


@pytest_asyncio.fixture
async def settings(tmp_path: Path) -> AsyncIterator[StateSettings]:
    async with Engine(tmp_path):
        yield StateSettings(data_dir=str(tmp_path), partitions=4)


@pytest_asyncio.fixture
async def publisher(settings: StateSettings) -> AsyncIterator[Publisher]:
    async with open_publisher(settings) as publisher:
        yield publisher


async def test_a_revision_is_announced_durably_with_its_file(publisher: Publisher, tmp_path: Path) -> None:
    published = await publisher.publish(compiled("紫色大象"))
    assert (published.revision.number, published.revision.terms, published.durable) == (1, 1, True)
    assert (published.in_force, published.of) == (0, 0)
    assert [file.name for file in (tmp_path / FOLDER).glob("*.text")] == [published.revision.file]
    assert (await publisher.announced()).current == published.revision
    assert (await publisher.status()).revision == published.revision


async def test_a_worker_hears_of_it_and_its_report_is_heard(publisher: Publisher, settings: StateSettings) -> None:
    url = publisher._store.url
    async with open_state(settings, Policy, "worker", url) as state:
        await state.loaded()
        await until(lambda: state.reader.workers == {"worker"})
        reports: list[asyncio.Task[None]] = []
        state.subscribe(lambda change: reports.append(asyncio.create_task(state.report_text(change.epoch))))
        published = await publisher.publish(compiled("紫色大象"))
        assert (published.in_force, published.of) == (1, 1)
        announcement = state.announced_text()
        assert announcement is not None
        assert announcement.current == published.revision


async def test_going_back_and_forth(publisher: Publisher) -> None:
    first = (await publisher.publish(compiled("紫色大象"))).revision
    second = (await publisher.publish(compiled("绿色大象"))).revision
    back = (await publisher.roll_back()).revision
    assert (back.number, back.digest) == (3, first.digest)
    forth = (await publisher.roll_back(2)).revision
    assert (forth.number, forth.digest) == (4, second.digest)
    start = (await publisher.roll_back(0)).revision
    assert (start.number, start.digest) == (5, "")


async def test_there_may_be_nothing_to_go_back_to(publisher: Publisher) -> None:
    with pytest.raises(NoSuchRevision, match=r"^there is no former revision; known: none$"):
        await publisher.roll_back()
    await publisher.publish(compiled("紫色大象"))
    with pytest.raises(NoSuchRevision, match=r"^there is no revision 7; known: 0$"):
        await publisher.roll_back(7)


async def test_files_that_nobody_can_ask_for_are_removed(publisher: Publisher, tmp_path: Path) -> None:
    for number in range(FORMER + 4):
        await publisher.publish(compiled(f"大象{chr(0x4E00 + number)}"))
    announced = await publisher.announced()
    kept = {revision.file for revision in (announced.current, *announced.former)}
    assert {file.name for file in (tmp_path / FOLDER).glob("*.text")} == kept
    assert len(kept) == FORMER + 1


async def test_two_changes_do_not_cross(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    with (tmp_path / FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StateError, match="another change of the policy is under way"):
            await publisher.publish(compiled("紫色大象"))
    assert (await publisher.announced()).current.number == 0


async def test_another_number_of_partitions_is_refused(publisher: Publisher, settings: StateSettings) -> None:
    async with Store(publisher._store.url) as store:
        await store.command("SET", PARTITIONS_KEY, 64)
    with pytest.raises(PartitionsDiffer):
        async with open_publisher(settings):
            pass


async def test_without_a_gateway_there_is_nobody_to_tell(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no gateway has run on the data directory"):
        async with open_publisher(StateSettings(data_dir=str(tmp_path / "nowhere"))):
            pass
