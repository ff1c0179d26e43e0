"""People's blocklists, made ready when they are first needed (requirement P5)."""

from __future__ import annotations

from cachetools import LRUCache

from gateway.state.replica import Replica, read_blocklist
from protection.blocklist import Blocked

MOST_ENTRIES_HELD = 262_144
"""Of all lists made ready together: some 40 MB, 1,300 full lists of words or 20,000 of a dozen."""


class BlockedLists:
    """The index of each person's blocklist, made at the first message that concerns them and kept while there is room.

    It is found by the stored list itself, so a change is in force with the replica's next answer, and what belongs to
    a former list is forgotten like everything else that is not used.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._indexed: LRUCache[bytes, Blocked] = LRUCache(MOST_ENTRIES_HELD, getsizeof=_weight)

    def of(self, person: str) -> Blocked | None:
        """The person's list; None where they have none, which costs a lookup in the replica and nothing more."""
        stored = self._replica.blocklist_of(person)
        if stored is None:
            return None
        blocked = self._indexed.get(stored)
        if blocked is None:
            blocked = self._indexed[stored] = Blocked(read_blocklist(stored))
        return blocked


def _weight(blocked: Blocked) -> int:
    return 1 + len(blocked)
