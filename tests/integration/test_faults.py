"""What happens when a part fails: processes die, stores go away, configurations are wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.demo.ports import free_port
from gateway.state.engine import Engine
from tests.doubles import Gateway, Platform, configuration, serving, until
from tests.gateway.state.servers import cluster
from tests.integration.test_websocket import barrage, receives, verdict


@pytest.fixture
def port() -> int:
    return free_port()


def children(pid: int) -> set[int]:
    """All processes below ``pid``, its engine's supervisor and its workers among them."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | children(child)
    return found


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_sigterm_answers_what_is_in_flight_tells_1012_and_leaves_no_process(tmp_path: Path, port: int) -> None:
    async with Platform() as platform:
        with serving(configuration(platform, tmp_path / "data", port), tmp_path, port) as gateway:
            await gateway.ready()
            below = children(gateway.process.pid)
            assert below
            async with connect(gateway.ws(user="a")) as socket:
                for number in range(200):
                    await socket.send(barrage("傻逼滚出去" if number % 2 else "fine", number, room=f"r{number // 10}"))
                told = [json.loads(await socket.recv())]
                status = asyncio.create_task(asyncio.to_thread(gateway.stop))
                async with asyncio.timeout(10):
                    async for message in socket_until_closed(socket):
                        told.append(json.loads(message))
                assert socket.close_code == 1012
                assert await status == 0
                # Whatever the gateway took off the socket has its fate, and in its order: refused, or at the platform.
                refused = [answer["id"] for answer in told if answer["type"] == "shieldwire.verdict"]
                forwarded = [json.loads(message)["id"] for message in platform.seen]
                assert sorted([*refused, *forwarded]) == list(range(len(refused) + len(forwarded)))
                assert (refused, forwarded) == (sorted(refused), sorted(forwarded))
            await until(lambda: not any(map(alive, below)))


async def socket_until_closed(socket: ClientConnection) -> AsyncIterator[str | bytes]:
    with contextlib.suppress(ConnectionClosed):
        while True:
            yield await socket.recv()


async def test_kill_9_of_the_parent_ends_its_workers_too(tmp_path: Path, port: int) -> None:
    async with Platform() as platform:
        with serving(configuration(platform, tmp_path / "data", port, workers=2), tmp_path, port) as gateway:
            await gateway.ready()
            below = children(gateway.process.pid)
            assert len(below) >= 3
            await asyncio.to_thread(gateway.stop, signal.SIGKILL)
            await until(lambda: not any(map(alive, below)), 15)


async def test_kill_9_leaves_no_engine_behind_and_protection_survives_it(tmp_path: Path, port: int) -> None:
    async with Platform() as platform:
        text = configuration(platform, tmp_path / "data", port)
        with serving(text, tmp_path, port) as gateway:
            await gateway.ready()
            status, answer = await asyncio.to_thread(
                gateway.api, "PUT", "users/victim/protection", {"preset": "one-key"}, "user", "victim"
            )
            assert (status, answer["durable"]) == (200, True)
            below = children(gateway.process.pid)
            await asyncio.to_thread(gateway.stop, signal.SIGKILL)
            await until(lambda: not any(map(alive, below)))
        with serving(text, tmp_path, port) as gateway:
            await gateway.ready()
            async with connect(gateway.ws(user="stranger")) as socket:
                await socket.send(barrage("hello", 1, to="victim"))
                assert (await verdict(socket))["reason"] == "protected"


@pytest.mark.req("P1")
async def test_with_two_workers_a_flip_is_in_force_on_both_and_a_killed_worker_is_replaced(
    tmp_path: Path, port: int
) -> None:
    async with Platform() as platform:
        with serving(configuration(platform, tmp_path / "data", port, workers=2), tmp_path, port) as gateway:
            await gateway.ready()
            flip = ("PUT", "users/victim/protection", {"preset": "one-key"}, "user", "victim")

            def in_force_on_two() -> bool:
                _, answer = gateway.api(*flip)
                return (answer["applied"], answer["of"]) == (2, 2)

            await until(in_force_on_two, 60)
            for number in range(8):  # sockets land on either worker
                async with connect(gateway.ws(user=f"stranger{number}")) as socket:
                    await socket.send(barrage("hello", number, to="victim"))
                    assert (await verdict(socket))["reason"] == "protected"
            text = (await asyncio.to_thread(gateway.request, "GET", "/shieldwire/metrics"))[2].decode()
            assert 'shieldwire_messages_total{disposition="reject",kind="barrage"} 8.0' in text


async def test_a_store_that_is_down_at_start_is_waited_for(tmp_path: Path, port: int) -> None:
    async with Platform() as platform, Engine(tmp_path / "engine") as engine:
        url = engine.url
        await engine.__aexit__(None, None, None)
        text = configuration(platform, tmp_path / "data", port).replace("[state]", f'[state]\nurl = "{url}"')
        with serving(text, tmp_path, port) as gateway:
            await until(lambda: healthy(gateway), 60)
            status, _, body = await asyncio.to_thread(gateway.request, "GET", "/shieldwire/readyz")
            assert (status, b"state" in body) == (503, True)
            with pytest.raises(InvalidStatus) as refused:
                await connect(gateway.ws(user="a"))
            assert refused.value.response.status_code == 503
            async with Engine(tmp_path / "engine") as again:
                assert again.url == url
                await gateway.ready()
                async with connect(gateway.ws(user="a")) as socket:
                    message = barrage("now it works")
                    await socket.send(message)
                    await receives(socket, message)


@pytest.mark.req("P1")
async def test_when_the_store_goes_away_chat_goes_on_and_nothing_protected_opens(tmp_path: Path, port: int) -> None:
    async with Platform() as platform:
        engine = Engine(tmp_path / "engine")
        async with engine:
            text = configuration(platform, tmp_path / "data", port).replace("[state]", f'[state]\nurl = "{engine.url}"')
            with serving(text, tmp_path, port) as gateway:
                await gateway.ready()
                protect = ("PUT", "users/victim/protection", {"preset": "one-key"}, "user", "victim")
                assert (await asyncio.to_thread(gateway.api, *protect))[0] == 200
                async with connect(gateway.ws(user="stranger")) as socket:
                    await engine.__aexit__(None, None, None)
                    for number in range(3):
                        message = barrage("ordinary chat goes on", number)
                        await socket.send(message)
                        await receives(socket, message)
                    await socket.send(barrage("hello", 9, to="victim"))
                    assert (await verdict(socket))["reason"] == "protected"
                    status, answer = await asyncio.to_thread(gateway.api, *protect)
                    assert (status, "error" in answer) == (503, True)
                    async with Engine(tmp_path / "engine"):
                        await until(lambda: gateway.api(*protect)[0] == 200, 5)


@pytest.mark.req("P1")
async def test_on_a_cluster_two_workers_judge_alike_and_a_member_lost_opens_nothing(tmp_path: Path, port: int) -> None:
    async with Platform() as platform, cluster(tmp_path / "store") as (url, members):
        text = configuration(platform, tmp_path / "data", port, workers=2)
        with serving(text.replace("[state]", f'[state]\nurl = "{url}"'), tmp_path, port) as gateway:
            await gateway.ready()
            people = [f"victim{number}" for number in range(6)]

            def protect() -> list[tuple[int, int]]:
                calls = [
                    ("PUT", f"users/{person}/protection", {"preset": "one-key"}, "user", person) for person in people
                ]
                return [(answer["applied"], answer["of"]) for _, answer in (gateway.api(*call) for call in calls)]

            await until(lambda: set(protect()) == {(2, 2)}, 60)
            async with connect(gateway.ws(user="stranger")) as socket:
                members[1].kill()
                for number, person in enumerate(people):
                    await socket.send(barrage("hello", number, to=person))
                    assert (await verdict(socket))["reason"] == "protected"
                message = barrage("ordinary chat goes on", 99)
                await socket.send(message)
                await receives(socket, message)


def healthy(gateway: Gateway) -> bool:
    try:
        return gateway.request("GET", "/shieldwire/healthz")[0] == 200
    except OSError:
        return False


def run_serve(tmp_path: Path, text: str, *arguments: str) -> tuple[int, str]:
    config = tmp_path / "shieldwire.toml"
    config.write_text(text)
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server\n", "not valid TOML"),
        ("[server]\nprot = 1\n", "unknown key 'prot' in table [server]; the nearest known key is 'port'"),
    ],
)
def test_a_bad_configuration_is_one_line_and_status_2(tmp_path: Path, text: str, message: str) -> None:
    status, errors = run_serve(tmp_path, text)
    assert status == 2
    assert errors.startswith("shieldwire: ")
    assert message in errors
    assert errors.count("\n") == 1


def test_a_faulty_lexicon_is_named_with_file_and_line_and_nothing_starts(tmp_path: Path) -> None:
    lexicon = tmp_path / "own.lexicon"
    lexicon.write_text("shieldwire-lexicon 1\n[insult grave]\nnoodle head\n")
    text = (
        f"[policy]\nlexicon = [{json.dumps(str(lexicon))}]\n[state]\ndata_dir = {json.dumps(str(tmp_path / 'data'))}\n"
    )
    status, errors = run_serve(tmp_path, text)
    assert status == 2
    assert f"{lexicon}:2: " in errors


@pytest.mark.req("O3")
async def test_an_operators_own_lexicon_judges_in_place_of_the_shipped_one(tmp_path: Path, port: int) -> None:
    lexicon = tmp_path / "own.lexicon"
    lexicon.write_text("shieldwire-lexicon 1\n[insult serious]\nnoodle head\n")
    async with Platform() as platform:
        text = configuration(platform, tmp_path / "data", port, f"[policy]\nlexicon = [{json.dumps(str(lexicon))}]")
        with serving(text, tmp_path, port) as gateway:
            await gateway.ready()
            async with connect(gateway.ws(user="a")) as socket:
                await socket.send(barrage("you noodle head", 1))
                assert (await verdict(socket))["reason"] == "insult"
                shipped_term = barrage("he looks like a monkey", 2)  # which the content model lets pass
                await socket.send(shipped_term)
                await receives(socket, shipped_term)


def test_a_port_in_use_is_one_line_and_status_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, errors = run_serve(
            tmp_path, f"[server]\nport = {port}\n[state]\ndata_dir = {json.dumps(str(tmp_path))}\n"
        )
    assert status == 2
    assert f"cannot listen on 127.0.0.1:{port}" in errors
    assert "Traceback" not in errors


async def test_a_data_directory_in_use_is_one_line_and_status_2(tmp_path: Path, port: int) -> None:
    async with Engine(tmp_path / "data"):
        text = f"[server]\nport = {port}\n[state]\ndata_dir = {json.dumps(str(tmp_path / 'data'))}\n"
        status, errors = await asyncio.to_thread(run_serve, tmp_path, text)
    assert status == 2
    assert "is in use by process" in errors
    assert "Traceback" not in errors
