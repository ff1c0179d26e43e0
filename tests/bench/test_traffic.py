"""The two ends of the network benches, without anything between them, and what stands there where it is missing."""

from __future__ import annotations

import os
import shutil

import pytest

from bench import proxies, traffic
from bench.proxies import Process
from bench.report import BenchError
from bench.traffic import ANSWER, FRAME, Upstream
from gateway.wire.frames import read_frame


def test_all_frames_have_one_length_and_a_mask_of_their_own() -> None:
    frames = traffic.frames()
    assert len(frames) >= 10_000
    assert {len(frame) for frame in frames} == {FRAME}
    assert len(set(frames)) == len(frames)
    read = read_frame(frames[0], 0, FRAME, masked=True)
    assert read is not None
    assert read[1] == FRAME


async def test_every_message_is_answered_once_and_a_broadcast_reaches_everybody() -> None:
    async with Upstream() as upstream:
        clients = await traffic.connected(upstream.port, 5)
        times: list[float] = []
        for client in clients:
            client.round_trips = times
        await traffic.finished([client.begin(traffic.batches(3), 7) for client in clients])
        assert len(times) == 35
        arrived = [client.expect(2) for client in clients]
        for each in upstream.sockets:
            each.transport.write(ANSWER * 2)
        await traffic.finished(arrived)
        traffic.close(clients)


async def test_a_proxy_that_cuts_a_connection_spoils_the_bench() -> None:
    async with Upstream() as upstream:
        (client,) = await traffic.connected(upstream.port, 1)
        waiting = client.expect(1)
        upstream.sockets[0].transport.abort()
        with pytest.raises(BenchError, match="closed a connection"):
            await traffic.finished([waiting])


def test_without_nginx_the_operator_is_told_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with proxies.nginx(1) as nginx:
        assert nginx is None
    assert "nginx is not installed" in capsys.readouterr().err


def test_what_a_process_costs_is_read_from_the_system() -> None:
    own = Process(0, os.getpid())
    before = own.cpu_s()
    sum(range(3_000_000))
    assert own.cpu_s() > before > 0
    assert own.rss_kib() > 1000
