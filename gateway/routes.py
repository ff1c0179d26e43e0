"""Routes: which traffic goes to which upstream, and where in it a message, its sender and its words are found."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[[route]]`` of the configuration."""

    path: str
    upstream: str
    codec: Literal["json", "form", "text", "opaque"] = "opaque"
    kind: Kind | None = None
    match: dict[str, Any] = {}
    """Which payloads are messages: all of these dotted paths must have these values. Empty: every payload is one."""
    fields: Fields = Fields()

    @property
    def judged(self) -> bool:
        """Whether messages on this route are judged at all."""
        return self.codec != "opaque"

    @property
    def is_websocket(self) -> bool:
        """Whether the upstream speaks WebSocket."""
        return urlsplit(self.upstream).scheme in ("ws", "wss")

    @property
    def reads_from_request(self) -> set[str]:
        """The query parameters and headers (in lower case) that fields of this route refer to."""
        parts = (where.partition(".") for where in msgspec.structs.astuple(self.fields))
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
        if self.codec == "text" and self.match:
            return "codec text has no fields to match: every frame is a message"
        return ""

    def _reads_payload(self) -> bool:
        return bool(self.match) or self.fields != Fields()


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
