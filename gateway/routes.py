"""Routes: which traffic goes to which upstream, and where in it a message, its sender and its words are found."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

import msgspec

from protection.events import Kind

_SEGMENT_NAME = re.compile(r"\{([a-z_][a-z0-9_]*)(:path)?\}")
_DOUBTFUL = re.compile(r"[\\;\x00-\x1f\x7f]|^\s|\s$")
ROOM_OWNER = "@room.owner"
"""The target that means: whoever owns the room."""


class PathError(ValueError):
    """A request path that two servers could read in two ways; the fault is the client's."""


class Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where each part of an Event is found: dotted paths into the payload, or ``path.x``, ``query.x``, ``header.x``."""

    id: str = ""
    text: str = ""
    sender: str = ""
    target: str = ""
    room: str = ""
    mentions: str = ""
    kind: str = ""


class Downlink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[route.downlink]``: which frames of the platform carry a message, and where its parts are found in them."""

    match: dict[str, Any] = {}
    fields: Fields = Fields()


class Hide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[route.hide]``: how a hidden message looks delivered where this route has no downlink that withholds it."""

    forward: bool = False
    """Forward it: what the platform makes of it is broadcast on a route that has a downlink."""
    answer: str = ""
    """Do not forward it: send this instead, the platform's own answer to a message that it has taken. Each of
    `PLACEHOLDERS` in braces stands for a part of the message, written as JSON (on a route of codec ``text``: plain)."""
    status: int = 200
    """Of that answer over HTTP."""
    headers: dict[str, str] = {}
    """Of that answer over HTTP, besides Content-Length and Date; Content-Type is application/json unless named here."""


class Hiding(StrEnum):
    """What the disposition HIDE comes to on a route."""

    FORWARD = "forward"
    ANSWER = "answer"
    REJECT = "reject"
    """There is no way to hide anything here, and nothing that somebody is protected from may open."""


PLACEHOLDERS = ("id", "text", "sender", "target", "room", "payload", "time", "uuid")
"""What ``[route.hide] answer`` may hold in braces: parts of the message; ``payload``, all of it just as it was sent;
``time``, unix seconds; ``uuid``, a fresh one."""
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[[route]]`` of the configuration."""

    path: str
    upstream: str
    codec: Literal["json", "form", "text", "opaque"] = "opaque"
    kind: Kind | None = None
    match: dict[str, Any] = {}
    """Which payloads are messages: all of these dotted paths must have these values. Empty: every payload is one."""
    fields: Fields = Fields()
    downlink: Downlink | None = None
    hide: Hide | None = None

    @property
    def judged(self) -> bool:
        """Whether messages on this route are judged at all."""
        return self.codec != "opaque"

    @property
    def hiding(self) -> Hiding:
        """What HIDE comes to here."""
        if self.hide is not None:
            return Hiding.ANSWER if self.hide.answer else Hiding.FORWARD
        return Hiding.FORWARD if self.downlink is not None else Hiding.REJECT

    @property
    def broadcasts(self) -> Route | None:
        """The downlink as a route of its own, for a codec to read; None where there is none."""
        if self.downlink is None:
            return None
        return Route(
            self.path, self.upstream, self.codec, self.kind, match=self.downlink.match, fields=self.downlink.fields
        )

    @property
    def is_websocket(self) -> bool:
        """Whether the upstream speaks WebSocket."""
        return urlsplit(self.upstream).scheme in ("ws", "wss")

    @property
    def reads_from_request(self) -> set[str]:
        """The query parameters and headers (in lower case) that fields of this route refer to."""
        read = (*msgspec.structs.astuple(self.fields), *msgspec.structs.astuple((self.downlink or Downlink()).fields))
        parts = (where.partition(".") for where in read)
        return {
            name.lower() if source == "header" else name for source, _, name in parts if source in ("query", "header")
        }

    def problem(self) -> str:
        """What is wrong with this route, in words for the operator; "" when nothing is."""
        if not self.path.startswith("/"):
            return "path must begin with /"
        names = _names(self.path)
        if names is None:
            return "in a path, {name} stands for one whole segment and {name:path}, as the last, for all that remain"
        parts = urlsplit(self.upstream)
        if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname:
            return f"upstream {self.upstream!r} is not a ws, wss, http or https address"
        upstream_names = _names(parts.path or "/")
        if upstream_names is None or not set(upstream_names) <= set(names):
            return f"upstream {self.upstream!r} uses a {{name}} that the path does not have"
        if not self.judged:
            return "an opaque route is never judged: it takes no match and no fields" if self._reads_payload() else ""
        if self.codec == "text" and self.match:
            return "codec text has no fields to match: every frame is a message"
        return self._fields_problem(names) or self._downlink_problem(names) or self._hide_problem()

    def _fields_problem(self, names: list[str]) -> str:
        if self.kind is None and not self.fields.kind:
            return "a judged route needs a kind, or fields.kind"
        if self.codec != "text" and not self.fields.text:
            return f"codec {self.codec} needs fields.text"
        for where in msgspec.structs.astuple(self.fields):
            source, _, name = where.partition(".")
            if source == "path" and name not in names:
                return f"{where} is no name in the path {self.path!r}"
        if self.fields.text.partition(".")[0] in ("path", "query", "header") and "." in self.fields.text:
            return "fields.text must be in the payload"
        return ""

    def _downlink_problem(self, names: list[str]) -> str:
        broadcasts = self.broadcasts
        if broadcasts is None:
            return ""
        if not self.is_websocket:
            return "only a WebSocket route has a downlink"
        if self.codec != "json":
            return "a downlink needs codec json"
        if not broadcasts.fields.sender:
            return "downlink.fields needs sender: whose message it is decides who may see it"
        problem = broadcasts._fields_problem(names)
        return f"downlink: {problem}" if problem else ""

    def _hide_problem(self) -> str:
        if self.hide is None:
            return ""
        if self.hide.forward == bool(self.hide.answer):
            return "hide takes either forward = true or an answer"
        for name in PLACEHOLDER.findall(self.hide.answer):
            if name not in PLACEHOLDERS:
                nearest = difflib.get_close_matches(name, PLACEHOLDERS, n=1, cutoff=0.0)[0]
                return f"hide.answer: unknown {{{name}}}; the nearest known one is {{{nearest}}}"
        if not 200 <= self.hide.status <= 299:
            return f"hide.status {self.hide.status} is no answer to a message that was taken"
        return ""

    def _reads_payload(self) -> bool:
        return bool(self.match) or self.fields != Fields() or self.downlink is not None or self.hide is not None


class Matched(msgspec.Struct, frozen=True):
    """A route that a request path fits, with the decoded values of its names and the upstream address to open."""

    route: Route
    path: dict[str, str]
    upstream: str


def shadowed(routes: Sequence[Route]) -> tuple[Route, Route] | None:
    """The first route that can never be reached, and the earlier one that takes all its traffic; None if all can be."""
    for place, route in enumerate(routes):
        pattern = _blanked(route.path)
        for earlier in routes[:place]:
            wider = _blanked(earlier.path)
            takes_all = wider == pattern or (wider[-1:] == ["**"] and pattern[: len(wider) - 1] == wider[:-1])
            if takes_all and earlier.is_websocket == route.is_websocket:
                return route, earlier
    return None


def _blanked(path: str) -> list[str]:
    """The segments of a path template, with ``*`` for a name and ``**`` for a rest."""
    found = ((_SEGMENT_NAME.fullmatch(segment), segment) for segment in _pattern(path))
    return [("**" if name[2] else "*") if name else segment.casefold() for name, segment in found]


class Router:
    """Finds the route of a request; the first that fits wins."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = [(route, _pattern(route.path)) for route in routes]

    def match(self, raw_path: str, query: str, websocket: bool) -> Matched | None:
        """Match a path as it came on the wire (percent-encoded); raises `PathError`.

        Paths are compared decoded, without regard to case or empty segments: ``/API//%63omment/`` does not slip past a
        judged ``/api/comment`` into a catch-all. What a platform's router may forgive beyond that (``;parameters``,
        spaces, control characters) is refused; a suffix such as ``.json`` needs a route of its own.
        """
        segments = _pattern(unquote(raw_path))
        if any(segment in (".", "..") or _DOUBTFUL.search(segment) for segment in segments):
            raise PathError("dot segments, backslashes, semicolons, controls and outer spaces are not accepted")
        for route, pattern in self._routes:
            if route.is_websocket != websocket:
                continue
            values = _fit(pattern, segments)
            if values is not None:
                return Matched(route, values, _upstream(route, values, raw_path, query))
        return None


def _pattern(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _names(path: str) -> list[str] | None:
    """The names in a path template in their order, or None where the template is wrong."""
    names: list[str] = []
    segments = _pattern(path)
    for place, segment in enumerate(segments):
        if "{" not in segment and "}" not in segment:
            continue
        found = _SEGMENT_NAME.fullmatch(segment)
        if found is None or found[1] in names or (found[2] and place != len(segments) - 1):
            return None
        names.append(found[1])
    return names


def _fit(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for place, expected in enumerate(pattern):
        named = _SEGMENT_NAME.fullmatch(expected)
        if named and named[2]:
            values[named[1]] = "/".join(segments[place:])
            return values
        if place >= len(segments):
            return None
        if named:
            values[named[1]] = segments[place]
        elif expected.casefold() != segments[place].casefold():
            return None
    return values if len(segments) == len(pattern) else None


def _upstream(route: Route, values: dict[str, str], raw_path: str, query: str) -> str:
    """The address to open: the template filled in; a catch-all gets the rest of the path exactly as it was spelled."""
    pattern = _pattern(route.path)
    last = _SEGMENT_NAME.fullmatch(pattern[-1]) if pattern else None

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        catches_all = last is not None and last[2] and last[1] == name
        return _spelled_rest(pattern, raw_path) if catches_all else quote(values[name], safe="")

    target = _SEGMENT_NAME.sub(fill, route.upstream)
    return f"{target}?{query}" if query else target


def _spelled_rest(pattern: list[str], raw_path: str) -> str:
    """What follows the segments before a catch-all, in the client's spelling; raises `PathError`."""
    rest = raw_path.lstrip("/")
    for _ in pattern[:-1]:
        spelled, _, rest = rest.partition("/")
        if "/" in unquote(spelled):
            raise PathError("an encoded slash is not accepted in the fixed part of a path")
        rest = rest.lstrip("/")
    return rest
