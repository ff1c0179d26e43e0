"""Decoding for the compiled passes: one place that knows how UTF-8 is laid out (RFC 3629, section 3)."""

from __future__ import annotations

from numba import int64

from filters.machine_code import called_from_python

TRUNCATED = -1


@called_from_python(forceinline=True)
def decode(utf8, i, end):  # type: ignore[no-untyped-def]  # numba types it where it is inlined
    """The code point at ``utf8[i]`` and where the next one begins; TRUNCATED where the text ends within it.

    The text is what ``str.encode`` made, or anything else: what is malformed decodes to some code point, and nothing
    beyond ``end`` is read.
    """
    byte = int64(utf8[i])
    if byte < 0x80:
        return byte, i + 1
    if byte < 0xE0:
        if i + 1 >= end:
            return int64(TRUNCATED), end
        return (byte & 0x1F) << 6 | int64(utf8[i + 1]) & 0x3F, i + 2
    if byte < 0xF0:
        if i + 2 >= end:
            return int64(TRUNCATED), end
        return (byte & 0x0F) << 12 | (int64(utf8[i + 1]) & 0x3F) << 6 | int64(utf8[i + 2]) & 0x3F, i + 3
    if i + 3 >= end:
        return int64(TRUNCATED), end
    code = (byte & 0x07) << 18 | (int64(utf8[i + 1]) & 0x3F) << 12
    code |= (int64(utf8[i + 2]) & 0x3F) << 6 | int64(utf8[i + 3]) & 0x3F
    return min(code, int64(0x10FFFF)), i + 4
