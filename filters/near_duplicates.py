"""Near-duplicates: texts of which so much is the same that the second one teaches nothing (requirement W2)."""

from __future__ import annotations

from collections import Counter, defaultdict

ALIKE = 0.6
"""Texts with a greater Jaccard index of their runs of three characters are near-duplicates."""
_RUN = 3


class NearDuplicates:
    """An index of texts, by number. Looking one up takes time in the texts that share a run with it."""

    def __init__(self) -> None:
        self._runs: list[frozenset[str]] = []
        self._holders: dict[str, list[int]] = defaultdict(list)

    def add(self, text: str) -> int:
        """Add a text; answers its number, from 0 on."""
        number = len(self._runs)
        self._runs.append(_runs(text))
        for run in self._runs[number]:
            self._holders[run].append(number)
        return number

    def find(self, text: str) -> int | None:
        """The first text that is nearly this one, or None. White space and case make no difference."""
        own = _runs(text)
        shared = Counter(number for run in own for number in self._holders.get(run, ()))
        alike = (
            number for number, count in shared.items() if count / (len(own) + len(self._runs[number]) - count) > ALIKE
        )
        return min(alike, default=None)


def _runs(text: str) -> frozenset[str]:
    plain = "".join(text.split()).lower()
    return frozenset(plain[at : at + _RUN] for at in range(max(len(plain) - _RUN + 1, 1)))
