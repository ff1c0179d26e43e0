"""Which n-grams a rating hangs on: with ratings that are easy to see through."""

from __future__ import annotations

import pytest

from filters.reasons import LONGEST_GRAM, MOST_CHARACTERS, MOST_GRAMS, MOST_UNITS, Gram, strongest


def of(**weights: float) -> object:
    """A rating: the sum of the weights of what a text holds."""
    return lambda text: sum(weight for gram, weight in weights.items() if gram in text)


@pytest.mark.parametrize(
    ("text", "weights", "grams"),
    [
        ("今天你是废物吧", {"废物": 2.0}, [Gram("废物", 2.0)]),
        ("今天你是废物吧", {"废": 1.0, "物": 1.0}, [Gram("废物", 2.0)]),
        ("you are a fool, really", {"fool": 1.5, "really": 0.5}, [Gram("fool, really", 2.0)]),
        ("fool one two three four really", {"fool": 0.5, "really": 1.5}, [Gram("really", 1.5), Gram("fool", 0.5)]),
        ("a nice song", {"nice": -1.0}, []),
        ("", {}, []),
        ("。，！", {}, []),
    ],
)
def test_the_strongest_come_first(text: str, weights: dict[str, float], grams: list[Gram]) -> None:
    rate = of(**weights)
    assert callable(rate)
    assert strongest(text, rate) == grams


def test_a_long_text_costs_no_more() -> None:
    asked = []

    def rate(text: str) -> float:
        asked.append(text)
        return float(len(set(text)))

    grams = strongest("".join(map(chr, range(0x4E00, 0x5E00))), rate)
    assert 1 <= len(grams) <= MOST_GRAMS
    assert len(asked) <= 1 + LONGEST_GRAM * MOST_UNITS + MOST_GRAMS
    assert max(map(len, asked)) <= MOST_CHARACTERS + 1
