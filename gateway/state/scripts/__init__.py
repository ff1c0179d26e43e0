"""The Lua that runs inside the store. Each script touches the keys of one hash tag only."""

from __future__ import annotations

import hashlib
from importlib.resources import files


class Script:
    """A script: its text, and the digest by which the store knows it once loaded."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _read(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


_GCRA = _read("ratelimit", "gcra.lua")
_CASES = _read(__name__, "cases.lua")

CHARGE = Script(_GCRA + _read(__name__, "charge.lua"))
DM = Script(_GCRA + _read(__name__, "dm.lua"))
REFUND = Script(_GCRA + _read(__name__, "refund.lua"))
CHANGE = Script(_read(__name__, "change.lua"))
BEAT = Script(_read(__name__, "beat.lua"))
WORKERS = Script(_read(__name__, "workers.lua"))
RECORD_INCIDENT = Script(_CASES + _read(__name__, "record_incident.lua"))
LIST_CASES = Script(_CASES + _read(__name__, "list_cases.lua"))
READ_CASES = Script(_CASES + _read(__name__, "read_cases.lua"))
