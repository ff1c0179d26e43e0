"""What every codec does, and the part they share: from found values to an Event."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import msgspec

from gateway.routes import ROOM_OWNER, Route
from protection.events import Event, Kind

TOKEN_FIELD = "shieldwire_token"  # noqa: S105 - a name, not a secret
"""The payload field that carries the token of a nudge back."""

MAX_ID_LENGTH = 128
MAX_MENTIONS = 64


class MessageError(ValueError):
    """A message that cannot be judged because of how it is written; the fault is its sender's.

    ``reason`` is the code that the sender is told, ``id`` the message's own id where it could be read.
    """

    def __init__(self, reason: str, detail: str, id: Any = None) -> None:  # noqa: A002 - the wire's own name
        super().__init__(detail)
        self.reason = reason
        self.id = id


class RequestFields(msgspec.Struct, frozen=True):
    """What a message may take from the request or handshake that carried it. ``identity`` is "" when unproven."""

    identity: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    payload_sender_counts: bool = False
    """Whether the payload may name its own sender (identity source ``field``; what the platform broadcasts)."""
    target_needed: bool = True
    """Whether a DM has to say whom it is for; what the platform sends down a socket is for whoever holds it."""


class Message(msgspec.Struct, frozen=True):
    """A decoded message: the Event, its id exactly as the sender wrote it, and the token of a nudge if it has one."""

    event: Event
    id: Any
    token: str = ""


class Codec(Protocol):
    """One encoding of messages. Stateless; one instance per route."""

    route: Route
    content_types: ClassVar[frozenset[str]]
    """The media types an HTTP request may declare; any other could be read differently by the upstream."""

    def decode(self, payload: str, request: RequestFields) -> Message | None:
        """The message in ``payload``; None when it is not one; raises `MessageError`."""

    def with_text(self, payload: str, text: str) -> str:
        """The same payload with another text, everything else as it was."""

    def without_token(self, payload: str) -> str:
        """The same payload without the token of a nudge."""


def is_plain_id(text: str) -> bool:
    """Whether a text can name an account or room: 1 to 128 characters, in NFC, without outer spaces or controls.

    Others may look like, or on a forgiving platform be, an id that somebody has protected or muted.
    """
    return (
        1 <= len(text) <= MAX_ID_LENGTH
        and text == text.strip()
        and text.isprintable()
        and unicodedata.is_normalized("NFC", text)
    )


Lookup = Callable[[str], Any]
"""Finds a payload path; returns None when there is nothing there."""

_REQUEST_SOURCES = ("path", "query", "header")


def is_request_field(where: str) -> bool:
    """Whether a configured field reaches outside the payload."""
    return where.partition(".")[0] in _REQUEST_SOURCES and "." in where


def find_in_request(where: str, request: RequestFields) -> str | None:
    """What a field that reaches outside the payload finds in the request or handshake."""
    source, _, name = where.partition(".")
    match source:
        case "path":
            return request.path.get(name)
        case "query":
            return request.query.get(name)
        case _:
            return request.headers.get(name.lower())


def build_message(route: Route, request: RequestFields, text: Any, lookup: Lookup) -> Message:
    """Make the Event of a payload from its text and a way to look other fields up; raises `MessageError`."""
    reader = _Reader(route, request, lookup)
    if text is None:
        raise reader.error("missing-field", f"{route.fields.text} is missing")
    if not isinstance(text, str):
        raise reader.error("wrong-type", f"{route.fields.text} must be a string")
    kind = route.kind or reader.kind()
    target = reader.target()
    if kind is Kind.DM and not target and request.target_needed:
        raise reader.error("missing-field", f"{route.fields.target or 'target'} is missing")
    token = lookup(TOKEN_FIELD)
    event = Event(
        kind=kind,
        sender=reader.sender(),
        text=text,
        id=str(reader.id) if reader.id is not None else "",
        target=target,
        room=reader.room(),
        mentions=reader.mentions(),
    )
    return Message(event, reader.id, token if isinstance(token, str) else "")


class _Reader:
    """Reads the configured fields of one payload, with errors that carry the message's id."""

    def __init__(self, route: Route, request: RequestFields, lookup: Lookup) -> None:
        self._fields = route.fields
        self._request = request
        self._lookup = lookup
        self.id: Any = None
        self.id = self._checked_id(self._find(route.fields.id))

    def error(self, reason: str, detail: str) -> MessageError:
        return MessageError(reason, detail, self.id)

    def _find(self, where: str) -> Any:
        if not where:
            return None
        return find_in_request(where, self._request) if is_request_field(where) else self._lookup(where)

    def _checked_id(self, value: Any) -> Any:
        if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
            return value if not isinstance(value, str) or len(value) <= MAX_ID_LENGTH else value[:MAX_ID_LENGTH]
        raise self.error("wrong-type", f"{self._fields.id} must be a string or an integer")

    def _account(self, value: Any, where: str) -> str:
        """An account or room id: a short string, or an integer as its digits."""
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.error("wrong-type", f"{where} must be a string or an integer")
        text = str(value)
        if text and not is_plain_id(text):
            raise self.error("wrong-type", f"{where} is not a plain id of at most {MAX_ID_LENGTH} characters")
        return text

    def name(self, field: str) -> str:
        where: str = getattr(self._fields, field)
        return self._account(self._find(where), where)

    def room(self) -> str:
        room = self.name("room")
        if not room and self._fields.target == ROOM_OWNER:  # without it nobody could be protected
            raise self.error("missing-field", f"{self._fields.room or 'room'} is missing")
        return room

    def target(self) -> str:
        return "" if self._fields.target == ROOM_OWNER else self.name("target")

    def kind(self) -> Kind:
        value = self._find(self._fields.kind)
        if value is None:
            raise self.error("missing-field", f"{self._fields.kind} is missing")
        try:
            return Kind(value)
        except ValueError:
            raise self.error("wrong-type", f"{self._fields.kind} must be one of {', '.join(Kind)}") from None

    def sender(self) -> str:
        """Who speaks: the proven identity, or the payload's word where that counts."""
        if self._request.identity:
            return self._request.identity
        if not self._request.payload_sender_counts:
            raise self.error("unauthenticated", "sign in before you send messages")
        sender = self.name("sender")
        if not sender:
            raise self.error("missing-field", f"{self._fields.sender or 'sender'} is missing")
        return sender

    def mentions(self) -> tuple[str, ...]:
        """The accounts mentioned; one alone may stand without a list."""
        where = self._fields.mentions
        value = self._find(where)
        if value is None:
            return ()
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or len(value) > MAX_MENTIONS:
            raise self.error("wrong-type", f"{where} must be a list of at most {MAX_MENTIONS} accounts")
        return tuple(self._account(item, where) for item in value)
