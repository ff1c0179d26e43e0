"""What a person does not want to be told by anybody (requirement P5; notice 2.2). Words, in this version."""

from __future__ import annotations

import msgspec


class Blocklist(msgspec.Struct, frozen=True):
    """A person's own rules, as they are stored. Keys that a later version adds are passed over."""

    words: tuple[str, ...] = ()
    """As the person wrote them; `filters.own_words.OwnWords` says how they are read."""
