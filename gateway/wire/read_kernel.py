"""The read kernel: one compiled call over a socket read judges all whole frames in it.

For each frame (RFC 6455, section 5.2) it says whether the bytes may be forwarded as they came: a message in which the
text search finds nothing, or a payload that is no message by the route's match. Whatever is not plain - control frames,
fragments, binary, anything a strict reader would refuse, anything that two JSON parsers could read in two ways, any
candidate of the search - is not judged here: it LEAVES, for `gateway.codecs` and the whole decision.

The frames' JSON is read in one pass, as strictly as the codec does. A key that differs from a watched one only in case,
a second key of the name of the text or of a match, a key written twice or with escapes or beyond ASCII: all leave.

Compiled when first asked for, with the search of `filters.kernel` in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import int32, int64, typeof, types, uint8
from numpy.typing import NDArray

from filters import machine_code, survey
from filters.machine_code import called, inlined
from filters.scanner import Scanner
from gateway.wire.read_plan import (
    ACCOUNT,
    ACCOUNTS,
    BOOLEAN,
    COLUMN,
    FIRST_SLOT,
    HASH,
    HASH_MASK,
    ID,
    INNER,
    INTEGER,
    KIND,
    LIMIT,
    MENTIONS,
    NAME,
    NAME_END,
    NAMED,
    NEEDED,
    NEXT,
    PARENT,
    ROOT,
    SLOTS,
    STRING,
    TEXT,
    TOKEN,
    VALUE,
    VALUE_END,
    WANTED,
)

CLEAN, PASSES, LEAVES = 0, 1, 2
"""Verdicts: a message with nothing in it; no message; for the portable lane to judge."""

START, END, VERDICT, TEXT_START, TEXT_END, ACCOUNT_START = 0, 1, 2, 3, 4, 5
COLUMNS = ACCOUNT_START + 2 * len(ACCOUNTS)
"""Columns of a row: byte offsets of the frame in the read (half-open), its verdict; then, for a CLEAN one, offsets into
the scratch of its text and of the ``ACCOUNTS`` (start and end; -1: not there), decoded, in UTF-8."""

MAX_DEPTH = 16
MAX_KEYS = 64
"""Deeper payloads, and those with more keys, leave."""
_KEYS = 2 * MAX_DEPTH
WORK = _KEYS + 2 * MAX_KEYS
"""Words of int64 that the kernel needs to work with: a stack of containers (the object's number or _ARRAY, its node),
then the hash of each key and the number of its object."""

_MAX_ACCOUNT = 128
_MAX_DIGITS = 18
_TEXT_FRAME = 0x81
"""FIN, no reserved bit, opcode 1."""
_MASKED = 0x80

_UNWATCHED = -2
_ARRAY = 0
_TAB, _LINE_FEED, _RETURN, _BLANK, _QUOTE, _BACKSLASH = 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x5C
_COMMA, _MINUS, _DOT, _ZERO, _NINE, _COLON = 0x2C, 0x2D, 0x2E, 0x30, 0x39, 0x3A
_OPEN_ARRAY, _CLOSE_ARRAY, _OPEN_OBJECT, _CLOSE_OBJECT = 0x5B, 0x5D, 0x7B, 0x7D
_SLASH, _FALSE, _NULL, _B, _F, _N, _R, _T, _U = 0x2F, 0x66, 0x6E, 0x62, 0x66, 0x6E, 0x72, 0x74, 0x75
_DELETE = 0x7F
_BAD = -1

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Walk = Callable[[survey.Data, Longs, bytes, NDArray[np.uint8], Longs, Ints, Ints], int]


@cache
def compiled(data: types.Type) -> Walk:
    """The kernel as machine code: ``walk(data, plan, read, scratch, work, letters, rows) -> count``.

    ``data``, of the numba type given, is what a scanner searches with, ``plan`` what `plan_of` made for the route.
    ``read`` must be shorter than 2 GiB; what of it lies beyond the length of ``scratch`` (uint8) is not looked at.
    ``work`` is int64 [WORK], ``letters`` what `filters.survey.scratch_for` gives for ``scratch``; ``rows`` is int32
    [n, COLUMNS] and takes the first n frames. What follows the last row's END is a frame that is not whole yet, or had
    no room. A frame beyond the plan's
    limit ends the walk at once, whole or not: its row reaches to the end of the read.

    Texts are looked at by `filters.survey`: when it sees nothing, scanning the text would find nothing.
    """
    longs = types.Array(int64, 1, "C")
    table = types.Array(int32, 2, "C")
    read, scratch = types.Bytes(uint8, 1, "C"), types.Array(uint8, 1, "C")
    signature = int64(data, longs, read, scratch, longs, table, table)
    return machine_code.entry_point(_walk, signature)


class ReadJudge:
    """The kernel with a plan and room to work in, for the reads of all sockets of one route on one thread."""

    def __init__(self, scanner: Scanner, plan: Longs, longest_read: int = 1 << 18, most_frames: int = 64) -> None:
        self._data = scanner.survey_data
        self._plan = plan
        self._walk = compiled(typeof(self._data))  # type: ignore[no-untyped-call]
        self._work = np.empty(WORK, dtype=np.int64)
        self.most_frames = most_frames
        self._rows = np.empty((most_frames, COLUMNS), dtype=np.int32)
        self._letters = survey.scratch_for(longest_read)
        self.scratch = np.empty(longest_read, dtype=np.uint8)
        """The unmasked payloads of the last read, each in the place of its frame."""

    def judge(self, read: bytes) -> Ints:
        """The rows of the whole frames in a read, int32 [frames, COLUMNS]; good until the next call.

        A read may be longer than ``longest_read``, or hold more than ``most_frames``: judge the rest of it, from the
        last row's END on, in another call, and keep it for the next read where that finds no frame.
        """
        count = self._walk(self._data, self._plan, read, self.scratch, self._work, self._letters, self._rows)
        return self._rows[:count]


_look = called(survey.look)


def _walk(data, plan, read, scratch, work, letters, rows):  # type: ignore[no-untyped-def]  # numba types it by the signature
    end = min(len(read), len(scratch))
    count = 0
    at = 0
    while count < len(rows) and end - at >= 2:
        first = int64(read[at])
        length = int64(read[at + 1]) & 0x7F
        masked = int64(read[at + 1]) & _MASKED != 0
        payload = at + 2
        shortest = True
        if length == 126:
            payload = at + 4
            if payload > end:
                break
            length = int64(read[at + 2]) << 8 | int64(read[at + 3])
            shortest = length > 125
        elif length == 127:
            payload = at + 10
            if payload > end:
                break
            length = 0
            for place in range(at + 2, payload):
                length = length << 8 | int64(read[place])
            shortest = length > 0xFFFF
        rows[count, START] = at
        rows[count, VERDICT] = LEAVES
        if length < 0 or length > plan[LIMIT]:  # below zero: the highest of 64 bits is set, which is not allowed
            rows[count, END] = end
            return count + 1
        mask = payload
        if masked:
            payload += 4
        if payload + length > end:
            break
        at = payload + length
        rows[count, END] = at
        if first == _TEXT_FRAME and masked and shortest:
            _unmask(read, mask, payload, at, scratch)
            rows[count, VERDICT] = _verdict(data, plan, scratch, payload, at, work, letters, rows, count)
        count += 1
    return count


@inlined
def _unmask(read, mask, start, end, scratch):  # type: ignore[no-untyped-def]
    """Write the payload to the same place in the scratch (RFC 6455, section 5.3); four bytes a turn."""
    mask_0, mask_1, mask_2, mask_3 = read[mask], read[mask + 1], read[mask + 2], read[mask + 3]
    whole = start + (end - start) // 4 * 4
    for place in range(start, whole, 4):
        scratch[place] = read[place] ^ mask_0
        scratch[place + 1] = read[place + 1] ^ mask_1
        scratch[place + 2] = read[place + 2] ^ mask_2
        scratch[place + 3] = read[place + 3] ^ mask_3
    for place in range(whole, end):
        scratch[place] = read[place] ^ read[mask + (place - start) % 4]


@inlined
def _verdict(data, plan, text, start, end, work, letters, rows, number):  # type: ignore[no-untyped-def]
    """Judge one payload: JSON's grammar (RFC 8259, sections 2 to 7) read value by value, with a stack of containers."""
    depth = 0
    objects = 0
    keys = 0
    matched = 0
    named = 0
    odd = False  # a field is of a type that the codec refuses or that needs more than a look
    node = ROOT
    for column in range(TEXT_START, COLUMNS):
        rows[number, column] = -1
    i = _after_space(text, start, end)
    if i == end or text[i] != _OPEN_OBJECT:
        return LEAVES
    while True:
        # A value begins at i. Its node says what it is to us.
        byte = int64(text[i])
        kind = INNER if node < 0 else plan[node + KIND]
        key_follows = False
        if byte in (_OPEN_OBJECT, _OPEN_ARRAY):
            is_object = byte == _OPEN_OBJECT
            i = _after_space(text, i + 1, end)
            if i == end or depth == MAX_DEPTH:
                return LEAVES
            empty = int64(text[i]) == (_CLOSE_OBJECT if is_object else _CLOSE_ARRAY)
            odd |= TEXT <= kind <= TOKEN and (is_object or kind != MENTIONS or not empty)
            objects += is_object
            work[2 * depth] = objects if is_object else _ARRAY
            work[2 * depth + 1] = node if is_object and kind == INNER else _UNWATCHED
            depth += 1
            if not empty:
                node = _UNWATCHED
                if not is_object:
                    continue
                key_follows = True
        else:
            before = i
            plain = False
            if byte == _QUOTE:
                before = i + 1
                i, after = _after_string(text, before, end)
            elif byte == _MINUS or _ZERO <= byte <= _NINE:
                i, plain = _after_number(text, i, end)
                after = i
            else:
                i = after = _after_literal(text, i, end)
            if i == _BAD:
                return LEAVES
            if kind in (STRING, INTEGER, BOOLEAN):
                if kind == INTEGER and not plain and (byte == _MINUS or _ZERO <= byte <= _NINE):
                    return LEAVES  # 5.0 and -0: the same number in other words
                is_wanted_type = (byte == _QUOTE) == (kind == STRING)
                matched += is_wanted_type and _is_value(plan, node, text, before, after)
            elif kind >= TEXT:
                named += kind == NAMED
                odd |= not _take(plan, node, kind, byte, plain, text, before, after, rows, number)

        # A value has ended at i, with all containers that end with it; or one has begun.
        while not key_follows:
            i = _after_space(text, i, end)
            if depth == 0:
                if i != end:
                    return LEAVES
                if matched < plan[WANTED]:
                    return PASSES
                if odd or rows[number, TEXT_START] < 0 or named < plan[NEEDED]:
                    return LEAVES
                said = text[rows[number, TEXT_START] : rows[number, TEXT_END]]
                return LEAVES if _look(data, said, letters, letters[:0]) else CLEAN
            if i == end:
                return LEAVES
            byte = int64(text[i])
            i += 1
            is_object = work[2 * depth - 2] != _ARRAY
            if byte == _COMMA:
                i = _after_space(text, i, end)
                if i == end:
                    return LEAVES
                node = _UNWATCHED
                key_follows = is_object
                break
            if byte != (_CLOSE_OBJECT if is_object else _CLOSE_ARRAY):
                return LEAVES
            depth -= 1

        if key_follows:
            if keys == MAX_KEYS:
                return LEAVES
            i, node = _after_key(plan, text, i, end, work, depth - 1, keys)
            keys += 1
            if i == _BAD:
                return LEAVES


@inlined
def _after_key(plan, text, i, end, work, depth, keys):  # type: ignore[no-untyped-def]
    """Read the key at i, and the colon after it: where the value begins, and its node. _BAD for what must leave."""
    if text[i] != _QUOTE:
        return _BAD, _UNWATCHED
    start = i + 1
    value = 0
    i = start
    while i < end and text[i] != _QUOTE:
        byte = int64(text[i])
        if byte < _BLANK or byte == _BACKSLASH or byte > 0x7F:
            return _BAD, _UNWATCHED
        value = (value * 31 + (byte | 0x20)) & HASH_MASK
        i += 1
    stop = i
    i = _after_space(text, i + 1, end)
    if i >= end or text[i] != _COLON:
        return _BAD, _UNWATCHED
    i = _after_space(text, i + 1, end)
    if i == end:
        return _BAD, _UNWATCHED

    # No other key of this object may have its name. (Another name with its hash leaves too, and is judged elsewhere.)
    number = work[2 * depth]
    own = _KEYS + 2 * keys
    for place in range(_KEYS, own, 2):
        if work[place] == value and work[place + 1] == number:
            return _BAD, _UNWATCHED
    work[own] = value
    work[own + 1] = number

    found = _UNWATCHED
    node = plan[FIRST_SLOT + (value & (SLOTS - 1))]
    while node:
        if plan[node + HASH] == value:
            if plan[node + PARENT] == work[2 * depth + 1]:
                if not _is_same(plan, plan[node + NAME], plan[node + NAME_END], text, start, stop):
                    return _BAD, _UNWATCHED
                found = node
            elif plan[node + KIND] == TEXT or plan[node + KIND] >= TOKEN:
                return _BAD, _UNWATCHED
        node = plan[node + NEXT]
    return i, found


@inlined
def _take(plan, node, kind, byte, plain, text, start, stop, rows, number):  # type: ignore[no-untyped-def]
    """Note the scalar of a field, whose first byte is given; False where it is none that the codec takes as it is.

    Of the strings that name an account only those of visible ASCII are: whether others do is the codec's to say.
    """
    is_string = byte == _QUOTE
    if kind == TEXT:
        rows[number, TEXT_START] = start
        rows[number, TEXT_END] = stop
        return is_string
    if byte == _NULL:
        return kind not in (TOKEN, NAMED)
    if kind == ID:
        return is_string or plain
    if kind in (ACCOUNT, NAMED):
        column = ACCOUNT_START + 2 * plan[node + COLUMN]
        rows[number, column] = start
        rows[number, column + 1] = stop
        if is_string:
            for place in range(start, stop):
                if not _BLANK < text[place] < _DELETE:
                    return False
        size = stop - start
        return (is_string or plain) and size <= _MAX_ACCOUNT and (size > 0 or kind == ACCOUNT)
    return False


@inlined
def _is_value(plan, node, text, start, stop):  # type: ignore[no-untyped-def]
    return _is_same(plan, plan[node + VALUE], plan[node + VALUE_END], text, start, stop)


@inlined
def _is_same(plan, first, last, text, start, stop):  # type: ignore[no-untyped-def]
    """Are these bytes those of the plan?"""
    if last - first != stop - start:
        return False
    for place in range(last - first):  # noqa: SIM110 - numba has no all()
        if plan[first + place] != text[start + place]:
            return False
    return True


@inlined
def _after_space(text, i, end):  # type: ignore[no-untyped-def]
    while i < end and (text[i] == _BLANK or text[i] == _LINE_FEED or text[i] == _RETURN or text[i] == _TAB):
        i += 1
    return i


@inlined
def _after_literal(text, i, end):  # type: ignore[no-untyped-def]
    """After true, false or null at i, or _BAD."""
    size = 5 if text[i] == _FALSE else 4
    if i + size > end:
        return _BAD
    word = int64(0)
    for place in range(i, i + size):
        word = word << 8 | int64(text[place])
    return i + size if word == 0x74727565 or word == 0x66616C7365 or word == 0x6E756C6C else _BAD


@inlined
def _after_number(text, i, end):  # type: ignore[no-untyped-def]
    """After the number at i, and whether it is an integer in its only form. With an exponent or too long: _BAD."""
    negative = text[i] == _MINUS
    i += negative
    first = i
    while i < end and _ZERO <= text[i] <= _NINE:
        i += 1
    digits = i - first
    if digits == 0 or digits > _MAX_DIGITS or (digits > 1 and text[first] == _ZERO):
        return _BAD, False
    plain = not (negative and text[first] == _ZERO)
    if i < end and text[i] == _DOT:
        plain = False
        i += 1
        first = i
        while i < end and _ZERO <= text[i] <= _NINE:
            i += 1
        if i == first or i - first > _MAX_DIGITS:
            return _BAD, False
    return i, plain  # what follows a number must end it: an exponent does not


@inlined
def _after_string(text, i, end):  # type: ignore[no-untyped-def]
    """After the string whose first byte is at i, and where its content ends once decoded in its place. Else _BAD."""
    while i < end:
        byte = int64(text[i])
        if byte == _QUOTE:
            return i + 1, i
        if byte == _BACKSLASH:
            return _after_escapes(text, i, end)
        if byte < _BLANK:
            return _BAD, i
        if byte < 0x80:
            i += 1
            continue
        size = _sequence(text, i, end)
        if size == 0:
            return _BAD, i
        i += size
    return _BAD, i


@called
def _after_escapes(text, i, end):  # type: ignore[no-untyped-def]
    """The same from the first escape on. What is decoded is never longer than what was written, so it fits."""
    out = i
    while i < end:
        byte = int64(text[i])
        if byte == _QUOTE:
            return i + 1, out
        if byte < _BLANK:
            return _BAD, out
        if byte != _BACKSLASH:
            size = 1 if byte < 0x80 else _sequence(text, i, end)
            if size == 0:
                return _BAD, out
            for place in range(size):
                text[out + place] = text[i + place]
            out += size
            i += size
            continue
        if i + 1 == end:
            return _BAD, out
        i, code = _escape(text, i + 1, end)
        if code < 0:
            return _BAD, out
        if code < 0x80:
            text[out] = code
            out += 1
        elif code < 0x800:
            text[out] = 0xC0 | code >> 6
            text[out + 1] = 0x80 | code & 0x3F
            out += 2
        elif code < 0x10000:
            text[out] = 0xE0 | code >> 12
            text[out + 1] = 0x80 | code >> 6 & 0x3F
            text[out + 2] = 0x80 | code & 0x3F
            out += 3
        else:
            text[out] = 0xF0 | code >> 18
            text[out + 1] = 0x80 | code >> 12 & 0x3F
            text[out + 2] = 0x80 | code >> 6 & 0x3F
            text[out + 3] = 0x80 | code & 0x3F
            out += 4
    return _BAD, out


@called
def _escape(text, i, end):  # type: ignore[no-untyped-def]
    """After the escape whose letter is at i, and its code point: _BAD for a lone surrogate or what is no escape."""
    letter = int64(text[i])
    i += 1
    if letter in (_QUOTE, _BACKSLASH, _SLASH):
        return i, letter
    if letter == _B:
        return i, int64(0x08)
    if letter == _F:
        return i, int64(0x0C)
    if letter == _N:
        return i, int64(_LINE_FEED)
    if letter == _R:
        return i, int64(_RETURN)
    if letter == _T:
        return i, int64(_TAB)
    if letter != _U:
        return i, int64(_BAD)
    code = _hexadecimal(text, i, end)
    i += 4
    if 0xD800 <= code <= 0xDBFF:
        if i + 2 > end or text[i] != _BACKSLASH or text[i + 1] != _U:
            return i, int64(_BAD)
        low = _hexadecimal(text, i + 2, end)
        i += 6
        if not 0xDC00 <= low <= 0xDFFF:
            return i, int64(_BAD)
        return i, 0x10000 + ((code - 0xD800) << 10 | low - 0xDC00)
    return i, int64(_BAD) if 0xDC00 <= code <= 0xDFFF else code


@called
def _hexadecimal(text, i, end):  # type: ignore[no-untyped-def]
    """The number in the four hexadecimal digits at i, or _BAD."""
    if i + 4 > end:
        return int64(_BAD)
    value = int64(0)
    for place in range(i, i + 4):
        byte = int64(text[place])
        letter = byte | 0x20
        if _ZERO <= byte <= _NINE:
            value = value << 4 | byte - _ZERO
        elif 0x61 <= letter <= 0x66:
            value = value << 4 | letter - 0x57
        else:
            return int64(_BAD)
    return value


@inlined
def _sequence(text, i, end):  # type: ignore[no-untyped-def]
    """How many bytes the multi-byte sequence at i has, 0 where it is not well-formed (RFC 3629, section 4)."""
    lead = int64(text[i])
    if 0xE0 < lead < 0xED and i + 2 < end:  # most of Chinese
        marks = int64(text[i + 1]) & 0xC0 | (int64(text[i + 2]) & 0xC0) >> 2
        return 3 if marks == 0xA0 else 0
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC2 or lead > 0xF4 or i + size > end:
        return 0
    second = int64(text[i + 1])
    lowest = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
    highest = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
    if second < lowest or second > highest:
        return 0
    for place in range(i + 2, i + size):
        if int64(text[place]) & 0xC0 != 0x80:
            return 0
    return size
