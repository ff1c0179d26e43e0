"""Does somebody whom this concerns not want to be told this, or by this sender (requirement P5)?"""

from __future__ import annotations

from collections.abc import Iterator

from filters.hits import Scan
from protection.blocklist import Listed
from protection.events import Event
from protection.policy import Policy
from protection.snapshot import Snapshot
from protection.verdicts import Signal


def check(event: Event, snapshot: Snapshot, scan: Scan, policy: Policy) -> Iterator[Signal]:
    """Keep away what is on somebody's list, be the sender a friend or a stranger.

    The signal names neither the entry nor the person: the list is nobody's business. Of the classes any hit counts, a
    mild one too, and one that its sender has been reminded of: what the policy tolerates, a person need not.
    """
    for concerned in snapshot.concerned:
        blocked = concerned.blocked
        if blocked is None:
            continue
        if event.sender in blocked.users:
            yield Signal("blocklist", "own-user", blocked.action(Listed.USERS).disposition)
        if blocked.words.first(event.text) is not None:
            yield Signal("blocklist", "own-word", blocked.action(Listed.WORDS).disposition)
        if any(hit.harm in blocked.classes for hit in scan.hits):
            yield Signal("blocklist", "own-class", blocked.action(Listed.CLASSES).disposition)
