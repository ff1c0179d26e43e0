"""Long lists of made-up terms, for tests of scale: Chinese, English and mixed, as long as real ones are."""

from __future__ import annotations

import random
from itertools import accumulate

from filters.folding import Folding, is_word
from filters.lexicon import Lexicon

_SYLLABLES = [onset + vowel + coda for onset in "bdfgklmst" for vowel in "aeiou" for coda in ("", "n", "r", "ck", "sh")]


def many_terms(count: int) -> list[str]:
    """So many terms, no two of which fold to the same letters; the same ones at every call."""
    rng = random.Random(count)
    letters = Folding.shipped().letters
    shipped = [term.text for term in Lexicon.shipped().terms]
    common = list(dict.fromkeys(char for term in shipped for char in term if char >= "\u4e00"))
    common += [char for char in map(chr, range(0x4E00, 0x9FA5, 6)) if letters(char) == char]
    weights = list(accumulate(1 / (rank + 5) for rank in range(len(common))))
    words = sorted({word for term in shipped if term.isascii() for word in term.split()})

    def chinese() -> str:
        length = rng.choices([2, 3, 4, 5, 6, 8, 12], [10, 22, 35, 14, 10, 6, 3])[0]
        return "".join(rng.choices(common, cum_weights=weights, k=length))

    def english() -> str:
        return " ".join(rng.choice((rng.choice(words), made_up())) for _ in range(rng.randint(1, 4)))

    def made_up() -> str:
        return "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4)))

    def longer() -> str:
        return rng.choice(shipped) + "".join(rng.choices(common, cum_weights=weights, k=2))

    terms: dict[str, str] = {}
    while len(terms) < count:
        term = rng.choices((chinese, english, made_up, longer), (70, 15, 10, 5))[0]()
        key = letters(term)
        if len(key) >= (3 if all(map(is_word, key)) else 2):
            terms.setdefault(key, term)
    return list(terms.values())
