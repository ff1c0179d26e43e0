"""A path of the control API and the methods it knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from gateway.api.bodies import Id
from gateway.api.faults import ApiError, bad_request, refusal
from gateway.api.reading import convert

Endpoint = Callable[[Request], Awaitable[Response]]


class Resource(BaseRoute):
    """A route by segments of the path *as it was sent*: ``%2F`` belongs to an id and does not part segments.

    Starlette's own `Route` matches the decoded path, where an id with a slash is somebody else's path. Every refusal
    is JSON, those of paths and methods too, whatever application this is mounted in.
    """

    def __init__(self, path: str, endpoints: Mapping[str, Endpoint]) -> None:
        self.path = path
        self.endpoints = endpoints
        self._template = path.split("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for this path; its ids, still encoded, become ``path_params``."""
        if scope["type"] != "http":
            return Match.NONE, {}
        segments = _segments(scope)
        if len(segments) != len(self._template):
            return Match.NONE, {}
        encoded: dict[str, str] = {}
        for expected, segment in zip(self._template, segments, strict=True):
            if expected.startswith("{"):
                encoded[expected[1:-1]] = segment
            elif segment != expected:
                return Match.NONE, {}
        return Match.FULL, {"path_params": encoded}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by its method."""
        try:
            endpoint = self.endpoints.get(scope["method"])
            if endpoint is None:
                allowed = {"Allow": ", ".join(sorted(self.endpoints))}
                raise ApiError(405, "method-not-allowed", f"{scope['method']} is not known here", allowed)
            scope["path_params"] = {name: _id(name, value) for name, value in scope["path_params"].items()}
            response = await endpoint(Request(scope, receive))
        except ApiError as error:
            response = refusal(error)
        await response(scope, receive, send)


class Nowhere(BaseRoute):
    """Stands last: whatever path no resource has."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Every HTTP request."""
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404."""
        await refusal(ApiError(404, "not-found", "there is nothing at this path"))(scope, receive, send)


def _segments(scope: Scope) -> list[str]:
    """The path below the mount, in its segments, as it was sent; the first is always empty."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    mount: str = scope.get("root_path", "")
    return ["", *raw.decode("latin-1").split("/")[mount.count("/") + 1 :]]


def _id(name: str, encoded: str) -> str:
    try:
        identity = unquote(encoded, errors="strict")
    except UnicodeDecodeError as error:
        raise bad_request(f"{name}: not percent-encoded UTF-8") from error
    checked: str = convert(identity, Id, name)
    return checked
