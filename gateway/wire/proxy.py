"""The ASGI application for all traffic that is not the gateway's own: find the route, the sender, the upstream."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import msgspec
from starlette.types import Receive, Scope, Send

from gateway import telemetry
from gateway.codecs import Codec, RequestFields, codec_of
from gateway.downlink import Viewers
from gateway.enforce import Enforcement
from gateway.identity import Identity, IdentityError
from gateway.judge import Judge, JudgePayload
from gateway.replies import reply
from gateway.routes import Matched, PathError, Route, Router
from gateway.settings import ServerSettings
from gateway.wire import clearing, fast_lane, passage
from gateway.wire.clearing import Clearance, Passes, RouteReads
from gateway.wire.dialing import Upstream, dial
from gateway.wire.http import HttpProxy, answer
from gateway.wire.relay import Relay, Verdicts
from gateway.wire.request import ClientRequest
from gateway.wire.websocket import (
    ACCOUNT_CLOSED,
    ROOM_SHUT,
    Connection,
    Connections,
    UpstreamError,
    UpstreamRefusal,
    close_at_once,
    open_upstream,
    pass_refusal,
    refuse_handshake,
    response_headers,
    rooms_of,
)
from protection.modes import MODE_RULES, Room
from protection.rules import Rules
from protection.sanctions import Sanction


class Rooms(Passes, Protocol):
    """What the wire asks of state besides snapshots."""

    def room(self, room_id: str) -> Room | None:
        """The room as the replica knows it."""

    def sanctions_of(self, account: str) -> tuple[Sanction, ...]:
        """The measures against an account."""

    def now(self) -> float:
        """The store's clock, unix seconds."""


class Refusal(Exception):
    """A request that is answered by the gateway itself: status and reason."""

    def __init__(self, status: int, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


class Proxy:
    """Routes, identifies and relays.

    ``start`` gives it what judging needs; before that, senders of messages are asked to come back.
    """

    def __init__(self, settings: ServerSettings, routes: tuple[Route, ...], identity: Identity) -> None:
        self._settings = settings
        self._router = Router(routes)
        self._codecs = {(route.path, route.is_websocket): codec_of(route) for route in routes}
        self._identity = identity
        self._read_from_requests = identity.reads | {name for route in routes for name in route.reads_from_request}
        self._http = HttpProxy(settings.connect_timeout_s, settings.max_message)
        self._judge: Judge | None = None
        self._rooms: Rooms | None = None
        self._viewers: Viewers | None = None
        self._routes = routes
        self._reads: dict[str, RouteReads | None] = {}
        self.connections = Connections()

    def start(self, judge: Judge, rooms: Rooms, viewers: Viewers) -> None:
        """Begin to serve: state is loaded, kernels are warm."""
        self._judge = judge
        self._rooms = rooms
        self._viewers = viewers
        if self._settings.lane == "fast":
            limit, counts = self._settings.max_message, self._identity.payload_sender_counts
            self._reads = {
                route.path: RouteReads.of(route, limit, counts, judge, rooms)
                for route in self._routes
                if route.is_websocket
            }

    def warm_up(self, rules: Rules) -> None:
        """Compile what the fast lane needs, or load it; blocks for as long as that takes."""
        if self._settings.lane == "fast":
            clearing.warm_up(rules)
            passage.compiled()

    async def close(self) -> None:
        """Close the connections to upstreams."""
        await self._http.close()

    def end_shut_room(self, room_id: str) -> None:
        """Close the sockets of a room if its mode now closes them."""
        if self._is_shut(room_id):
            self.connections.end_room(room_id, ROOM_SHUT)

    def end_closed_account(self, account: str) -> None:
        """Close the sockets of an account if it is shut out now."""
        if self._is_closed(account):
            self.connections.end_account(account, ACCOUNT_CLOSED)

    def refresh_viewer(self, person: str) -> None:
        """A person's protection or own rules have changed."""
        if self._viewers is not None:
            self._viewers.changed(person)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or handshake."""
        request = ClientRequest(scope, self._settings.trusted_proxies)
        websocket = scope["type"] == "websocket"
        try:
            matched, account = self._admit(request, websocket)
            if websocket:
                await self._relay(request, matched, account, receive, send)
            else:
                await self._exchange(request, matched, account, receive, send)
        except Refusal as refusal:
            told = reply(request.language, "reject", refusal.reason, retry_after=refusal.retry_after)
            if websocket:
                headers = [(b"content-type", b"application/json")]
                await refuse_handshake(scope, receive, send, refusal.status, headers, msgspec.json.encode(told))
            else:
                await answer(send, Enforcement(None, (told,), refusal.status, refusal.retry_after))

    def _admit(self, request: ClientRequest, websocket: bool) -> tuple[Matched, str]:
        """The route and the account of a request; raises `Refusal`."""
        if request.is_ambiguous(self._read_from_requests):
            raise Refusal(400, "ambiguous-request")
        try:
            matched = self._router.match(request.raw_path, request.raw_query, websocket)
            account = self._account(request)
        except PathError as error:
            raise Refusal(400, "ambiguous-path") from error
        except IdentityError as error:
            raise Refusal(401, "unauthenticated") from error
        if matched is None:
            raise Refusal(404, "unknown-route")
        if self._is_closed(account):
            raise Refusal(403, "account-closed")
        return matched, account

    def _account(self, request: ClientRequest) -> str:
        """The account of a request; a header that names it is believed of trusted proxies alone, if there are any."""
        if self._identity.is_header and self._settings.trusted_proxies and not request.from_trusted_proxy:
            return ""
        return self._identity.account(request.headers, request.query, request.scope.get("subprotocols", []))

    def _judge_for(self, request: ClientRequest, matched: Matched, account: str, codec: Codec) -> JudgePayload:
        """What judges the messages of this request; raises `Refusal` while state is not loaded."""
        if self._judge is None:
            raise Refusal(503, "unavailable", retry_after=1.0)
        fields = request.fields(matched, account, self._identity)
        token = request.headers.get("shieldwire-token", "")
        return partial(self._judge.judge, codec=codec, request=fields, language=request.language, token=token)

    def _codec(self, route: Route) -> Codec | None:
        return self._codecs[route.path, route.is_websocket]

    def _is_shut(self, room_id: str) -> bool:
        if self._rooms is None:
            return False
        room = self._rooms.room(room_id)
        return room is not None and MODE_RULES[room.mode_at(self._rooms.now())].closes_sockets

    def _is_closed(self, account: str) -> bool:
        if self._rooms is None or not account:
            return False
        now = self._rooms.now()
        return any(sanction.shuts_out(now) for sanction in self._rooms.sanctions_of(account))

    async def _exchange(
        self, request: ClientRequest, matched: Matched, account: str, receive: Receive, send: Send
    ) -> None:
        codec = self._codec(matched.route)
        if codec is None:
            await self._http.pass_on(request, matched.upstream, receive, send)
            return
        judge = self._judge_for(request, matched, account, codec)
        await self._http.judge_and_pass_on(request, matched.upstream, codec, judge, receive, send)

    async def _relay(
        self, request: ClientRequest, matched: Matched, account: str, receive: Receive, send: Send
    ) -> None:
        codec = self._codec(matched.route)
        judge = self._judge_for(request, matched, account, codec) if codec else None
        fields = request.fields(matched, account, self._identity)
        rooms = rooms_of(matched.route.fields.room, fields)
        shut = any(self._is_shut(room) for room in rooms)
        lane = fast_lane.lane_of(request.scope)
        if lane is not None and (shut or not fast_lane.takes(matched.route)):
            lane.decline()
            lane = None
        if shut:
            await close_at_once(receive, send, ROOM_SHUT)
            return
        timeout_s, max_size = self._settings.connect_timeout_s, self._settings.max_frame
        try:
            # The upstream first: a client accepted before it would lose the earliest broadcasts.
            if lane is None:
                upstream = await open_upstream(matched.upstream, request, timeout_s, max_size)
            else:
                dialled = await dial(matched.upstream, request, timeout_s)
        except UpstreamRefusal as refusal:
            await pass_refusal(request.scope, receive, send, refusal.response)
            return
        except UpstreamError as error:
            telemetry.UPSTREAM_FAILURES.labels("connect").inc()
            raise Refusal(502, "upstream-unavailable") from error
        if lane is not None:
            await receive()  # websocket.connect
            verdicts = self._verdicts(matched.route, judge, codec, fields)
            await self._hand_over(lane, Relay(verdicts, max_size, rooms, account, request.language), dialled, send)
            return
        connection = Connection(receive, send, upstream, rooms, account, request.language)
        remove = self.connections.add(connection)
        self.end_closed_account(account)  # it may have been closed while the platform was dialled
        viewer = self._viewers.join(matched.route, account, fields) if self._viewers else None
        try:
            await receive()  # websocket.connect
            await connection.relay(judge, viewer)
        finally:
            remove()
            if self._viewers and viewer:
                self._viewers.leave(viewer)

    def _verdicts(
        self, route: Route, judge: JudgePayload | None, codec: Codec | None, fields: RequestFields
    ) -> Verdicts | None:
        if judge is None or codec is None:
            return None
        reads = self._reads.get(route.path)
        return Verdicts(judge, Clearance(reads, codec, fields) if reads is not None else None)

    async def _hand_over(self, lane: fast_lane.Lane, relay: Relay, upstream: Upstream, send: Send) -> None:
        """Accept the client, and leave both sockets to a relay."""
        headers = response_headers(upstream.answered.result())
        try:
            await send({"type": "websocket.accept", "subprotocol": upstream.subprotocol, "headers": headers})
            taken = lane.hand_over(relay, upstream)
        except OSError:
            taken = False
        if not taken:  # the client is gone
            upstream.transport.abort()
            return
        relay.when_ended(self.connections.add(relay))
        if any(self._is_shut(room) for room in relay.rooms):  # while the platform was dialled
            relay.end(ROOM_SHUT)
        self.end_closed_account(relay.account)
