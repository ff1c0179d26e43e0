"""Does the text hold a word that a person whom it concerns has blocked (requirement P5)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.hits import Scan
from protection.events import Event
from protection.policy import Policy
from protection.snapshot import Snapshot
from protection.verdicts import Disposition, Signal


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Refuse whatever holds a word of somebody it is aimed at, be the sender a friend or a stranger.

    The signal names neither the word nor the person: the list is nobody's business.
    """
    for concerned in snapshot.concerned:
        if concerned.words is not None and concerned.words.first(event.text) is not None:
            yield Signal("words", "own-word", Disposition.REJECT)
