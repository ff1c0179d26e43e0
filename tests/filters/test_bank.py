"""The sample bank (requirement W2): many lines, none like another."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from filters import samples
from filters.classes import Harm

BANK = samples.bank()
KINDS = {"chat", "comment", "barrage", "dm", "forward"}
ALIKE = 0.6
"""Lines of which so much is the same are near-duplicates: Jaccard index of their runs of three characters."""

pytestmark = pytest.mark.req("W2")


def grams(text: str) -> frozenset[str]:
    plain = "".join(text.split()).lower()
    return frozenset(plain[at : at + 3] for at in range(max(len(plain) - 2, 1)))


def test_it_is_large_enough() -> None:
    assert sum(sample.abusive for sample in BANK) >= 3000
    assert sum(not sample.abusive for sample in BANK) >= 1500
    assert {sample.harm for sample in BANK} - {None} == set(Harm)


def test_kinds_and_lengths() -> None:
    assert {sample.kind for sample in BANK} <= KINDS
    assert [sample.text for sample in BANK if not 2 <= len(sample.text) <= 300 or "\n" in sample.text] == []


def test_no_line_is_nearly_another() -> None:
    sets = [grams(sample.text) for sample in BANK]
    holders: dict[str, list[int]] = defaultdict(list)
    alike = []
    for number, own in enumerate(sets):
        shared = Counter(other for gram in own for other in holders[gram])
        for other, count in shared.items():
            if count / (len(own) + len(sets[other]) - count) > ALIKE:
                alike.append((BANK[other].text, BANK[number].text))
        for gram in own:
            holders[gram].append(number)
    assert alike == []
