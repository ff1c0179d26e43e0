"""Sentences in which only a group's name is swapped (requirement W3): what is said of one group as of any other."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import resources

import msgspec

PLACE = "{}"


class Frame(msgspec.Struct, frozen=True):
    """One sentence with a place for a name, and the names."""

    language: str
    group: str
    """What the names tell people apart by: region, gender, race, religion, age, occupation, orientation."""
    tone: str
    """neutral, praise or criticism."""
    sentence: str
    plain: str
    """A word of the same grammar that names no group."""
    words: tuple[str, ...]

    def with_word(self, word: str) -> str:
        """The sentence about one of them."""
        return self.sentence.replace(PLACE, word)


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    plain: str
    words: str
    neutral: list[str]
    praise: list[str]
    criticism: list[str]


def frames() -> Iterator[Frame]:
    """Those of ``data/swaps.toml``, in its order."""
    content = (resources.files("filters.data") / "swaps.toml").read_text(encoding="utf-8")
    for language, groups in msgspec.convert(tomllib.loads(content), dict[str, dict[str, _Group]]).items():
        for group, one in groups.items():
            for tone in ("neutral", "praise", "criticism"):
                for sentence in getattr(one, tone):
                    yield Frame(language, group, tone, sentence, one.plain, tuple(one.words.split()))
