"""Circles that the platform keeps itself, over a real HTTP server and a real store (requirement P6)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.demo.ports import free_port
from gateway.platform_circle import MOST_BYTES, CircleUnknown, PlatformCircle
from gateway.settings import CircleSettings, Settings, SettingsError, StateSettings
from gateway.state.engine import Engine
from gateway.state.state import State, open_state
from protection.circle import STRANGER, Tie
from protection.dm_rules import DmRules, Senders
from protection.events import Event, Kind
from protection.policy import Limits, Policy
from protection.protections import ONE_KEY, Protection
from ratelimit.rate import Rate
from tests.gateway.state.conftest import engine
from tests.gateway.state.test_loading import allowed, dm
from tests.gateway.state.waiting import until

pytestmark = pytest.mark.req("P6")
__all__ = ["engine"]

POLICY = Policy(limits=Limits(stranger_dm=Rate(1, 3600)))


class Relations:
    """A platform that knows who is whose friend."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/of/{{person}}/and/{{other}}"
        self.friends = {("alice", "friend")}
        self.asked: list[tuple[str, str]] = []
        self.tokens: set[str] = set()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.answer: Response | None = None

    async def relation(self, request: Request) -> Response:
        segments = request.scope["raw_path"].decode().split("/")
        assert len(segments) == 5, "an id is one segment, whatever it holds"
        pair = (request.path_params["person"], request.path_params["other"])
        self.asked.append(pair)
        self.tokens.add(request.headers.get("authorization", ""))
        await self.go_on.wait()
        if self.answer is not None:
            return self.answer
        if pair not in self.friends:
            return JSONResponse({}, 404)
        return JSONResponse({"kinds": ["friends"], "since": 2020})

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        app = Starlette(routes=[Route("/of/{person:path}/and/{other:path}", self.relation)])
        config = uvicorn.Config(app, port=self.port, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        try:
            yield
        finally:
            self.go_on.set()
            server.should_exit = True
            await serving


@pytest.fixture
async def relations() -> AsyncIterator[Relations]:
    relations = Relations()
    async with relations.served():
        yield relations


@contextlib.asynccontextmanager
async def asking(
    engine: Engine, relations: Relations, timeout_s: float = 5.0, cache_s: float = 60
) -> AsyncIterator[State]:
    platform = PlatformCircle(relations.url, "secret", timeout_s, cache_s)
    settings = StateSettings(data_dir=str(engine.data_dir))
    try:
        async with open_state(settings, lambda: POLICY, "worker", engine.url, platform) as state:
            yield state
    finally:
        await platform.close()


def comment(sender: str) -> Event:
    return Event(Kind.COMMENT, sender, "hello", target="alice")


async def protect(state: State) -> None:
    await state.engage("alice", Protection(ONE_KEY, state.now() + 3600))


async def test_where_somebody_is_protected_the_platform_is_asked_once_and_the_answer_kept(
    engine: Engine, relations: Relations
) -> None:
    async with asking(engine, relations) as state:
        await protect(state)
        for _ in range(3):
            assert (await state.load(comment("friend"))).concerned[0].ties == Tie.FRIEND
            assert (await state.load(comment("stranger"))).concerned[0].ties == STRANGER
        assert relations.asked == [("alice", "friend"), ("alice", "stranger")]
        assert relations.tokens == {"Bearer secret"}
        assert await state.known_ties("alice", "friend") == Tie.FRIEND
        await state.tie("alice", ["friend"])
        assert (await state.load(comment("friend"))).concerned[0].ties == Tie.FRIEND | Tie.CHOSEN, "both count"


async def test_answers_are_forgotten_after_their_time(engine: Engine, relations: Relations) -> None:
    async with asking(engine, relations, cache_s=0.05) as state:
        await protect(state)
        assert (await state.load(comment("friend"))).concerned[0].trusted
        relations.friends.clear()
        asked = len(relations.asked)
        async with asyncio.timeout(5):
            while (await state.load(comment("friend"))).concerned[0].trusted:
                pass
        assert len(relations.asked) > asked


async def test_many_at_once_ask_once(engine: Engine, relations: Relations) -> None:
    async with asking(engine, relations) as state:
        await protect(state)
        relations.go_on.clear()
        loads = [asyncio.create_task(state.load(comment("friend"))) for _ in range(20)]
        await until(lambda: bool(relations.asked))
        relations.go_on.set()
        assert all(snapshot.concerned[0].trusted for snapshot in await asyncio.gather(*loads))
        assert relations.asked == [("alice", "friend")]


async def test_a_platform_that_does_not_answer_in_time_keeps_the_protected_closed_and_holds_nobody_up(
    engine: Engine, relations: Relations
) -> None:
    async with asking(engine, relations, timeout_s=0.05) as state:
        await protect(state)
        relations.go_on.clear()
        snapshot = await state.load(comment("friend"))
        assert snapshot.concerned[0].ties == STRANGER
        assert snapshot.fresh, "the store has said what it knows"
        asked = len(relations.asked)
        assert not (await state.load(comment("friend"))).concerned[0].trusted
        assert len(relations.asked) == asked, "after a failure there is a pause"


async def test_a_message_to_who_is_not_protected_does_not_wait_for_the_platform(
    engine: Engine, relations: Relations
) -> None:
    async with asking(engine, relations) as state:
        relations.go_on.clear()
        async with asyncio.timeout(3):  # the platform would take five
            assert not (await state.load(dm("friend"))).concerned[0].trusted
            await state.load(comment("friend"))
        relations.go_on.set()
        assert await state.known_ties("alice", "friend") == Tie.FRIEND  # joins the question under way
        assert (await state.load(dm("friend"))).concerned[0].trusted
        assert allowed(await state.load(dm("friend"))), "a friend whom the platform knows has no stranger's limit"
        assert relations.asked == [("alice", "friend")]


async def test_where_rules_decide_the_platform_is_waited_for_and_its_friends_cost_nothing(
    engine: Engine, relations: Relations
) -> None:
    async with asking(engine, relations) as state:
        await state.set_dm_rules("alice", DmRules(strangers=Rate(1, 3600), until_reply=True))
        snapshot = await state.load(dm("friend"))
        assert snapshot.concerned[0].ties == Tie.FRIEND
        assert allowed(snapshot)
        async with asyncio.timeout(5):  # what the friend was charged is given back behind the answer
            while not allowed(await state.load(dm("stranger"))):
                pass
        await state.set_dm_rules("alice", DmRules(scope=Senders.FRIENDS))
        assert (await state.load(dm("friend"))).concerned[0].ties == Tie.FRIEND


@pytest.mark.parametrize(
    "answer",
    [
        Response("no json"),
        JSONResponse({"kinds": ["enemies"]}),
        JSONResponse({"kinds": "friends"}),
        JSONResponse(["friends"]),
        JSONResponse({"kinds": ["friends"]}, 500),
        JSONResponse({"kinds": ["friends"]}, 302, {"Location": "http://127.0.0.1:9/"}),
        JSONResponse({"kinds": ["friends"], "pad": "x" * MOST_BYTES}),
    ],
)
async def test_an_answer_that_cannot_be_read_makes_nobody_a_friend(relations: Relations, answer: Response) -> None:
    relations.answer = answer
    platform = PlatformCircle(relations.url, "", 5, 60)
    asked = platform.ask("alice", "friend")
    assert asked is not None
    with pytest.raises(CircleUnknown):
        await asked
    assert platform.known("alice", "friend") is None
    await platform.close()


@pytest.mark.parametrize("odd", ["a/b", "../x", "a?b#c", "{other}", "a b%2F", "用户", "\tHost: x"])
async def test_ids_may_hold_anything(relations: Relations, odd: str) -> None:
    platform = PlatformCircle(relations.url, "", 5, 60)
    relations.friends.add((odd, odd))
    asked = platform.ask(odd, odd)
    assert asked is not None
    assert await asked == Tie.FRIEND
    assert relations.asked == [(odd, odd)]
    await platform.close()


@pytest.mark.parametrize("url", ["ftp://x/{person}/{other}", "https://x/{person}", "https://x", "{person}{other}"])
def test_an_address_that_cannot_be_asked_is_refused_at_start(url: str) -> None:
    with pytest.raises(SettingsError, match=r"\[circle\]: url must be http or https"):
        Settings(circle=CircleSettings(url=url)).check()
