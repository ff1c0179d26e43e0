"""What the demo's platform remembers: comments and direct messages, in one SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

HISTORY = 50
"""How many rows a history shows."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS comments (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL, room TEXT NOT NULL, user TEXT NOT NULL, text TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS comments_of_room ON comments (room, seq);
CREATE TABLE IF NOT EXISTS dms (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL, user TEXT NOT NULL, "to" TEXT NOT NULL, text TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS dms_by_sender ON dms (user, seq);
CREATE INDEX IF NOT EXISTS dms_by_target ON dms ("to", seq);
"""


class Comment(msgspec.Struct, frozen=True, tag_field="type", tag="comment"):
    """A comment under a room; ``at`` is unix seconds."""

    id: str
    room: str
    user: str
    text: str
    at: float


class DirectMessage(msgspec.Struct, frozen=True, tag_field="type", tag="dm"):
    """A direct message from ``user`` to ``to``; ``at`` is unix seconds."""

    id: str
    user: str
    to: str
    text: str
    at: float


class Archive:
    """The open file. Every message is committed before it is shown to anybody."""

    def __init__(self, path: Path) -> None:
        # In WAL mode a commit is one append (tens of microseconds): short enough for the event loop. What a power cut
        # may take with synchronous=NORMAL is the last moments, never the file.
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()  # the last connection folds the WAL back into the file

    def add_comment(self, comment: Comment) -> None:
        """Keep a comment."""
        self._db.execute("INSERT INTO comments VALUES (NULL, ?, ?, ?, ?, ?)", msgspec.structs.astuple(comment))

    def add_dm(self, dm: DirectMessage) -> None:
        """Keep a direct message."""
        self._db.execute("INSERT INTO dms VALUES (NULL, ?, ?, ?, ?, ?)", msgspec.structs.astuple(dm))

    def comments(self, room: str) -> list[Comment]:
        """The latest comments of a room, oldest first."""
        rows = self._db.execute(
            "SELECT id, room, user, text, at FROM comments WHERE room = ? ORDER BY seq DESC LIMIT ?", (room, HISTORY)
        )
        return [Comment(*row) for row in rows][::-1]

    def dms(self, account: str) -> list[DirectMessage]:
        """The latest direct messages that ``account`` has sent or received, oldest first."""
        rows = self._db.execute(
            'SELECT id, user, "to", text, at FROM dms WHERE user = ? OR "to" = ? ORDER BY seq DESC LIMIT ?',
            (account, account, HISTORY),
        )
        return [DirectMessage(*row) for row in rows][::-1]
