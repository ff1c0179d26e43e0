"""Downlink protection (requirement P7): what the platform broadcasts is withheld from the protected viewer alone.

A broadcast is judged once in each worker and remembered for some seconds; each protected viewer then costs one look-up
and their own rules. Whoever is not protected costs nothing: their frames are not even looked at.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from cachetools import TTLCache

from filters.hits import Scan
from filters.stitching import Stitcher
from gateway import telemetry
from gateway.codecs import MessageError, RequestFields
from gateway.codecs.codec import find_in_request, is_request_field
from gateway.codecs.json_codec import JsonCodec
from gateway.routes import Route
from protection.blocklist import Blocked
from protection.circle import STRANGER, Tie
from protection.downlink import WITHHELD_FROM, closed, role_of, why_withheld
from protection.events import Event, Kind
from protection.modes import Room
from protection.protections import Protection
from protection.rules import Rules
from protection.snapshot import Concerned, Role, Snapshot
from protection.verdicts import Verdict

LIFE_S = 10.0
"""How long a judged broadcast is remembered: longer than it takes to reach the slowest viewer of a room."""
MOST_CHARACTERS = 4 << 20
"""Of all the remembered texts of one route together."""
_OVERHEAD = 500
"""What a remembered broadcast takes besides its text, in characters."""


class ViewerState(Protocol):
    """What is asked about viewers (`gateway.state.state.State`)."""

    def now(self) -> float:
        """The store's clock, unix seconds."""

    def room(self, room_id: str) -> Room | None:
        """A room, if anything has been said about it."""

    def protection_of(self, person: str) -> Protection | None:
        """A person's protection, in force or ended."""

    def blocked_by(self, person: str) -> Blocked | None:
        """A person's blocklist; None where they have none."""

    async def ties_or_stranger(self, person: str, other: str) -> Tie:
        """How ``other`` is in the person's circle; a stranger while nobody can say."""


class Broadcast(msgspec.Struct, frozen=True):
    """One judged broadcast. ``event`` is None where a message is meant that cannot be read; then it is withheld."""

    event: Event | None = None
    verdict: Verdict = Verdict()
    """On the text alone."""

    @property
    def abusive(self) -> bool:
        """Whether the text alone would not be delivered unchanged."""
        return self.verdict.disposition >= WITHHELD_FROM


_UNREADABLE = Broadcast()


class Broadcasts:
    """What the platform sends down one route, each frame judged once. The memo is keyed by a keyed hash of 128 bits."""

    def __init__(self, route: Route, rules: Callable[[], Rules], max_message: int) -> None:
        self._codec = JsonCodec(route)
        self._rules = rules
        self._max_message = max_message
        self._stitcher = Stitcher()
        self._key = secrets.token_bytes(32)
        self._judged_by = rules()
        self._memo: TTLCache[bytes, Broadcast | None] = TTLCache(MOST_CHARACTERS, LIFE_S, getsizeof=_size)
        self._from_request = sorted(filter(is_request_field, msgspec.structs.astuple(route.fields)))

    def seed(self, request: RequestFields) -> Any:
        """The beginning of the hash of a frame on a connection: what messages on it take from the handshake."""
        taken = [find_in_request(where, request) for where in self._from_request]
        return hashlib.blake2b(msgspec.json.encode(taken), digest_size=16, key=self._key)

    def judged(self, payload: str, seed: Any, request: RequestFields, now: float) -> Broadcast | None:
        """The verdict on one frame, remembered or made now; None where the frame is no message."""
        rules = self._rules()
        if rules is not self._judged_by:
            self._judged_by = rules
            self._memo.clear()
        digest = seed.copy()
        digest.update(payload.encode())
        key = digest.digest()
        try:
            return self._memo[key]
        except KeyError:
            broadcast = self._judge(payload, request, rules, now)
        telemetry.BROADCASTS.labels(_outcome(broadcast)).inc()
        if _size(broadcast) <= MOST_CHARACTERS:
            self._memo[key] = broadcast
        return broadcast

    def _judge(self, payload: str, request: RequestFields, rules: Rules, now: float) -> Broadcast | None:
        try:
            message = self._codec.decode(payload, request)
        except MessageError:
            return _UNREADABLE if self._means_a_message(payload) else None
        if message is None:
            return None
        event = message.event
        if len(event.text.encode()) > self._max_message:
            return _UNREADABLE
        stitched = self._stitcher.feed(
            rules.reader, event.text, now, sender=event.sender, room=event.room, target=event.target, message=event.id
        )
        return Broadcast(event, rules.judge(event, Snapshot(now), stitched))

    def _means_a_message(self, payload: str) -> bool:
        """Whether a frame that this gateway does not read would be a message to a client's more forgiving parser."""
        try:
            return self._codec.is_message(json.loads(payload, parse_int=float))
        except RecursionError:
            return True
        except ValueError:
            return False


class Viewer:
    """One connection with an account behind it."""

    def __init__(
        self,
        person: str,
        state: ViewerState,
        rules: Callable[[], Rules],
        broadcasts: Broadcasts,
        request: RequestFields,
    ) -> None:
        self.person = person
        self._state = state
        self._rules = rules
        self._broadcasts = broadcasts
        self._request = msgspec.structs.replace(request, identity="", payload_sender_counts=True, target_needed=False)
        self._seed = broadcasts.seed(request)
        self.guarded = False
        """Whether frames must be looked at; kept right by `refresh`."""
        self.refresh()

    def refresh(self) -> None:
        """The person's protection or own rules have changed."""
        state, person = self._state, self.person
        self.guarded = state.protection_of(person) is not None or state.blocked_by(person) is not None

    async def withholds(self, payload: str | bytes) -> bool:
        """Whether this frame is kept from this viewer; never a binary one. Waits for an unknown relation at most."""
        reason = await self._why(payload) if isinstance(payload, str) else ""
        if reason:
            telemetry.WITHHELD.labels(reason).inc()
        return bool(reason)

    async def _why(self, payload: str) -> str:
        state, person, now = self._state, self.person, self._state.now()
        protection, blocked = state.protection_of(person), state.blocked_by(person)
        if blocked is None and (protection is None or not protection.active(now)):
            return ""
        broadcast = self._broadcasts.judged(payload, self._seed, self._request, now)
        if broadcast is None:
            return ""
        event = broadcast.event
        if event is None:
            return "unreadable"
        if event.sender == person:
            return ""
        if broadcast.abusive:
            return "abuse"
        if event.kind is Kind.DM and not event.target:
            event = msgspec.structs.replace(event, target=person)
        role = role_of(person, event, state.room(event.room) if event.room else None)
        asks = closed(person, protection, event, role, now)
        ties = await state.ties_or_stranger(person, event.sender) if asks else STRANGER
        viewer = Concerned(person, role, protection if role is not Role.VIEWER else None, ties, blocked)
        scan = Scan(broadcast.verdict.hits, broadcast.verdict.score)
        return why_withheld(event, viewer, scan, self._rules().policy, now)


class Viewers:
    """All viewers of this worker, by person."""

    def __init__(self, state: ViewerState, rules: Callable[[], Rules], max_message: int) -> None:
        self._state = state
        self._rules = rules
        self._max_message = max_message
        self._broadcasts: dict[str, Broadcasts] = {}
        self._viewers: dict[str, set[Viewer]] = {}

    def join(self, route: Route, person: str, request: RequestFields) -> Viewer | None:
        """Somebody has opened a socket; None where nothing would ever be withheld from it. `leave` ends it."""
        broadcasts = route.broadcasts
        if broadcasts is None or not person:
            return None
        if route.path not in self._broadcasts:
            self._broadcasts[route.path] = Broadcasts(broadcasts, self._rules, self._max_message)
        viewer = Viewer(person, self._state, self._rules, self._broadcasts[route.path], request)
        self._viewers.setdefault(person, set()).add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """That socket has closed."""
        of_person = self._viewers[viewer.person]
        of_person.discard(viewer)
        if not of_person:
            del self._viewers[viewer.person]

    def changed(self, person: str) -> None:
        """A person's protection or own rules have changed: their open sockets learn it now."""
        for viewer in self._viewers.get(person, ()):
            viewer.refresh()


def _size(broadcast: Broadcast | None) -> int:
    return _OVERHEAD + (len(broadcast.event.text) if broadcast is not None and broadcast.event is not None else 0)


def _outcome(broadcast: Broadcast | None) -> str:
    if broadcast is None:
        return "no-message"
    if broadcast.event is None:
        return "unreadable"
    return "abusive" if broadcast.abusive else "clean"
