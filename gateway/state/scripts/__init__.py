"""The Lua that runs inside the store. Each script touches the keys of one hash tag only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files


class Script:
    """A script: its text, and the digest by which the store knows it once loaded.

    ``check`` is its name in `CHECKS`, with which it can share one call; "" for a script that is called alone.
    """

    def __init__(self, text: str, check: str = "") -> None:
        self.text = text
        self.check = check
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _read(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _joint(bodies: Mapping[str, str]) -> str:
    """Scripts as functions of a table: to each, its own KEYS and ARGV are what a script's are."""
    functions = (f"['{name}'] = function(KEYS, ARGV)\n{body}\nend,\n" for name, body in bodies.items())
    return "local checks = {\n" + "".join(functions) + "}\n"


_GCRA = _read("ratelimit", "gcra.lua")
_CASES = _read(__name__, "cases.lua")
_STREAM = _read(__name__, "stream.lua")

_BODIES = {name: _read(__name__, f"{name}.lua") for name in ("charge", "dm", "send_dm", "refund")}

CHARGE, DM, SEND_DM, REFUND = (Script(_GCRA + body, check=name) for name, body in _BODIES.items())
CHECKS = Script(_GCRA + _joint(_BODIES) + _read(__name__, "checks.lua"))
"""Many checks in one call: one command for the store, one reply for us."""
CHANGE, SWAP, TIES, REASSERT = (
    Script(_STREAM + _read(__name__, f"{name}.lua")) for name in ("change", "swap", "ties", "reassert")
)
BEAT = Script(_read(__name__, "beat.lua"))
WORKERS = Script(_read(__name__, "workers.lua"))
RECORD_INCIDENT = Script(_CASES + _read(__name__, "record_incident.lua"))
LIST_CASES = Script(_CASES + _read(__name__, "list_cases.lua"))
READ_CASES = Script(_CASES + _read(__name__, "read_cases.lua"))
