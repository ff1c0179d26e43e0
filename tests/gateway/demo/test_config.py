"""The gateway's configuration for the demo, and the private files of its data directory."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.demo.config import GATEWAY_TOML, gateway_toml, secret_of
from gateway.private_file import write_private
from gateway.routes import Router
from gateway.settings import load_settings


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    awkward = tmp_path / 'a "quoted" 目录 \\ {brace}'
    awkward.mkdir()
    return awkward


def test_the_gateway_takes_it_whatever_the_directory_is_called(data_dir: Path) -> None:
    file = data_dir / GATEWAY_TOML
    write_private(file, gateway_toml("127.0.0.1", 8081, "127.0.0.1:9000", data_dir, "secret" * 8))
    settings = load_settings(file, {})
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8081)
    assert Path(settings.state.data_dir).parent == data_dir
    assert settings.identity.secret == settings.api.secret == "secret" * 8


@pytest.mark.parametrize(
    ("path", "websocket", "kind", "upstream"),
    [
        ("/live/studio/ws", True, "barrage", "ws://127.0.0.1:9000/live/studio/ws?token=t"),
        ("/dm/ws", True, "dm", "ws://127.0.0.1:9000/dm/ws?token=t"),
        ("/api/rooms/studio/comments", False, "comment", "http://127.0.0.1:9000/api/rooms/studio/comments?token=t"),
        ("/", False, None, "http://127.0.0.1:9000/?token=t"),
        ("/main.js", False, None, "http://127.0.0.1:9000/main.js?token=t"),
        ("/api/demo/crowd", False, None, "http://127.0.0.1:9000/api/demo/crowd?token=t"),
    ],
)
def test_every_message_has_a_judged_route_and_all_else_the_catch_all(
    data_dir: Path, path: str, websocket: bool, kind: str | None, upstream: str
) -> None:
    file = data_dir / GATEWAY_TOML
    write_private(file, gateway_toml("127.0.0.1", 8081, "127.0.0.1:9000", data_dir, "secret" * 8))
    matched = Router(load_settings(file, {}).route).match(path, "token=t", websocket)
    assert matched is not None
    assert (matched.route.kind, matched.route.judged, matched.upstream) == (kind, kind is not None, upstream)


def test_the_secret_is_drawn_once_and_only_its_owner_can_read_it(data_dir: Path, tmp_path: Path) -> None:
    secret = secret_of(data_dir)
    assert len(secret) >= 32
    assert secret_of(data_dir) == secret
    assert secret_of(tmp_path) != secret
    assert stat.S_IMODE((data_dir / "secret").stat().st_mode) == 0o600


def test_a_private_file_is_replaced_whole_over_what_a_crash_left(data_dir: Path) -> None:
    file = data_dir / "file"
    file.with_name("file.new").write_text("half a li")
    write_private(file, "first")
    write_private(file, "second")
    assert file.read_text() == "second"
    assert [path.name for path in data_dir.iterdir()] == ["file"]
