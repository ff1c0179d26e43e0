"""Routes: what a path fits, and what cannot slip past it."""

from __future__ import annotations

import pytest

from gateway.routes import Downlink, Fields, PathError, Route, Router
from protection.events import Kind

ROUTER = Router(
    (
        Route("/ws", "ws://up:1/ws", "json", Kind.BARRAGE, fields=Fields(text="text")),
        Route("/api/{room}/comments", "http://up:1/c/{room}", "json", Kind.COMMENT, fields=Fields(text="text")),
        Route("/files/{rest:path}", "http://files:1/{rest}"),
        Route("/{rest:path}", "http://up:1/{rest}"),
    )
)


@pytest.mark.parametrize(
    ("raw_path", "query", "websocket", "upstream"),
    [
        ("/ws", "user=a%20b", True, "ws://up:1/ws?user=a%20b"),
        ("/api/r1/comments", "", False, "http://up:1/c/r1"),
        ("/api/%E6%88%BF%2F1/comments", "", False, "http://up:1/api/%E6%88%BF%2F1/comments"),
        ("/files/a/b%20c/", "x=1", False, "http://files:1/a/b%20c/?x=1"),
        ("/", "", False, "http://up:1/"),
        ("/page", "", False, "http://up:1/page"),
    ],
)
def test_upstream_addresses(raw_path: str, query: str, websocket: bool, upstream: str) -> None:
    matched = ROUTER.match(raw_path, query, websocket)
    assert matched is not None
    assert matched.upstream == upstream


@pytest.mark.parametrize(
    "raw_path",
    [
        "/api/r1/comments",
        "/api/r1/comments/",
        "//api///r1/comments",
        "/API/r1/Comments",
        "/api/r1/%63omments",
        "/api%2Fr1/comments",
    ],
)
def test_no_spelling_of_a_judged_path_reaches_the_catch_all(raw_path: str) -> None:
    matched = ROUTER.match(raw_path, "", websocket=False)
    assert matched is not None
    assert matched.route.judged
    assert matched.path == {"room": "r1"}


@pytest.mark.parametrize(
    "raw_path",
    [
        "/api/../x",
        "/%2e%2e/x",
        "/a/./b",
        "/a\\b",
        "/a%5cb",
        "/files%2Fx/y",
        "/a;x=1",
        "/a%3Bx",
        "/a%00",
        "/a%20",
        "/%09a",
    ],
)
def test_paths_that_two_servers_could_read_in_two_ways_are_refused(raw_path: str) -> None:
    with pytest.raises(PathError):
        ROUTER.match(raw_path, "", websocket=False)


def test_no_route_fits() -> None:
    assert ROUTER.match("/elsewhere", "", websocket=True) is None


@pytest.mark.req("P7")
def test_what_the_downlink_reads_from_the_handshake_counts_as_read_from_it() -> None:
    fields = Fields(text="text", sender="user", target="query.me", room="header.X-Room")
    route = Route("/", "ws://up", "json", Kind.DM, fields=Fields(text="text"), downlink=Downlink({}, fields))
    assert route.reads_from_request == {"me", "x-room"}
