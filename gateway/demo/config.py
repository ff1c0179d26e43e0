"""The gateway's configuration for the demo, and the other files of its data directory."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec

from gateway.private_file import write_private

GATEWAY_TOML = "shieldwire.toml"
SECRET = "secret"  # noqa: S105 - a file's name
PLATFORM_DB = "platform.sqlite3"
GATEWAY_LOG = "gateway.log"
STATE = "state"

_TEMPLATE = """\
# Written by `shieldwire demo` at every start.

[server]
host = {host}
port = {port}

[state]
data_dir = {state}

[identity]
source = "jwt"
name = "token"
secret = {secret}

[api]
secret = {secret}

[[route]]
path = "/live/{{room}}/ws"
upstream = "ws://{platform}/live/{{room}}/ws"
codec = "json"
kind = "barrage"
match = {{ type = "barrage" }}
fields = {{ id = "id", text = "text", room = "path.room", target = "@room.owner", mentions = "at" }}

[[route]]
path = "/api/rooms/{{room}}/comments"
upstream = "http://{platform}/api/rooms/{{room}}/comments"
codec = "json"
kind = "comment"
fields = {{ id = "id", text = "text", room = "path.room", target = "@room.owner", mentions = "at" }}

[[route]]
path = "/dm/ws"
upstream = "ws://{platform}/dm/ws"
codec = "json"
kind = "dm"
match = {{ type = "dm" }}
fields = {{ id = "id", text = "text", target = "to" }}

[[route]]  # the pages, the login, histories: everything that carries no message
path = "/{{rest:path}}"
upstream = "http://{platform}/{{rest}}"
codec = "opaque"
"""


def gateway_toml(host: str, port: int, platform: str, data_dir: Path, secret: str) -> str:
    """The configuration of a gateway at ``host``:``port`` before the platform at ``platform`` (``address:port``).

    One secret signs both messages' identities and the control API's roles: a seat needs a single token.
    """
    return _TEMPLATE.format(
        host=_toml_string(host),
        port=port,
        state=_toml_string(str(data_dir / STATE)),
        secret=_toml_string(secret),
        platform=platform,
    )


def _toml_string(text: str) -> str:
    return msgspec.json.encode(text).decode()  # a JSON string is a TOML basic string


def secret_of(data_dir: Path) -> str:
    """The secret of this data directory, drawn at random when it is first asked for."""
    path = data_dir / SECRET
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48))
    return path.read_text()
