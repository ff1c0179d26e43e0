"""A byte stream of frames that pass as they came: where frames begin in it, and where one of ours may be put between.

One compiled call a read walks the heads of all frames, in whatever pieces they come. Bytes of a payload pass at once,
also of a frame that is not whole yet; only a head is held back until it is complete. So no frame of a stream is ever
kept here, however long it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import int64, types, uint8
from numpy.typing import NDArray

from filters import machine_code
from gateway.wire.frames import CONTROL_LENGTH, Code, FrameError

_CLOSE_FRAME = CONTROL_LENGTH + 14
"""The most bytes that a Close frame takes, and so the most that are kept of what follows an end."""
_LEFT, _SIZE, _OPEN, _LIMIT, _GAP, _STOP = range(6)
_NOTHING, _CLOSE, _TOO_BIG, _BAD_LENGTH = range(4)

Walk = Callable[[bytes, NDArray[np.int64]], int]


class Passage:
    """One direction of one connection."""

    __slots__ = ("_held", "_state", "_walk")

    def __init__(self, limit: int) -> None:
        """``limit``: bytes that one message may have, in one frame or in many."""
        self._walk = compiled()
        self._state = np.zeros(6, dtype=np.int64)
        self._state[_LIMIT] = limit
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take a read; returns what of it, and of what was held back, may pass. Raises `FrameError` for a limit.

        It ends before a Close frame, and before one that breaks the limit; what follows is in `held`.
        """
        if self.stopped and len(self._held) >= _CLOSE_FRAME:
            return b""
        if self._held:
            data = self._held + data
        passed = self._walk(data, self._state)
        if passed == len(data):
            self._held = b""
            return data
        self._held = data[passed:]
        return data[:passed]

    @property
    def held(self) -> bytes:
        """What did not pass: the beginning of a head; where `stopped`, the frame that may not, and all after."""
        return self._held

    @property
    def stopped(self) -> bool:
        """Whether a Close frame has come, or one that may not pass: `problem` tells which. Nothing passes any more."""
        return bool(self._state[_STOP] != _NOTHING)

    @property
    def problem(self) -> FrameError | None:
        """Why the stream may not go on; None while it may, and at a Close frame."""
        stop = self._state[_STOP]
        if stop == _TOO_BIG:
            return FrameError(Code.TOO_BIG, f"a message may have {self._state[_LIMIT]} bytes")
        if stop == _BAD_LENGTH:
            return FrameError(Code.PROTOCOL_ERROR, "a frame has a length that it may not have")
        return None

    @property
    def gap(self) -> int:
        """The last place in what `feed` returned where a message of ours may stand; -1 for none."""
        return int(self._state[_GAP])

    @property
    def between_messages(self) -> bool:
        """Whether all that has passed ends with a whole message."""
        return self.between_frames and not self._state[_OPEN]

    @property
    def between_frames(self) -> bool:
        """Whether all that has passed ends with a whole frame: there a control frame of ours may stand."""
        return not self._state[_LEFT]


@cache
def compiled() -> Walk:
    """The walk as machine code: ``walk(read, state) -> passed``."""
    return machine_code.entry_point(_walk, int64(types.Bytes(uint8, 1, "C"), types.Array(int64, 1, "C")))


def _walk(read, state):  # type: ignore[no-untyped-def]  # numba types it by the signature
    end = len(read)
    at = min(state[_LEFT], end)
    state[_LEFT] -= at
    state[_GAP] = -1
    if state[_LEFT] > 0:
        return end
    while True:
        if not state[_OPEN]:
            state[_GAP] = at
        if end - at < 2:
            return at
        opcode = int64(read[at]) & 0x0F
        length = int64(read[at + 1]) & 0x7F
        payload = at + 2 + (4 if read[at + 1] & 0x80 else 0)
        extra = 2 if length == 126 else 8 if length == 127 else 0
        payload += extra
        if payload > end:
            return at
        if extra:
            length = int64(0)
            for place in range(at + 2, at + 2 + extra):
                length = length << 8 | int64(read[place])
        if opcode == 8:
            state[_STOP] = _CLOSE
            return at
        if length < 0 or (opcode >= 8 and length > CONTROL_LENGTH):
            state[_STOP] = _BAD_LENGTH
            return at
        if opcode < 8:
            before = int64(0) if opcode else state[_SIZE]
            if length > state[_LIMIT] - before:  # no sum: it could overflow
                state[_STOP] = _TOO_BIG
                return at
            fin = read[at] & 0x80 != 0
            state[_SIZE] = 0 if fin else before + length
            state[_OPEN] = not fin
        if payload + length > end:
            state[_LEFT] = payload + length - end
            return end
        at = payload + length
