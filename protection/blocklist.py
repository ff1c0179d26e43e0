"""What a person does not want to be told (requirement P5; notice 2.2): words, users, and classes of content."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from filters.classes import Harm
from filters.own_words import OwnWords
from protection.actions import Action


class Listed(StrEnum):
    """The three lists."""

    WORDS = "words"
    USERS = "users"
    CLASSES = "classes"


class Blocklist(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's own rules, as they are stored. Keys that a later version adds are passed over."""

    words: tuple[str, ...] = ()
    """As the person wrote them; `filters.own_words.OwnWords` says how they are read."""
    users: tuple[str, ...] = ()
    classes: tuple[Harm, ...] = ()
    hide: tuple[Listed, ...] = ()
    """The lists whose matches look delivered to the sender; those of the others are refused."""


class Blocked:
    """A `Blocklist` made ready to be asked. Immutable."""

    def __init__(self, blocklist: Blocklist) -> None:
        self.words = OwnWords(blocklist.words)
        self.users = frozenset(blocklist.users)
        self.classes = frozenset(blocklist.classes)
        self._hidden = frozenset(blocklist.hide)

    def __len__(self) -> int:
        return len(self.words) + len(self.users) + len(self.classes)

    def action(self, listed: Listed) -> Action:
        """What becomes of a match of one of the lists."""
        return Action.HIDE if listed in self._hidden else Action.REFUSE
