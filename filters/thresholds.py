"""Thresholds: from which logits of the content model on a text is flagged, refused, or a cry for help."""

from __future__ import annotations

import tomllib
from functools import cache, cached_property
from importlib import resources
from typing import Self

import msgspec

from filters.classes import Harm


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which logits on a text is flagged (a mild hit), and refused (a serious one)."""

    flag: float
    refuse: float

    def __post_init__(self) -> None:
        """Raises ``ValueError`` where a text would be refused that is not flagged."""
        if not self.flag <= self.refuse:
            raise ValueError(f"flag {self.flag} is above refuse {self.refuse}")


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """The two operating points, and those of single classes where they differ."""

    usual: Threshold
    distress: float
    """From which logit on a text is a cry for help."""
    classes: dict[Harm, Threshold] = {}

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for a class that the model does not tell apart."""
        if Harm.DISTRESS in self.classes:
            raise ValueError("distress is no class of abuse: its threshold stands beside the tables")

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """Those in the package, chosen by `filters.model.choose`."""
        content = (resources.files("filters.model") / "thresholds.toml").read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(content), cls)

    def of(self, harm: Harm) -> Threshold:
        """Of one class."""
        return self.classes.get(harm, self.usual)

    @cached_property
    def least(self) -> float:
        """The lowest logit at which something may be flagged."""
        return min(self.usual.flag, *(one.flag for one in self.classes.values()), self.usual.refuse)
