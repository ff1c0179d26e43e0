"""Texts judged as the gateway would judge them: public messages of a nameless sender, by the shipped policy."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import numpy as np

from gateway.evaluate.figures import Labels, Scores
from protection.events import Event, Kind
from protection.rules import Rules
from protection.snapshot import Snapshot
from protection.verdicts import Disposition, Verdict


class Judged(msgspec.Struct, frozen=True):
    """The verdicts on some texts, in their order."""

    verdicts: tuple[Verdict, ...]
    us_per_message: float
    """What one verdict took, on average: reading the text and deciding, and nothing else."""

    @property
    def scores(self) -> Scores:
        """How likely each is hostile."""
        return np.array([verdict.score for verdict in self.verdicts], dtype=np.float64)

    @property
    def flagged(self) -> Labels:
        """Which raise any signal of abuse: a reminder before posting, and above."""
        return self._from(Disposition.NUDGE)

    @property
    def refused(self) -> Labels:
        """Which would not be delivered unchanged."""
        return self._from(Disposition.MASK)

    def _from(self, least: Disposition) -> Labels:
        return np.array([verdict.disposition >= least for verdict in self.verdicts], dtype=bool)


def judge(texts: Sequence[str]) -> Judged:
    """Judge every text."""
    rules = Rules.shipped()
    rules.reader.warm_up()
    snapshot = Snapshot(now=0.0)
    events = [Event(Kind.CHAT, "", text) for text in texts]
    started = time.perf_counter()
    for event in events:  # the text verdict alone is timed, without the decision
        rules.read(event, snapshot)
    seconds = time.perf_counter() - started
    verdicts = tuple(rules.judge(event, snapshot) for event in events)
    return Judged(verdicts, round(1e6 * seconds / max(len(texts), 1), 2))
