"""Which compiled text data is in force: what an operator announces and every worker follows."""

from __future__ import annotations

from typing import Self

import msgspec

from gateway.state.partitions import Keys

TEXT = "text"
"""The id under which text data is announced, in the partition that it falls into."""
FORMER = 16
"""How many former revisions are remembered, and their files kept."""


class Revision(msgspec.Struct, frozen=True):
    """One state of the text data. Its number only grows: going back to a former state is a new revision."""

    number: int
    digest: str
    """SHA-256 of its file, hex; "" for the lexicon that the workers were started with."""
    terms: int
    at: float
    """When it was announced (unix seconds)."""

    @property
    def file(self) -> str:
        """The name of its file in the folder for compiled data."""
        return f"{self.digest[:32]}.text"


FIRST = Revision(0, "", 0, 0.0)
"""What is in force where nothing was ever announced."""


class Announcement(msgspec.Struct, frozen=True):
    """The revision in force, and those before it, latest first. Stored as JSON."""

    current: Revision = FIRST
    former: tuple[Revision, ...] = ()

    def followed_by(self, digest: str, terms: int, at: float) -> Self:
        """The announcement that puts this text data in force next."""
        current = Revision(self.current.number + 1, digest, terms, at)
        return type(self)(current, (self.current, *self.former)[:FORMER])


class RevisionKeys:
    """Where all of it stands in the store."""

    def __init__(self, keys: Keys) -> None:
        partition = keys.partition(TEXT)
        self.announced = keys.of_partition(partition, "policy")
        """Hash: `TEXT` -> `Announcement`."""
        self.change = (keys.of_partition(partition, "epoch"), keys.of_partition(partition, "changes"), self.announced)
        """The keys of `gateway.state.scripts.CHANGE`."""
        self.in_force = keys.of_partition(partition, "policy-in-force")
        """Hash: worker -> the number of the revision that it scans with."""
