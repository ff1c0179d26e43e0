"""What the API writes down: every change, in one line, without a name in it."""

from __future__ import annotations

import logging

import pytest

from gateway.settings import ApiSettings, Settings
from gateway.telemetry import JsonFormatter
from tests.gateway.api.client import Api, Worker, application
from tests.gateway.api.test_rights import CALLS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("O1")]

READING = {name for name in CALLS if name.endswith(".read")} | {"case.list", "verdict.ask"}


async def test_every_change_is_one_line_without_ids_and_reading_is_none(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "shieldwire.api")
    for name, (method, path, body) in CALLS.items():
        caplog.clear()
        assert (await api.call(method, path, body, sub="a-secret-somebody")).status_code == 200
        lines = [record for record in caplog.records if record.name == "shieldwire.api"]
        if name in READING:
            assert lines == []
            continue
        (line,) = lines
        fields = {"operation": name, "noun": name.partition(".")[0], "role": "admin"}
        assert (line.getMessage(), line.__dict__["fields"]) == ("change", fields)
        written = JsonFormatter().format(line)
        assert not [word for word in ("a-secret-somebody", "friend", "西瓜", '"me"') if word in written]


async def test_a_refused_change_is_not_written_down_as_one(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "shieldwire.api")
    await api.refusal("PUT", "users/me/protection", {"kinds": ["fax"]})
    await api.refusal("DELETE", "users/me/protection", role="user", sub="mallory")
    assert [record for record in caplog.records if record.name == "shieldwire.api"] == []


async def test_a_weak_secret_is_warned_of_at_start_without_being_shown(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    application(Worker(worker.state, settings=Settings(api=ApiSettings(secret="tiny-secret"))))
    (warning,) = caplog.records
    assert (warning.levelname, warning.getMessage()) == ("WARNING", "weak-secret")
    assert "tiny-secret" not in JsonFormatter().format(warning)
