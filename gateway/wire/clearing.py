"""What of a read may pass as it came, without a wait: frames in which there is nothing, and that need no state.

The read kernel says in which frames there is nothing; a pass (`gateway.state.passes`) that nobody need be asked about
their sender, room and target. A second, small kernel holds the rows of a read against the pass: frames at another
target, and short texts, which `filters.stitching` has to see, end what may pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol

import msgspec
import numpy as np
from numba import float64, int32, int64, typeof, types, uint8
from numpy.typing import NDArray

from filters import machine_code
from filters.machine_code import called, inlined
from filters.model.features import LONGEST, TABLES, tables
from filters.model.scoring import DISTRESS, MODEL, ROOM, score
from gateway.codecs import Codec, MessageError, RequestFields
from gateway.routes import Route
from gateway.state.passes import Pass
from gateway.wire import read_kernel
from gateway.wire.frames import read_frame
from gateway.wire.read_kernel import (
    ACCOUNT_START,
    CLEAN,
    COLUMNS,
    END,
    LEAVES,
    START,
    TEXT_END,
    TEXT_START,
    VERDICT,
    ReadJudge,
)
from gateway.wire.read_plan import ACCOUNTS, plan_of
from protection.events import Event, Kind
from protection.risk import Level
from protection.rules import Rules

_WINDOW = 1 << 14
"""Bytes looked at in one call: a frame that leaves must not cost another look at all of a long read behind it."""
_MESSAGES = (1 << 32) - 1
_SHORT, _SHORT_LATIN = 4, 12
"""Letters of a text that stitching may take for a word, and of one in Latin letters."""

Settle = Callable[..., int]


class Passes(Protocol):
    """Opens passes (`gateway.state.state.State`)."""

    def open_pass(self, event: Event) -> Pass | None:
        """A pass for events like this one, whatever their text; None where a message has to be loaded for."""


class Watch(Protocol):
    """What judges all other messages (`gateway.judge.Judge`)."""

    def rules(self) -> Rules:
        """How texts are read and judged now."""

    def note_passed(self, event: Event, count: int) -> None:
        """So many messages like this one have passed."""


def warm_up(rules: Rules) -> None:
    """Compile the two kernels, or load them."""
    read_kernel.compiled(typeof(rules.reader.scanner.survey_data))  # type: ignore[no-untyped-call]
    compiled()


class RouteReads:
    """The kernels with one route's plan and the rules in force, for all its connections on this worker."""

    def __init__(self, plan: NDArray[np.int64], watch: Watch, passes: Passes) -> None:
        self._plan = plan
        self.watch = watch
        self.passes = passes
        self._settle = compiled()
        self._rules = watch.rules()
        self._room = self._rules.reader.model.room()
        self._judge = ReadJudge(self._rules.reader.scanner, plan)

    @classmethod
    def of(
        cls, route: Route, max_message: int, payload_sender_counts: bool, watch: Watch, passes: Passes
    ) -> RouteReads | None:
        """Those of a route; None where only its codec can read its messages."""
        plan = plan_of(route, max_message, payload_sender_counts)
        return None if plan is None else cls(plan, watch, passes)

    def judge(self, read: bytes) -> NDArray[np.int32]:
        """The rows of the whole frames in a read, by the rules in force; good until the next call."""
        rules = self.watch.rules()
        if rules is not self._rules:
            self._rules, self._judge = rules, ReadJudge(rules.reader.scanner, self._plan)
        return self._judge.judge(read)

    @property
    def scratch(self) -> NDArray[np.uint8]:
        """Where the rows of the last read point to."""
        return self._judge.scratch

    def settle(self, rows: NDArray[np.int32], accounts: bytes, left: int, kind: Kind) -> int:
        """How many of the rows may pass, as `compiled` says, in a calm place: where there is risk, there is no pass."""
        rules = self._rules
        thresholds = rules.policy.thresholds_of(kind, Level.CALM)
        return self._settle(
            rows, self._judge.scratch, accounts, left,
            tables(), rules.reader.model.arrays, *self._room, thresholds.least, thresholds.distress,
        )  # fmt: skip


class Clearance:
    """What may pass on one connection."""

    __slots__ = ("_accounts", "_codec", "_event", "_pass", "_reads", "_request")

    def __init__(self, reads: RouteReads, codec: Codec, request: RequestFields) -> None:
        self._reads = reads
        self._codec = codec
        self._request = request
        self._accounts = b""
        """Of the messages that the pass is for, as `_key_of` writes them."""
        self._event: Event | None = None
        self._pass: Pass | None = None

    def clear(self, read: bytes, at: int) -> int:
        """Up to where a read may be forwarded as it came, from ``at`` on, which is where a frame begins.

        The next frame is not whole, or has to be judged. What is cleared counts as sent: the caller forwards it.
        """
        reads = self._reads
        while True:
            window = read[at : at + _WINDOW] if at or len(read) > _WINDOW else read
            rows = reads.judge(window)
            count, done = len(rows), 0
            while done < count:
                left = self._pass.left() if self._pass is not None else 0
                kind = self._event.kind if self._event is not None else Kind.CHAT
                settled = reads.settle(rows[done:] if done else rows, self._accounts, left, kind)
                messages = settled & _MESSAGES
                if messages and self._pass is not None and self._event is not None:
                    self._pass.spend(messages)
                    reads.watch.note_passed(self._event, messages)
                done += settled >> 32
                if done < count and not self._renew(rows[done], window):
                    break
            if done:
                at += int(rows[done - 1, END])
            if done < count or not count or at == len(read):
                return at

    def _renew(self, row: NDArray[np.int32], window: bytes) -> bool:
        """Open a pass for the message of this row; False where it has to be judged."""
        if row[VERDICT] != CLEAN:
            return False
        accounts = _key_of(row, self._reads.scratch)
        if accounts == self._accounts and self._pass is not None and self._pass.left():
            return False  # there is a pass for it: it is short, or the model has found something
        self._accounts, self._pass = b"", None
        found = read_frame(window, int(row[START]), len(window), masked=True)
        assert found is not None, "the row of a frame that is not whole"
        try:
            message = self._codec.decode(found[0].payload.decode(), self._request)
        except MessageError:  # for what is the same in all messages of this connection
            return False
        if message is None or message.token:
            return False
        opened = self._reads.passes.open_pass(message.event)
        if opened is None:
            return False
        self._accounts, self._pass = accounts, opened
        self._event = msgspec.structs.replace(message.event, text="", id="")
        return True


def _key_of(row: NDArray[np.int32], scratch: NDArray[np.uint8]) -> bytes:
    """The accounts that a row names: of each its length and one, then its bytes; a zero for none."""
    key = b""
    for column in range(ACCOUNT_START, COLUMNS, 2):
        start, end = int(row[column]), int(row[column + 1])
        key += b"\0" if start < 0 else bytes((end - start + 1,)) + scratch[start:end].tobytes()
    return key


@cache
def compiled() -> Settle:
    """The rows of a read against a pass, as machine code.

    ``settle(rows, scratch, accounts, left, tables, model, *room, flag, distress) -> settled`` holds how many rows, from
    the first on, may pass, and in its lower 32 bits how many of them are messages: at most ``left``, at these
    ``accounts`` (as `_key_of` writes them), none of them short, and none that the content model rates at one of the two
    thresholds (logits).
    """
    read = types.Array(int32, 2, "C"), types.Array(uint8, 1, "C"), types.Bytes(uint8, 1, "C"), int64
    return machine_code.entry_point(_settle, int64(*read, TABLES, MODEL, *ROOM, float64, float64))


_score = called(score)


def _settle(rows, scratch, accounts, left, tables, model, letters, grams, context, numbers, flag, distress):  # type: ignore[no-untyped-def]  # numba types it by the signature
    messages = 0
    for number in range(len(rows)):
        verdict = rows[number, VERDICT]
        if verdict == LEAVES:
            return number << 32 | messages
        if verdict == CLEAN:
            if messages >= left or not _is_at(rows, number, scratch, accounts):
                return number << 32 | messages
            start, end = int64(rows[number, TEXT_START]), int64(rows[number, TEXT_END])
            if not _is_long(scratch, start, end):
                return number << 32 | messages
            size = min(end - start, int64(LONGEST))
            hostile = _score(tables, model, scratch[start:end], size, 0.0, letters, grams, context, numbers)
            if hostile >= flag or numbers[DISTRESS] >= distress:
                return number << 32 | messages
            messages += 1
    return len(rows) << 32 | messages


@inlined
def _is_at(rows, number, scratch, accounts):  # type: ignore[no-untyped-def]
    """Does the message name these accounts?"""
    at = 0
    for column in range(ACCOUNT_START, ACCOUNT_START + 2 * len(ACCOUNTS), 2):
        if at >= len(accounts):
            return False
        size = int64(accounts[at]) - 1
        at += 1
        start, end = int64(rows[number, column]), int64(rows[number, column + 1])
        if start < 0:
            if size >= 0:
                return False
            continue
        if end - start != size:
            return False
        for place in range(size):
            if accounts[at + place] != scratch[start + place]:
                return False
        at += size
    return True


@inlined
def _is_long(text, start, end):  # type: ignore[no-untyped-def]
    """Has it certainly more letters than any text that stitching takes for a word? Most ideographs and ASCII count."""
    latin = 0
    others = 0
    for place in range(start, end):
        byte = int64(text[place])
        letter = byte | 0x20
        if 0x61 <= letter <= 0x7A and byte < 0x80:
            latin += 1
        elif 0x30 <= byte <= 0x39 or 0xE5 <= byte <= 0xE8:
            others += 1
        if latin + others > _SHORT_LATIN or (others and latin + others > _SHORT):
            return True
    return False
