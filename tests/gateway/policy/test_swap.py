"""Word lists change under traffic: real gateway processes, real sockets, the command that operators use."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect

from gateway.demo.ports import free_port
from tests.doubles import Gateway, Platform, configuration, serving, until

pytestmark = [pytest.mark.req("O3"), pytest.mark.asyncio(loop_scope="module")]

TALKERS = 6
WORDS = "紫色大象"
"""A term of the new list only."""
EXCESS_S = 0.05


class Passed(NamedTuple):
    """What became of one message, when it was sent, and how long its answer took (seconds)."""

    refused: bool
    sent: float
    took: float


class Talk:
    """One connection that says the same words again and again, each time when it has heard what became of the last."""

    def __init__(self, socket: ClientConnection, name: str) -> None:
        self._socket = socket
        self._name = name
        self.passed: list[Passed] = []
        self.ended = False

    async def talk(self) -> None:
        while not self.ended:
            key = f"{self._name}-{len(self.passed)}"
            sent = time.perf_counter()
            await self._socket.send(json.dumps({"type": "barrage", "id": key, "room": "r", "text": f"好大的{WORDS}"}))
            refused = await asyncio.wait_for(self._fate(key), 10)
            self.passed.append(Passed(refused, sent, time.perf_counter() - sent))
            await asyncio.sleep(0.002)

    async def _fate(self, key: str) -> bool:
        """The next answer about our own message; the room's other messages come by, too."""
        while True:
            answer = json.loads(await self._socket.recv())
            if answer["id"] == key:
                return bool(answer["type"] == "shieldwire.verdict")


class Running(NamedTuple):
    gateway: Gateway
    config: Path
    talks: Sequence[Talk]
    seen: list[str | bytes]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Two workers and some talkers that never stop."""
    folder = tmp_path_factory.mktemp("swap")
    port = free_port()
    async with Platform() as platform:
        more = '[policy.limits]\nflood = "1000000/1s"\n'
        with serving(configuration(platform, folder / "data", port, more, workers=2), folder, port) as gateway:
            await gateway.ready()
            config = folder / "shieldwire.toml"
            await until(lambda: workers(config) == 2, 60)
            sockets = [await connect(gateway.ws(user=f"talker{number}")) for number in range(TALKERS)]
            talks = [Talk(socket, str(number)) for number, socket in enumerate(sockets)]
            tasks = [asyncio.create_task(talk.talk()) for talk in talks]
            yield Running(gateway, config, talks, platform.seen)
            for talk in talks:
                talk.ended = True
            await asyncio.gather(*tasks)  # also says if one of them has failed
            for socket in sockets:
                await socket.close()


def workers(config: Path) -> int:
    status = [sys.executable, "-m", "gateway", "policy", "status", "--config", str(config)]
    said = subprocess.run(status, capture_output=True, text=True, check=False, timeout=30).stdout
    return int(said.rpartition(" of ")[2].split()[0]) if " of " in said else 0


async def policy(config: Path, *arguments: object) -> tuple[int, str, str]:
    """`shieldwire policy ...`: status, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "policy", *map(str, arguments), "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A list of 20,000 terms with the one that is waited for, so that compiling it takes a while."""
    file = tmp_path / "new.lexicon"
    fillers = [f"filler{number:05}" for number in range(20_000)]
    file.write_text("\n".join(["shieldwire-lexicon 1", "[insult serious]", WORDS, *fillers]), encoding="utf-8")
    return file


async def heard(talks: Sequence[Talk], refused: bool) -> None:
    """Wait until the last message of every talker has met this fate."""
    await until(lambda: all(talk.passed and talk.passed[-1].refused == refused for talk in talks))


def longest_wait(talks: Sequence[Talk], since: float) -> float:
    return max(passed.took for talk in talks for passed in talk.passed if passed.sent >= since)


async def test_all_workers_change_over_and_no_message_is_lost_or_late(running: Running, lists: Path) -> None:
    _, config, talks, seen = running
    excess = []
    for _ in range(3):  # the machine may stumble once, and then it is not the change that does it each time
        await heard(talks, refused=False)
        began = time.perf_counter()
        checking = [sys.executable, "-m", "gateway", "policy", "check", "shipped", str(lists)]
        assert await (await asyncio.create_subprocess_exec(*checking, stdout=subprocess.DEVNULL)).wait() == 0
        # The same work on the same cores, but nothing is announced.
        usual = longest_wait(talks, began)

        begins = [len(talk.passed) for talk in talks]
        began = time.perf_counter()
        status, output, errors = await policy(config, "apply", "shipped", lists)
        assert (status, errors) == (0, "")
        assert "in force on 2 of 2 workers" in output
        in_force = time.perf_counter()
        await heard(talks, refused=True)
        excess.append(longest_wait(talks, began) - usual)
        for talk, begin in zip(talks, begins, strict=True):
            fates = [passed.refused for passed in talk.passed[begin:]]
            assert fates == sorted(fates), "old before the change, new after it, on every connection"
            assert all(passed.refused for passed in talk.passed if passed.sent > in_force)

        status, output, _ = await policy(config, "rollback")
        assert (status, "in force on 2 of 2 workers" in output) == (0, True)
        if excess[-1] < EXCESS_S:
            break
    assert min(excess) < EXCESS_S
    await heard(talks, refused=False)
    delivered = [json.loads(message)["id"] for message in seen]
    assert len(delivered) == len(set(delivered))
    for number, talk in enumerate(talks):
        expected = [f"{number}-{turn}" for turn, passed in enumerate(talk.passed) if not passed.refused]
        assert [key for key in delivered if key.startswith(f"{number}-")][: len(expected)] == expected


async def test_a_bad_list_is_refused_with_every_fault_and_the_old_one_stays(running: Running, tmp_path: Path) -> None:
    _, config, talks, _ = running
    _, before, _ = await policy(config, "status")
    bad = tmp_path / "bad.lexicon"
    bad.write_text(f"shieldwire-lexicon 1\n[insult serious]\n{WORDS}\n死\n[rude mild]\n{WORDS}\n", encoding="utf-8")
    status, output, errors = await policy(config, "apply", "shipped", bad)
    assert (status, output) == (1, "")
    assert errors.splitlines() == [
        f'{bad}:4: "死" is too short: one character is no term',
        f'{bad}:5: unknown class "rude"; known: insult, defamation, mockery, threat, privacy, pile-on, self-harm, '
        "distress, hatred, sexual, rumour, marketing",
        f'{bad}:6: "{WORDS}" is already a term in {bad}:3',
        "3 fault(s); nothing has changed",
    ]
    assert (await policy(config, "status"))[1] == before
    await heard(talks, refused=False)


@pytest.mark.req("W3")
async def test_thresholds_change_live_and_back_and_a_bad_file_changes_nothing(running: Running, tmp_path: Path) -> None:
    _, config, talks, _ = running
    await heard(talks, refused=False)
    file = tmp_path / "thresholds.toml"
    file.write_text("distress = 99\n[usual]\nflag = -50\nrefuse = -60\n", encoding="utf-8")
    status, output, errors = await policy(config, "apply", "--thresholds", file)
    said = f"{file}:2: usual: flag -50.0 is above refuse -60.0"
    assert (status, output, errors.splitlines()) == (1, "", [said, "1 fault(s); nothing has changed"])
    file.write_text("distress = 99\n[usual]\nflag = -50\nrefuse = -50\n", encoding="utf-8")
    status, output, errors = await policy(config, "apply", "--thresholds", file)
    assert (status, output) == (1, "")
    assert " is pinned as deliver, and it would be " in errors
    await heard(talks, refused=False)
    status, output, errors = await policy(config, "apply", "--thresholds", file, "--accept-flips")
    assert (status, errors) == (0, "")
    assert "in force on 2 of 2 workers" in output
    await heard(talks, refused=True)
    assert (await policy(config, "rollback"))[0] == 0
    await heard(talks, refused=False)


async def test_a_file_that_a_worker_cannot_use_changes_nothing_and_says_so(running: Running, lists: Path) -> None:
    gateway, config, talks, _ = running
    assert (await policy(config, "apply", "shipped", lists))[0] == 0
    await heard(talks, refused=True)
    assert (await policy(config, "rollback"))[0] == 0
    await heard(talks, refused=False)
    for file in (config.parent / "data" / "policy").glob("*.text"):
        whole = file.read_bytes()
        changed = file.with_suffix(".changed")
        changed.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        changed.replace(file)
    status, output, _ = await policy(config, "rollback")
    assert (status, "in force on 0 of 2 workers" in output) == (1, True)
    await heard(talks, refused=False)
    assert "the file is damaged" in gateway.log.read_text()


async def test_there_is_nothing_to_go_back_to_beyond_the_first(running: Running) -> None:
    status, output, errors = await policy(running.config, "rollback", "--to", 999)
    assert (status, output) == (2, "")
    assert errors.startswith("shieldwire: there is no revision 999; known: ")


async def test_a_gateway_that_starts_again_starts_with_what_was_announced(lists: Path, tmp_path: Path) -> None:
    port = free_port()
    question = {"kind": "barrage", "sender": "a", "text": f"好大的{WORDS}"}
    async with Platform() as platform:
        text, config = configuration(platform, tmp_path / "data", port), tmp_path / "shieldwire.toml"
        for disposition in ("allow", "reject"):
            with serving(text, tmp_path, port) as gateway:
                await gateway.ready()
                status, answer = await asyncio.to_thread(gateway.api, "POST", "verdicts", question)
                assert (status, answer["disposition"]) == (200, disposition)
                if disposition == "allow":
                    status, output, errors = await policy(config, "apply", "shipped", lists)
                    assert (status, errors) == (0, ""), output
        status, _, errors = await policy(config, "apply", "shipped")
        assert status == 2
        assert errors.startswith("shieldwire: cannot connect to the store") or "store is down" in errors
