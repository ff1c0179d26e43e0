"""Roles of the control API and what each may do: one table, used to enforce, to document and to test."""

from __future__ import annotations

from enum import Enum, StrEnum

import msgspec

from gateway.api.faults import ApiError


class Role(StrEnum):
    """The ``role`` claim of a caller's token."""

    USER = "user"
    """A person on the platform, for themselves."""
    PLATFORM = "platform"
    """The platform's own servers."""
    MODERATOR = "moderator"
    ADMIN = "admin"


class Reach(Enum):
    """On whom a role may carry out an operation."""

    NONE = "nobody"
    OWN = "themselves"
    """Only where the ``{id}`` of the path is the caller's own ``sub``."""
    ANY = "anybody"


class Caller(msgspec.Struct, frozen=True):
    """Who makes a call: the ``sub`` and ``role`` of a verified token."""

    sub: str
    role: Role


_NO, _OWN, _ANY = Reach.NONE, Reach.OWN, Reach.ANY

# fmt: off
RIGHTS: dict[str, tuple[Reach, Reach, Reach, Reach]] = {
    # operation           user  platform moderator admin
    "protection.engage":  (_OWN, _ANY,   _NO,      _ANY),
    "protection.read":    (_OWN, _ANY,   _ANY,     _ANY),
    "protection.release": (_OWN, _ANY,   _NO,      _ANY),
    "link.make":          (_NO,  _ANY,   _ANY,     _ANY),
    "blocklist.set":      (_OWN, _ANY,   _NO,      _ANY),
    "blocklist.read":     (_OWN, _ANY,   _NO,      _ANY),
    "blocklist.clear":    (_OWN, _ANY,   _NO,      _ANY),
    "dm-rules.set":       (_OWN, _ANY,   _NO,      _ANY),
    "dm-rules.read":      (_OWN, _ANY,   _NO,      _ANY),
    "dm-rules.clear":     (_OWN, _ANY,   _NO,      _ANY),
    "account.tell":       (_NO,  _ANY,   _NO,      _ANY),
    "account.read":       (_NO,  _ANY,   _NO,      _ANY),
    "account.forget":     (_NO,  _ANY,   _NO,      _ANY),
    "circle.trust":       (_OWN, _ANY,   _NO,      _ANY),
    "circle.read":        (_OWN, _ANY,   _NO,      _ANY),
    "circle.distrust":    (_OWN, _ANY,   _NO,      _ANY),
    "circle.change":      (_OWN, _ANY,   _NO,      _ANY),
    "room.own":           (_NO,  _ANY,   _NO,      _ANY),
    "room.read":          (_NO,  _ANY,   _NO,      _ANY),
    "mode.set":           (_NO,  _ANY,   _ANY,     _ANY),
    "mode.read":          (_NO,  _ANY,   _ANY,     _ANY),
    "mode.clear":         (_NO,  _ANY,   _ANY,     _ANY),
    "sanction.impose":    (_NO,  _ANY,   _ANY,     _ANY),
    "sanction.read":      (_NO,  _ANY,   _ANY,     _ANY),
    "sanction.lift":      (_NO,  _ANY,   _ANY,     _ANY),
    "limits.set":         (_NO,  _NO,    _NO,      _ANY),
    "limits.read":        (_NO,  _ANY,   _NO,      _ANY),
    "limits.clear":       (_NO,  _NO,    _NO,      _ANY),
    "case.list":          (_NO,  _NO,    _ANY,     _ANY),
    "verdict.ask":        (_NO,  _ANY,   _NO,      _ANY),
}
# fmt: on
_COLUMNS = (Role.USER, Role.PLATFORM, Role.MODERATOR, Role.ADMIN)


def reach(operation: str, role: Role) -> Reach:
    """How far a role reaches with an operation."""
    return RIGHTS[operation][_COLUMNS.index(role)]


def roles_of(operation: str) -> list[Role]:
    """The roles that may carry out an operation at all, be it only on themselves."""
    return [role for role in Role if reach(operation, role) is not Reach.NONE]


def authorise(operation: str, caller: Caller, person: str) -> None:
    """Raise a 403 unless the caller may carry out the operation on ``person`` (the ``{id}`` of the path)."""
    match reach(operation, caller.role):
        case Reach.NONE:
            allowed = ", ".join(roles_of(operation))
            raise ApiError(403, "forbidden", f"role {caller.role.value} may not do this; it takes one of: {allowed}")
        case Reach.OWN if person != caller.sub:
            raise ApiError(403, "forbidden", "a user may do this only for themselves")
