"""What callers of the control API send: bodies of PUT and POST, parameters of GET and DELETE."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from filters.classes import Harm
from filters.own_words import LONGEST_WORD, MOST_WORDS
from gateway.api.durations import Duration
from protection.actions import Action
from protection.blocklist import Listed
from protection.dm_rules import Senders
from protection.events import Kind
from protection.modes import RoomMode
from protection.protections import Switch
from protection.sanctions import Measure

MAX_ID = 128
MAX_REASON = 500
MAX_MENTIONS = 100
MAX_CIRCLE_CHANGE = 1_000
MOST_USERS = 1_000
MAX_QUESTIONS = 256
MAX_SLOW_S = 3_600
MAX_CASES = 200

# A lookahead, because "$" would let a final newline through.
Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID, pattern=r"^(?![\s\S]*[\x00-\x1f\x7f-\x9f])")]
"""The id of an account, person or room, as the platform knows it: anything without control characters."""

CircleKind = Literal["friends", "follows", "chosen"]
"""The kinds of `protection.circle.TIES`."""

BlockedWord = Annotated[str, Meta(min_length=1, max_length=LONGEST_WORD)]
"""A word, or several with spaces between."""


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller sends. An absent body reads as ``{}``."""


class Nothing(Input, frozen=True):
    """Nothing: the path says it all."""


class ProtectionBody(Input, frozen=True):
    """One-key protection. Without ``kinds``, those of the preset; with them, these alone."""

    preset: Literal["one-key"] = "one-key"
    duration: Duration = "7d"
    kinds: Annotated[frozenset[Switch], Meta(min_length=1)] | None = None


class LinkBody(Input, frozen=True):
    """A one-click link: what it engages, for how long, and how long it can be used."""

    preset: Literal["one-key"] = "one-key"
    duration: Duration = "7d"
    expires: Duration = "24h"
    tell: bool = False
    """Whether to send it, as a notice, to the sockets that the person has open."""


class BlocklistBody(Input, frozen=True):
    """What a person does not want to be told, and by whom. All three lists are replaced; a missing one is empty."""

    words: Annotated[tuple[BlockedWord, ...], Meta(max_length=MOST_WORDS)] | None = None
    users: Annotated[tuple[Id, ...], Meta(max_length=MOST_USERS)] | None = None
    classes: tuple[Harm, ...] | None = None
    hide: frozenset[Listed] = frozenset()
    """The lists whose matches look delivered to the sender; those of the others are refused."""


Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?!\n)$", description="24 hours: 22:30.")]
Limit = Annotated[
    str, Meta(max_length=32, pattern=r"^[0-9]+/[0-9]*[smhd](?!\n)$", description="So many in so long: 5/10m, 20/d.")
]
MAX_AGE_DAYS = 36_500


class QuietBody(Input, frozen=True):
    """From when to when strangers do not write, by the clock on the person's wall; over midnight too."""

    start: Clock
    end: Clock
    zone: Annotated[str, Meta(max_length=64, description="IANA name: Asia/Shanghai.")]


class DmRulesBody(Input, frozen=True):
    """Who may write to a person, when, and how much. What is left out is as in the defaults."""

    per_stranger: Limit | None = None
    strangers: Limit | None = None
    """Of all strangers together; each message counts against both, or neither."""
    quiet: QuietBody | None = None
    scope: Senders | None = None
    """Left out: anyone; of a minor, whom minors let write."""
    older_than_days: Annotated[int, Meta(ge=1, le=MAX_AGE_DAYS)] | None = None
    until_reply: bool = False
    """A stranger may write one message, and more when the person has written to them."""
    refuse_all: bool = False
    """Nobody may write, friends neither."""
    action: Action = Action.REFUSE


class LimitsBody(Input, frozen=True):
    """Limits to put in force instead of those of the policy file; see `protection.policy.Limits`."""

    flood: Limit | None = None
    sender_flood: Limit | None = None
    dm_flood: Limit | None = None
    strangers_reached: Limit | None = None
    stranger_dm: Limit | None = None
    strangers_dm: Limit | None = None


class AccountBody(Input, frozen=True):
    """What the platform knows of an account. Whether it is a minor's: by flag, or by birth date."""

    created: Annotated[float, Meta(ge=0)] = 0.0
    """When the account was made (unix seconds); 0: unknown."""
    verified: bool = False
    minor: bool = False
    birth: date | None = None


class TieBody(Input, frozen=True):
    """As what an account is taken into a circle."""

    kind: CircleKind = "chosen"


class CircleBody(Input, frozen=True):
    """Accounts to take into a circle, and accounts to take out of it, all as of one kind."""

    kind: CircleKind = "chosen"

    add: Annotated[tuple[Id, ...], Meta(max_length=MAX_CIRCLE_CHANGE)] = ()
    remove: Annotated[tuple[Id, ...], Meta(max_length=MAX_CIRCLE_CHANGE)] = ()


class CircleEntry(Input, frozen=True):
    """One line of a feed: an account to take into a circle, or out of it."""

    id: Id
    kind: CircleKind = "chosen"
    remove: bool = False


FeedLine = Id | CircleEntry
"""An id alone is one that is chosen."""


class RoomBody(Input, frozen=True):
    """Whose room it is."""

    owner: Id


class ModeBody(Input, frozen=True):
    """How a room is to be run; without a duration, until the mode is changed or cleared."""

    mode: RoomMode
    duration: Duration | None = None
    slow_s: Annotated[int, Meta(ge=1, le=MAX_SLOW_S)] | None = None
    """Least seconds between two messages of one sender; only with mode ``slow``."""


class SanctionBody(Input, frozen=True):
    """A measure against an account. It always ends, and always has a reason."""

    measure: Measure
    duration: Duration
    reason: Annotated[str, Meta(min_length=1, max_length=MAX_REASON)]


class LiftQuery(Input, frozen=True):
    """Which measure to lift; without it, all of them."""

    measure: Measure | None = None


class CasesQuery(Input, frozen=True):
    """How many cases to list."""

    limit: Annotated[int, Meta(ge=1, le=MAX_CASES)] = 50


class Question(Input, frozen=True):
    """A message as it would be sent, to be judged without being sent."""

    kind: Kind
    sender: Id
    text: str
    target: Id | None = None
    room: Id | None = None
    mentions: Annotated[tuple[Id, ...], Meta(max_length=MAX_MENTIONS)] = ()


class Questions(Input, frozen=True):
    """Several questions at once."""

    events: Annotated[tuple[Question, ...], Meta(min_length=1, max_length=MAX_QUESTIONS)]
