"""What is in force on a worker: how texts are read and how they are judged, as one thing that is swapped as one."""

from __future__ import annotations

from functools import cache
from typing import Self

import msgspec

from filters.hits import Scan
from filters.reader import Reader
from filters.stitching import Stitched, with_stitched
from protection.events import Event
from protection.pipeline import decide
from protection.policy import Policy
from protection.snapshot import Snapshot
from protection.verdicts import Verdict


class Rules(msgspec.Struct, frozen=True):
    """The reader and the policy.

    Whoever wants a verdict asks here: the wire, the control API, ``shieldwire check``, ``eval`` and ``policy check``.
    """

    reader: Reader
    policy: Policy

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """Those in the package."""
        return cls(Reader.shipped(), Policy())

    def read(self, event: Event, snapshot: Snapshot) -> Scan:
        """Everything that is found in the text of an event, by the thresholds of its kind and of the level of risk."""
        return self.reader.scan(event.text, self.policy.thresholds_of(event.kind, snapshot.risk))

    def judge(self, event: Event, snapshot: Snapshot, stitched: list[Stitched] | None = None) -> Verdict:
        """Read the text of an event and decide on it; ``stitched`` is what it completes (`filters.stitching`)."""
        scan = self.read(event, snapshot)
        if stitched:
            scan = with_stitched(scan, stitched)
        return decide(event, snapshot, scan, self.policy)

    def explained(self, text: str, verdict: Verdict) -> Verdict:
        """The verdict on a text with the reasons of the model in full; slow: for people who ask."""
        return msgspec.structs.replace(verdict, hits=self.reader.explained(text, verdict.hits))
