"""People's blocked words, indexed when they are first needed (requirement P5)."""

from __future__ import annotations

from cachetools import LRUCache

from filters.own_words import OwnWords
from gateway.state.replica import Replica, read_blocklist

MOST_WORDS_HELD = 262_144
"""Of all indexed lists together: some 40 MB, 1,300 full lists or 20,000 of a dozen words."""


class BlockedWords:
    """The index of each person's words, made at the first message that concerns them and kept while there is room.

    It is found by the stored list itself, so a change is in force with the replica's next answer, and what belongs to
    a former list is forgotten like everything else that is not used.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._indexed: LRUCache[bytes, OwnWords] = LRUCache(MOST_WORDS_HELD, getsizeof=_weight)

    def of(self, person: str) -> OwnWords | None:
        """The person's words; None where they have none, which costs a lookup in the replica and nothing more."""
        stored = self._replica.blocklist_of(person)
        if stored is None:
            return None
        words = self._indexed.get(stored)
        if words is None:
            words = self._indexed[stored] = OwnWords(read_blocklist(stored).words)
        return words


def _weight(words: OwnWords) -> int:
    return 1 + len(words)
