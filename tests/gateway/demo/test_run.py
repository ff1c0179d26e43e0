"""The demo as a whole: the real gateway, its store and the platform, started by one command."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import msgspec
import pytest

from gateway.demo import seats
from gateway.demo.client import HttpClient, open_socket
from gateway.demo.config import SECRET
from tests.gateway.demo.live import COMMENTS_PATH, DEADLINE_S, ROOM_PATH, heard, say
from tests.gateway.demo.running import STOP_S, Demo, demo, ended, processes_of, unfinished_files


def token_in(data_dir: Path, account: str) -> str:
    return seats.issue((data_dir / SECRET).read_text(), account, seats.SEATS[account].role)


@pytest.mark.req("P1", "S3")
async def test_it_stops_without_a_trace_and_a_second_start_finds_the_state_of_the_first(tmp_path: Path) -> None:
    protection = f"/shieldwire/v1/users/{seats.OWNER}/protection"
    with demo(tmp_path) as (running, base_url):
        token = token_in(tmp_path, seats.OWNER)
        async with HttpClient(base_url) as http:
            engaged = await http.request("PUT", protection, token, {"preset": "one-key"})
            assert engaged.status == 200
            posted = await http.request("POST", COMMENTS_PATH, token, {"id": "c1", "text": "晚安", "at": []})
            assert posted.status == 201
        assert len(processes_of(tmp_path)) >= 3  # the demo, the gateway, the store
        assert running.interrupt() == 0
        assert running.line() == ""  # the address was all it had to say
        assert running.errors() == ""
        assert processes_of(tmp_path) == {}
        assert unfinished_files(tmp_path) == []
    with demo(tmp_path) as (_, base_url):
        async with HttpClient(base_url) as http:
            found = msgspec.json.decode((await http.request("GET", protection, token)).body)
            listed = msgspec.json.decode((await http.request("GET", COMMENTS_PATH)).body)
            refused = await http.request(
                "POST", COMMENTS_PATH, token_in(tmp_path, "stranger"), {"id": "c2", "text": "hello", "at": []}
            )
    assert found["active"] is True
    assert [comment["text"] for comment in listed["comments"]] == ["晚安"]
    assert refused.status == 403
    assert msgspec.json.decode(refused.body)["reason"] == "protected"


@pytest.mark.req("P1", "P6")
async def test_mentions_and_direct_messages_go_through_the_gateway_too(tmp_path: Path) -> None:
    with demo(tmp_path) as (_, base_url):
        async with HttpClient(base_url) as http:
            token = token_in(tmp_path, "viewer")
            path = "/shieldwire/v1/users/viewer/protection"
            assert (await http.request("PUT", path, token, {"kinds": ["mention", "dm"]})).status == 200
        stranger = token_in(tmp_path, "stranger")
        async with (
            await open_socket(base_url, ROOM_PATH, stranger) as room,
            await open_socket(base_url, "/dm/ws", stranger) as direct,
        ):
            await say(room, type="barrage", id="b1", text="good evening", at=[])
            assert (await heard(room, id="b1"))["type"] == "barrage"
            await say(room, type="barrage", id="b2", text="@viewer good evening", at=["viewer"])
            assert (await heard(room, id="b2"))["reason"] == "protected"
            await say(direct, type="dm", id="d1", to="viewer", text="hello")
            assert (await heard(direct, id="d1"))["reason"] == "protected"
            await say(direct, type="dm", id="d2", to="streamer", text="hello")
            assert (await heard(direct, id="d2"))["type"] == "dm"


def test_killed_outright_it_takes_everything_with_it(tmp_path: Path) -> None:
    with demo(tmp_path) as (running, _):
        started = processes_of(tmp_path)
        assert len(started) >= 3  # the demo, the gateway, the store
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(STOP_S)
        assert all(map(ended, started))
    with demo(tmp_path) as (running, _):
        assert running.interrupt() == 0


def test_interrupted_while_it_starts_it_leaves_nothing_either(tmp_path: Path) -> None:
    with Demo(tmp_path) as starting:
        deadline = time.monotonic() + DEADLINE_S
        while len(processes_of(tmp_path)) < 2:  # until the gateway has been started
            assert time.monotonic() < deadline
        assert starting.interrupt() == 0
        assert starting.line() == ""
        assert processes_of(tmp_path) == {}


def test_two_demos_do_not_share_a_directory(tmp_path: Path) -> None:
    with demo(tmp_path), Demo(tmp_path) as second:
        assert second.process.wait(STOP_S) == 1
        assert second.errors() == f"shieldwire demo: another demo is running on {tmp_path}\n"


def test_a_port_in_use_is_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Demo(tmp_path, "--port", str(port)) as second:
            assert second.process.wait(STOP_S) == 1
            complaint = second.errors()
    assert complaint.startswith("shieldwire demo: the gateway did not start:\n")
    assert str(port) in complaint
    assert processes_of(tmp_path) == {}


def test_a_gateway_that_dies_ends_the_demo_with_its_last_words(tmp_path: Path) -> None:
    with demo(tmp_path) as (running, _):
        started = processes_of(tmp_path)
        gateway = next(pid for pid, command in started.items() if "gateway.cli serve" in command)
        os.kill(gateway, signal.SIGKILL)
        assert running.process.wait(STOP_S) == 1
        assert running.errors().startswith("shieldwire demo: the gateway has stopped:\n")
        assert all(map(ended, started))


@pytest.mark.req("W2", "P4")
def test_a_replay_prints_a_fate_for_every_row_and_ends(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\n" + "主播唱得真好听,0\n" * 40 + "你这个贱人,1\n" * 20)
    with Demo(tmp_path / "data", "--replay", str(rows)) as replaying:
        replaying.ready()
        lines = iter(replaying.line, "")
        table = {line.split()[0]: line.split()[1:] for line in lines}
        assert replaying.process.wait(STOP_S) == 0
    assert table["0"] == ["40", "40", "0", "0", "0", "0"]
    assert table["1"] == ["20", "0", "0", "0", "20", "0"]
    assert table["all"] == ["60", "40", "0", "0", "20", "0"]
    assert processes_of(tmp_path) == {}


def test_a_file_that_cannot_be_replayed_is_told_before_anything_starts(tmp_path: Path) -> None:
    with Demo(tmp_path / "data", "--replay", str(tmp_path / "missing.csv")) as refused:
        assert refused.process.wait(STOP_S) == 1
        assert "missing.csv cannot be read as CSV" in refused.errors()
    assert not (tmp_path / "data").exists()
