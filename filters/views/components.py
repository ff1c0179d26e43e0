"""Components: the parts of which characters are put together, and which characters look alike by them."""

from __future__ import annotations

from functools import cache
from typing import Self

import msgspec

from filters.tables import packed


class Components(msgspec.Struct, frozen=True):
    """The decompositions of simplified characters, and what follows from them."""

    parts: dict[str, tuple[str, ...]]
    """Each string is one way to take the character apart: its parts side by side."""
    lookalikes: dict[str, str]
    """The more usual characters for which a rare one may stand by its looks."""

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """The table in the package."""
        return packed.shipped("components", cls)
