"""A store that is away: the API says so and when to come back; it neither hangs nor pretends."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.settings import StateSettings
from gateway.state.engine import Engine
from gateway.state.state import open_state
from protection.policy import Policy
from tests.gateway.api.client import Api, Worker, application, until
from tests.gateway.api.test_rights import CALLS

KNOWN_HERE = {
    f"{noun}.read" for noun in ("protection", "blocklist", "dm-rules", "room", "mode", "sanction", "limits")
} | {"verdict.ask"}
"""What the worker answers by itself."""


@pytest.fixture
async def bereft(tmp_path: Path) -> AsyncIterator[Api]:
    """The API of a worker whose store has just gone away, having protected somebody before."""
    async with (
        Engine(tmp_path) as engine,
        open_state(StateSettings(data_dir=str(engine.data_dir)), Policy, "worker", engine.url) as state,
    ):
        await state.loaded()
        api = Api(application(Worker(state)))
        async with api.http:
            await api.put("users/protected/protection")
            await engine.__aexit__(None, None, None)
            await until(lambda: not state.status().connected)
            yield api


async def test_changes_and_questions_are_answered_503_at_once_and_say_when_to_come_back(
    bereft: Api,
) -> None:
    for name, (method, path, body) in CALLS.items():
        if name in KNOWN_HERE:
            continue
        began = time.monotonic()
        response = await bereft.call(method, path, body)
        assert time.monotonic() - began < 1.0
        assert (response.status_code, response.json()["error"]["code"]) == (503, "store-unavailable"), name
        assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.req("P1")
async def test_what_was_in_force_is_still_told(bereft: Api) -> None:
    answer = await bereft.get("users/protected/protection")
    assert (answer["active"], answer["preset"]) == (True, "one-key")
    question = {"kind": "dm", "sender": "stranger", "text": "hello", "target": "protected"}
    status, _ = await bereft.refusal("POST", "verdicts", question)  # friend or stranger: only the store knows
    assert status == 503


async def test_a_worker_that_knows_nothing_yet_does_not_say_that_there_is_nothing(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/nobody.sock"
    async with open_state(StateSettings(), Policy, "worker", nowhere) as state:
        api = Api(application(Worker(state)))
        async with api.http:
            for method, path, body in CALLS.values():
                status, message = await api.refusal(method, path, body)
                assert (status, message) == (503, "the store cannot be reached; try again")
