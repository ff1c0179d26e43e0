"""The demo's platform: one live room with barrages and comments, direct messages, a login, and the pages.

It is what any platform is to the gateway: an upstream that trusts its own tokens and broadcasts what it receives.
No word is judged here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from starlette.websockets import WebSocket

from gateway.demo import seats
from gateway.demo.archive import Archive, Comment, DirectMessage
from gateway.demo.crowd import Crowd
from gateway.demo.hub import Hub, Listener, connected
from gateway.demo.plans import Intensity

PAGES = Path(__file__).parent / "pages"

LONGEST_TEXT = 4000
"""Characters in one message."""

POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1

_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class MessageError(ValueError):
    """A message that the platform does not take; the fault is the sender's."""


class Barrage(msgspec.Struct, frozen=True, tag_field="type", tag="barrage"):
    """A barrage as the room sees it: ``user`` is the authenticated sender, ``at`` unix seconds."""

    id: str
    room: str
    user: str
    text: str
    at: float


class Frame(msgspec.Struct, frozen=True):
    """What a client sends on a socket. Fields that are not listed are ignored."""

    type: str
    id: str = ""
    text: str = ""
    to: str = ""


class Posted(msgspec.Struct, frozen=True):
    """What a client posts as a comment."""

    id: str
    text: str


class Login(msgspec.Struct, frozen=True):
    """Which seat a visitor takes."""

    seat: str


class CrowdSwitch(msgspec.Struct, frozen=True):
    """The crowd, on or off."""

    on: bool
    intensity: Intensity = Intensity.MEDIUM


class Platform:
    """The platform's endpoints, over its archive, its hub and the crowd that it can let loose."""

    def __init__(self, archive: Archive, secret: str, crowd: Crowd) -> None:
        self._archive = archive
        self._secret = secret
        self._crowd = crowd
        self._hub = Hub()

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                WebSocketRoute("/live/{room}/ws", self.live),
                WebSocketRoute("/dm/ws", self.direct),
                Route("/api/login", self.login, methods=["POST"]),
                Route("/api/rooms/{room}/comments", self.post_comment, methods=["POST"]),
                Route("/api/rooms/{room}/comments", self.list_comments, methods=["GET"]),
                Route("/api/dms", self.list_dms, methods=["GET"]),
                Route("/api/demo/crowd", self.switch_crowd, methods=["POST"]),
                Route("/api/demo/crowd", self.crowd_status, methods=["GET"]),
                Mount("/", Pages(directory=PAGES, html=True)),
            ],
            exception_handlers={HTTPException: _refusal},
        )

    async def live(self, websocket: WebSocket) -> None:
        """The room's socket: barrages, comments and presence go to all."""
        account = await self._admit(websocket)
        if not account:
            return
        room = websocket.path_params["room"]
        try:
            async with connected(self._hub, _room_channel(room), websocket) as listener:
                self._tell_presence(room)
                await _receive(websocket, listener, partial(self._take_live, room, account))
        finally:
            self._tell_presence(room)

    def _take_live(self, room: str, account: str, frame: Frame) -> None:
        if frame.type == "barrage":
            barrage = Barrage(id=frame.id, room=room, user=account, text=checked(frame.text), at=time.time())
            self._hub.publish(_room_channel(room), _json(barrage))

    async def direct(self, websocket: WebSocket) -> None:
        """A person's socket for direct messages: they reach the target and, as a receipt, the sender."""
        account = await self._admit(websocket)
        if not account:
            return
        async with connected(self._hub, _person_channel(account), websocket) as listener:
            await _receive(websocket, listener, partial(self._take_direct, account))

    def _take_direct(self, account: str, frame: Frame) -> None:
        if frame.type != "dm":
            return
        if not frame.to:
            raise MessageError("a direct message needs somebody to go to")
        message = DirectMessage(id=frame.id, user=account, to=frame.to, text=checked(frame.text), at=time.time())
        self._archive.add_dm(message)
        for person in {account, frame.to}:
            self._hub.publish(_person_channel(person), _json(message))

    async def login(self, request: Request) -> Response:
        """Hand out the token of a seat."""
        wanted = (await _body(request, Login)).seat
        seat = seats.SEATS.get(wanted)
        if seat is None:
            raise HTTPException(404, f"there is no seat {wanted!r}, only {', '.join(seats.SEATS)}")
        token = seats.issue(self._secret, seat.account, seat.role)
        return _answer({"token": token, "account": seat.account, "role": seat.role, "room": seats.ROOM})

    async def post_comment(self, request: Request) -> Response:
        """Keep a comment, then show it to the room."""
        account = self._authenticated(request)
        room = request.path_params["room"]
        posted = await _body(request, Posted)
        try:
            comment = Comment(id=posted.id, room=room, user=account, text=checked(posted.text), at=time.time())
        except MessageError as error:
            raise HTTPException(422, str(error)) from error
        self._archive.add_comment(comment)
        self._hub.publish(_room_channel(room), _json(comment))
        return _answer(comment, 201)

    async def list_comments(self, request: Request) -> Response:
        """The latest comments of a room, oldest first; open to everybody."""
        return _answer({"comments": self._archive.comments(request.path_params["room"])})

    async def list_dms(self, request: Request) -> Response:
        """The caller's own latest direct messages, oldest first."""
        return _answer({"dms": self._archive.dms(self._authenticated(request))})

    async def switch_crowd(self, request: Request) -> Response:
        """Let the crowd loose, or call it off."""
        self._authenticated(request)
        switch = await _body(request, CrowdSwitch)
        if switch.on:
            await self._crowd.start(switch.intensity)
        else:
            await self._crowd.stop()
        return _answer(self._crowd.status())

    async def crowd_status(self, request: Request) -> Response:
        """Whether the crowd is loose, and what became of its messages."""
        return _answer(self._crowd.status())

    def _authenticated(self, connection: HTTPConnection) -> str:
        """The account that the connection's token names; raises `HTTPException` 401."""
        scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
        token = bearer if scheme.lower() == "bearer" else connection.query_params.get("token", "")
        try:
            return seats.read(self._secret, token).account
        except seats.TokenError as error:
            raise HTTPException(401, f"no valid token: {error}", {"WWW-Authenticate": "Bearer"}) from error

    async def _admit(self, websocket: WebSocket) -> str:
        """The account behind a socket, or "" after it has been turned away."""
        try:
            return self._authenticated(websocket)
        except HTTPException:
            await websocket.close(POLICY_VIOLATION)
            return ""

    def _tell_presence(self, room: str) -> None:
        count = self._hub.count(_room_channel(room))
        self._hub.publish(_room_channel(room), _json({"type": "presence", "room": room, "count": count}))


class Pages(StaticFiles):
    """The pages' files, under a policy that lets them load nothing from elsewhere."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at ``path``."""
        response = await super().get_response(path, scope)
        response.headers.update(_PAGE_HEADERS)
        return response


def checked(text: str) -> str:
    """``text`` itself, if it can be a message; raises `MessageError`."""
    if not text.strip():
        raise MessageError("a message needs words")
    if len(text) > LONGEST_TEXT:
        raise MessageError(f"a message has at most {LONGEST_TEXT} characters")
    return text


async def _receive(websocket: WebSocket, listener: Listener, take: Callable[[Frame], None]) -> None:
    """Answer pings and give every other frame to ``take`` until the socket closes; a bad frame ends nothing."""
    while (message := await websocket.receive())["type"] == "websocket.receive":
        message_id = ""
        try:
            frame = msgspec.json.decode(message.get("text") or message.get("bytes") or b"", type=Frame)
            message_id = frame.id
            if frame.type == "ping":
                listener.offer('{"type":"pong"}')
            else:
                take(frame)
        except (msgspec.DecodeError, MessageError) as error:
            listener.offer(_json({"type": "error", "id": message_id, "message": str(error)}))


_Body = TypeVar("_Body")


async def _body(request: Request, kind: type[_Body]) -> _Body:
    """The request's JSON body; raises `HTTPException` 422."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.DecodeError as error:
        raise HTTPException(422, str(error)) from error


def _answer(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _answer({"type": "error", "message": error.detail}, error.status_code)
    response.headers.update(error.headers or {})
    return response


def _json(content: Any) -> str:
    return msgspec.json.encode(content).decode()


def _room_channel(room: str) -> str:
    return f"room:{room}"


def _person_channel(account: str) -> str:
    return f"person:{account}"
