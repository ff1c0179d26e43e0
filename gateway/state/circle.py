"""Who is in whose trusted circle: a bounded memo of answers, kept honest by the change stream."""

from __future__ import annotations

from cachetools import TTLCache

from protection.circle import Tie

MOST_ANSWERS = 65_536
LIFE_S = 60.0
STRIPES = 4096


class CircleMemo:
    """Remembers "how is B in A's circle?" until A's circle changes.

    Every person falls into one of `STRIPES` stripes, each a counter of changes; an answer is good as long as its
    stripe's count is what it was when the question was *asked*, so a change that overtakes an answer voids it. Two
    people sharing a stripe cost each other a lookup, never a wrong answer.
    """

    def __init__(self) -> None:
        self._answers: TTLCache[tuple[str, str], tuple[int, Tie]] = TTLCache(MOST_ANSWERS, LIFE_S)
        self._changes = [0] * STRIPES

    def known(self, person: str, other: str) -> Tie | None:
        """The remembered answer; None: ask the store."""
        answer = self._answers.get((person, other))
        return answer[1] if answer is not None and answer[0] == self.count(person) else None

    def count(self, person: str) -> int:
        """To be taken before asking, and given to `remember` with the answer."""
        return self._changes[hash(person) % STRIPES]

    def remember(self, person: str, other: str, count: int, ties: Tie) -> None:
        """Keep an answer asked for when the count was ``count``."""
        self._answers[person, other] = (count, ties)

    def changed(self, person: str) -> None:
        """The person's circle has changed."""
        self._changes[hash(person) % STRIPES] += 1

    def forget(self) -> None:
        """Changes may have been missed: forget everything."""
        self._answers.clear()
        self._changes = [count + 1 for count in self._changes]
