"""The fast lane's connection: both sockets on one loop, and bytes that pass as they came wherever they may.

Up, `gateway.wire.clearing` says how far a read may go; that goes in one write, with the client's own masks. The next
frame is taken apart here and judged as the portable lane judges it, while nothing more is read from this client. Down,
all passes; frames of ours are put between messages. Control frames travel from end to end, so the two sides keep alive
and close each other; only what the gateway itself ends, or one side leaves undone, is closed from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable

import msgspec

from gateway import telemetry
from gateway.enforce import Enforcement
from gateway.judge import JudgePayload
from gateway.replies import Language, notice
from gateway.wire.clearing import Clearance
from gateway.wire.dialing import Upstream
from gateway.wire.frames import (
    CONTROL_LENGTH,
    Assembler,
    Close,
    Code,
    FrameError,
    Opcode,
    bytes_needed,
    read_frame,
    write_close,
    write_frame,
)
from gateway.wire.passage import Passage
from gateway.wire.websocket import BAD_GATEWAY, CLOSE_TIMEOUT_S, DISCONNECTED, GOING_AWAY, LAST_CALL_S
from protection.notices import Notice

logger = logging.getLogger("shieldwire.relay")

_WHOLE_TEXT = 0x81
"""The first byte of an unfragmented text frame: the only kind that can be cleared."""
PEERS_CLOSE_S = 10.0
"""How long one side may take to answer the other's Close frame."""

_JUDGING, _UPSTREAM_FULL, _ENDING = 1, 2, 4
"""Why the client is not read at the moment."""


class Verdicts(msgspec.Struct, frozen=True):
    """What judges the messages of one connection."""

    judge: JudgePayload
    clearance: Clearance | None
    """None where every message has to be judged."""


class _Pending(msgspec.Struct, frozen=True):
    """A message that has to be judged, and what of its read lies behind it."""

    payload: str | bytes
    frame: bytes
    """As it came; empty where it came in fragments."""
    read: bytes
    at: int


class Relay(asyncio.Protocol):
    """One client and one upstream, from the end of both handshakes on. It is the protocol of the client's socket."""

    __slots__ = (
        "_assembler",
        "_changed",
        "_client",
        "_client_done",
        "_client_full",
        "_client_lost",
        "_client_told",
        "_down",
        "_drain",
        "_ended",
        "_ending",
        "_held",
        "_language",
        "_last_call",
        "_max_frame",
        "_needed",
        "_replies",
        "_rest",
        "_stopped",
        "_task",
        "_up",
        "_upstream",
        "_upstream_done",
        "_upstream_ended",
        "_upstream_told",
        "_verdicts",
        "_winding_up",
        "account",
        "rooms",
    )

    def __init__(
        self, verdicts: Verdicts | None, max_frame: int, rooms: set[str], account: str, language: Language
    ) -> None:
        """Without ``verdicts`` nothing is judged. ``max_frame``: bytes of a message, in either direction."""
        self.rooms = rooms
        """The rooms this socket is known to be in: those of its address."""
        self.account = account
        """Whose socket it is; "" where only its messages say so."""
        self._language = language
        self._drain: Callable[[], None]
        self._ended: tuple[Callable[[], None], ...] = ()
        self._verdicts = verdicts
        self._max_frame = max_frame
        self._client: asyncio.Transport
        self._upstream: asyncio.Transport
        self._up = Passage(max_frame) if verdicts is None else None
        """Of an uplink that is not judged; of a judged one, once it only waits for its end."""
        self._assembler: Assembler | None = None
        self._down = Passage(max_frame)
        self._rest = bytearray()
        """The beginning of a frame that is not whole: it is looked at again when there are ``_needed`` bytes."""
        self._needed = 0
        self._held = bytearray()
        """What was read while a message was being judged."""
        self._replies: list[bytes] = []
        """Frames of ours that wait for a gap in what the upstream sends."""
        self._stopped = 0
        self._client_full = False
        self._client_done = self._client_lost = self._client_told = False
        """Nothing more is to be expected from it; it cannot even be written to; a Close frame was sent to it."""
        self._upstream_done = self._upstream_ended = self._upstream_told = False
        """Nothing more is to be expected from it; its socket has ended; a Close frame was sent to it."""
        self._ending: Close | None = None
        """How the gateway itself ends it."""
        self._last_call = 0.0
        self._task: asyncio.Task[None] | None = None
        self._winding_up: asyncio.Task[None] | None = None
        self._changed: asyncio.Event | None = None

    def begin(self, client: asyncio.Transport, upstream: Upstream, drain: Callable[[], None]) -> None:
        """Take both sockets over. The client has been accepted; what the upstream has said since goes first.

        ``drain`` is called when the server wants to end.
        """
        self._client, self._upstream, self._drain = client, upstream.transport, drain
        client.set_protocol(self)
        self._upstream.set_protocol(_UpstreamSide(self))
        if upstream.early:
            self.upstream_received(bytes(upstream.early))
        if upstream.ended:
            self.upstream_has_ended()

    def when_ended(self, call: Callable[[], None]) -> None:
        """Call this when both sockets are closed."""
        self._ended += (call,)

    def end(self, close: Close) -> None:
        """End both sockets; what was read from the client is judged and answered first, for a while."""
        if self._ending is None and self._winding_up is None:
            self._ending = close
            self._last_call = asyncio.get_running_loop().time() + LAST_CALL_S
            self._stop_reading(_ENDING)
            self._note_change()
            if self._task is None:
                self._wind_up()

    def tell(self, told: Notice) -> None:
        """Send the client a notice of the gateway's own, between two messages; whoever reads slowly gets it later."""
        if self._ending is None:
            self._say(write_frame(Opcode.TEXT, msgspec.json.encode(notice(self._language, told))))

    def shutdown(self) -> None:
        """The server wants to end: it waits for this connection."""
        self._drain()

    # -- the client's side

    def data_received(self, data: bytes) -> None:
        """The client has sent something."""
        if self._task is not None:
            self._held += data
        elif self._up is not None:
            self._pass_up(data)
        elif not self._client_done:
            self._carry_up(data)

    def eof_received(self) -> bool:
        """The client sends no more, but may still listen: TCP has that, TLS has not."""
        self._client_done = True
        self._note_change()
        if self._task is None:
            self._wind_up()
        return self._client.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone. What it has said is said: it is judged and forwarded all the same."""
        self._client_done = self._client_lost = True
        self._client_full = False
        self._note_change()
        if self._task is None:
            self._wind_up()

    def pause_writing(self) -> None:
        """The client reads slowly: so do we, from the upstream."""
        self._client_full = True
        if not self._upstream.is_closing():
            self._upstream.pause_reading()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._client_full = False
        self._note_change()
        if not self._upstream.is_closing():
            self._upstream.resume_reading()

    # -- up

    def _pass_up(self, data: bytes) -> None:
        """Forward what is not judged, up to the client's Close frame."""
        assert self._up is not None
        passed = self._up.feed(data)
        if passed:
            self._write_up(passed)
        if self._up.stopped:
            problem = self._up.problem
            if problem is not None:
                self._fail(problem)
            elif closing := _whole_control(self._up.held):
                self._client_closes(closing)

    def _carry_up(self, data: bytes) -> None:
        """Forward what may pass; the first message that may not is judged by a task, with the rest of the read."""
        if self._needed:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data, self._needed = bytes(self._rest), 0
            self._rest.clear()
        try:
            pending = self._advance(data, 0)
        except FrameError as error:
            self._fail(error)
            return
        if pending is not None:
            self._stop_reading(_JUDGING)
            self._task = asyncio.get_running_loop().create_task(self._judge_on(pending))

    def _advance(self, read: bytes, at: int) -> _Pending | None:
        """Forward what may pass, from ``at`` on, up to a message that has to be judged. Raises `FrameError`."""
        assert self._verdicts is not None
        clearance = self._verdicts.clearance
        while at < len(read):
            is_inside = self._assembler is not None and self._assembler.is_open
            if clearance is not None and read[at] == _WHOLE_TEXT and not is_inside:
                cleared = clearance.clear(read, at)
                if cleared > at:
                    self._write_up(read if cleared - at == len(read) else read[at:cleared])
                    at = cleared
                    if at == len(read):
                        break
            found = read_frame(read, at, self._max_frame, masked=True)
            if found is None:
                self._rest += read[at:]
                self._needed = bytes_needed(read, at)
                break
            frame, end = found
            raw, at = read[at:end], end
            if frame.opcode is Opcode.CLOSE:
                self._client_closes(raw)
                break
            if frame.opcode in (Opcode.PING, Opcode.PONG):
                self._write_up(raw)
                continue
            if self._assembler is None:
                self._assembler = Assembler(self._max_frame)
            payload = self._assembler.add(frame)
            if payload is not None:
                return _Pending(payload, b"" if frame.opcode is Opcode.CONTINUATION else raw, read, at)
        return None

    async def _judge_on(self, pending: _Pending | None) -> None:
        """Judge a message, and all that was read behind it, in its order."""
        assert self._verdicts is not None
        try:
            while pending is not None:
                self._carry_out(await self._verdicts.judge(pending.payload), pending)
                if self._is_past_last_call():
                    self._rest += pending.read[pending.at :]
                    break
                await self._until(self._has_room_for_replies)
                pending = self._advance(pending.read, pending.at) or self._next_held()
        except FrameError as error:
            self._fail(error)
        except Exception:
            logger.exception("a message could not be judged")
            self._fail(FrameError(Code.INTERNAL_ERROR, ""))
        finally:
            self._task = None
        if self._ending is not None or self._client_done or self._upstream_done:
            self._wind_up()
        else:
            self._go_on_reading(_JUDGING)

    def _next_held(self) -> _Pending | None:
        """The next message that has to be judged, in what was read meanwhile. Raises `FrameError`."""
        if not self._held:
            return None
        read = bytes(self._rest + self._held)
        self._rest.clear()
        self._held.clear()
        self._needed = 0
        return None if self._upstream_told else self._advance(read, 0)

    def _carry_out(self, outcome: Enforcement, pending: _Pending) -> None:
        if outcome.forward is not None:
            if pending.frame and outcome.forward == pending.payload:
                self._write_up(pending.frame)
            else:
                self._write_up(write_frame(Opcode.TEXT, outcome.forward.encode(), secrets.token_bytes(4)))
        for reply in outcome.replies:
            self._say(write_frame(Opcode.TEXT, msgspec.json.encode(reply)))
        if outcome.disconnect:
            self._ending = self._ending or DISCONNECTED  # and no last call

    def _is_past_last_call(self) -> bool:
        return self._ending is not None and asyncio.get_running_loop().time() >= self._last_call

    def _has_room_for_replies(self) -> bool:
        """Whoever sends what is answered, and does not read the answers, is not read."""
        if self._client_lost or self._upstream_done or self._ending is not None:
            return True
        return not (self._client_full or self._replies)

    def _write_up(self, data: bytes) -> None:
        if not (self._upstream_told or self._upstream.is_closing()):
            self._upstream.write(data)

    def _client_closes(self, closing: bytes) -> None:
        """The client's Close frame, to be passed on unless the upstream knows already."""
        self._client_done = True
        self._write_up(closing)
        self._upstream_told = True
        self._note_change()
        if self._task is None:
            self._wind_up()

    # -- the upstream's side

    def upstream_received(self, data: bytes) -> None:
        """The upstream has sent something: all of it passes, up to its Close frame."""
        if self._client_told:
            return
        down, replies = self._down, self._replies
        try:
            passed = down.feed(data)
        except FrameError as error:
            self._fail(error)
            return
        if replies and down.gap >= 0:
            passed = b"".join((passed[: down.gap], *replies, passed[down.gap :]))
            replies.clear()
            self._note_change()
        if passed and not self._client.is_closing():
            self._client.write(passed)
        if down.stopped:
            self._upstream_stops()

    def _upstream_stops(self) -> None:
        if self._upstream_done:
            return
        problem = self._down.problem
        if problem is not None:
            self._fail(problem)
        elif closing := _whole_control(self._down.held):
            self._upstream_done = True
            if self._ending is None:
                self._tell_client(closing)
            self._note_change()
            if self._task is None:
                self._wind_up()

    def upstream_has_ended(self) -> None:
        """The upstream's socket has ended, after a Close frame or without one."""
        if not self._upstream_ended:
            self._upstream_done = self._upstream_ended = True
            self._note_change()
            if self._task is None:
                self._wind_up()

    def upstream_is_full(self) -> None:
        """The upstream reads slowly: so do we, from the client."""
        self._stop_reading(_UPSTREAM_FULL)

    def upstream_has_room(self) -> None:
        """The upstream has caught up."""
        self._go_on_reading(_UPSTREAM_FULL)

    def _say(self, frame: bytes) -> None:
        """Tell the client something, as soon as the upstream's message is over."""
        if self._client_told or self._client.is_closing():
            return
        if self._down.between_messages and not self._replies:
            self._client.write(frame)
        else:
            self._replies.append(frame)

    def _tell_client(self, closing: bytes) -> None:
        """The last frame to the client; within a frame of the upstream's nothing can be said, and it learns nothing."""
        if self._client_told or self._client.is_closing():
            return
        self._client_told = True
        if self._down.between_messages:
            closing = b"".join((*self._replies, closing))
        self._replies.clear()
        if self._down.between_frames:
            self._client.write(closing)
        else:
            self._client_done = True

    # -- reading

    def _stop_reading(self, why: int) -> None:
        if not self._stopped and not self._client.is_closing():
            self._client.pause_reading()
        self._stopped |= why

    def _go_on_reading(self, why: int) -> None:
        self._stopped &= ~why
        if not self._stopped and not self._client.is_closing():
            self._client.resume_reading()

    # -- the end

    def _fail(self, error: FrameError) -> None:
        """One side broke the protocol or a limit: both are told."""
        if self._winding_up is None:
            self._ending = error.close
            self._tell_client(write_close(error.close))
            self._write_up(write_close(error.close, secrets.token_bytes(4)))
            self._upstream_told = True
            if self._task is None:
                self._wind_up()

    def _wind_up(self) -> None:
        if self._winding_up is None:
            self._winding_up = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        """From the first sign of the end to the end of both sockets."""
        try:
            if self._ending is not None:
                await self._end_upstream()
                self._tell_client(write_close(self._ending))
                self._await_clients_close()
                await self._until(self._is_client_done, CLOSE_TIMEOUT_S)
            else:
                if self._client_done and not self._upstream_told and not self._upstream.is_closing():
                    self._upstream.write_eof() if self._upstream.can_write_eof() else self._upstream.close()
                await self._until(self._is_done, CLOSE_TIMEOUT_S if self._client_lost else PEERS_CLOSE_S)
                await self._end_client()
            self._client.close()
            await self._until(self._has_upstream_ended, CLOSE_TIMEOUT_S)
        except Exception:
            logger.exception("a connection could not be closed in order")
        finally:
            self._client.close()
            # A closing transport is kept until its buffer is read: a client that never reads would keep its socket.
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._client.abort)
            self._upstream.abort()
            for call in self._ended:
                call()

    async def _end_upstream(self) -> None:
        """On the gateway's own account: what the upstream has still to say arrives, up to its answer to the close."""
        self._write_up(write_close(GOING_AWAY, secrets.token_bytes(4)))
        self._upstream_told = True
        await self._until(self._is_upstream_done, CLOSE_TIMEOUT_S)

    async def _end_client(self) -> None:
        """Whatever the upstream left undone: tell the client how it ended."""
        if not (self._client_told or self._client_done):
            telemetry.UPSTREAM_FAILURES.labels("relay").inc()
        self._tell_client(write_close(BAD_GATEWAY))
        self._await_clients_close()
        await self._until(self._is_client_done, CLOSE_TIMEOUT_S)

    def _await_clients_close(self) -> None:
        """Read the client again, for its Close frame alone: nothing of it is judged, so nothing may go up any more."""
        self._upstream_told = True
        if self._up is None:
            self._up = Passage(self._max_frame)
            self._pass_up(bytes(self._rest + self._held))
        self._go_on_reading(_JUDGING | _ENDING | _UPSTREAM_FULL)

    async def _until(self, condition: Callable[[], bool], timeout_s: float | None = None) -> None:
        """Wait until a condition of this connection holds, at most ``timeout_s`` seconds."""
        if condition():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not condition():
                    if self._changed is None:
                        self._changed = asyncio.Event()
                    self._changed.clear()
                    await self._changed.wait()

    def _note_change(self) -> None:
        if self._changed is not None:
            self._changed.set()

    def _is_client_done(self) -> bool:
        return self._client_done

    def _is_upstream_done(self) -> bool:
        return self._upstream_done

    def _has_upstream_ended(self) -> bool:
        return self._upstream_ended

    def _is_done(self) -> bool:
        return self._upstream_ended or (self._client_done and self._upstream_done)


class _UpstreamSide(asyncio.Protocol):
    """The protocol of the upstream's socket."""

    __slots__ = ("_relay",)

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def data_received(self, data: bytes) -> None:
        self._relay.upstream_received(data)

    def eof_received(self) -> None:
        self._relay.upstream_has_ended()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.upstream_has_ended()

    def pause_writing(self) -> None:
        self._relay.upstream_is_full()

    def resume_writing(self) -> None:
        self._relay.upstream_has_room()


def _whole_control(data: bytes) -> bytes | None:
    """The control frame that begins here, once it is whole; an overlong one is passed on as far as it may go."""
    needed = min(bytes_needed(data), CONTROL_LENGTH + 14)
    return data[:needed] if len(data) >= needed else None
