"""Random reads that are nearly right: JSON near the route's, in frames near the protocol's. Deterministic by its seed.

Run as ``python -m tests.gateway.wire.mutants COUNT`` it holds so many reads against the plain reading; with
``NUMBA_BOUNDSCHECK=1`` every access of the kernel is checked as well.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable

from filters.lexicon import parse
from filters.scanner import Scanner
from gateway.codecs import RequestFields, codec_of
from gateway.routes import Fields, Route
from gateway.wire.read_kernel import ReadJudge
from gateway.wire.read_plan import plan_of
from protection.events import Kind
from tests.gateway.wire.frames import FIN, TEXT, check, frame

LIMIT = 400
LEXICON = parse([("x.lexicon", "shieldwire-lexicon 1\n[insult serious]\n傻逼\nkill your self\nidiot\n")])
ROUTES = [
    Route("/a", "ws://up", "json", Kind.BARRAGE, {"type": "say"}, Fields("id", "text", "user", "to", "room", "at")),
    Route("/b", "ws://up", "json", Kind.CHAT, {"op": 5, "data": {"ok": True}}, Fields("", "data.text", "data.u.id")),
    Route("/c", "ws://up", "json", Kind.COMMENT, {}, Fields(text="text", target="@room.owner", room="path.room")),
    Route(
        "/d", "ws://up", "json", Kind.CHAT, {"type": "say"}, Fields("id", "text", "u", "@room.owner", "room", "", "op")
    ),
]
KEYS = ["type", "op", "text", "data", "id", "user", "to", "room", "at", "u", "ok", "n", "x", "shieldwire_token", "好"]
STRINGS = [
    "say",
    "hi",
    "",
    "傻逼",
    "傻 逼",
    "你好😀",
    "kill your\tself",
    'a\\b"c/',
    "\x00\u2028é",
    "u7",
    "5",
    "true",
    "t" * 140,
]
NUMBERS = ["5", "0", "-0", "5.0", "-5", "05", "5e0", "12.25", "123456789012345678", "1" * 30, "-", "1.", "0.1e-3"]
LITERALS = ["true", "false", "null", "nul", "True", "[]", "{}", "[1,[2]]", '{"text":"b"}', '{"id":3,"id":4}', "[", ""]
SPACES = ["", "", "", "", " ", "\n\t ", "\x0b"]
BYTES = [
    b'"',
    b"\\",
    b"{",
    b"}",
    b",",
    b":",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xf4\x90\x80\x80",
    b"\xe4\xbd",
    b"\xff",
    b"\x00",
]


class Mutants:
    """Draws payloads and reads."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def read(self) -> bytes:
        """One to four frames, sometimes cut off or with a byte changed."""
        draw = self._draw
        read = b"".join(self.frame() for _ in range(draw.randint(1, 4)))
        if draw.random() < 0.15:
            read = read[: draw.randrange(len(read) + 1)]
        if draw.random() < 0.1 and read:
            place = draw.randrange(len(read))
            read = read[:place] + draw.randbytes(1) + read[place + 1 :]
        return read

    def frame(self) -> bytes:
        draw = self._draw
        first = FIN | TEXT if draw.random() < 0.93 else draw.randrange(256)
        whole = frame(self.payload(), draw.randbytes(4), first)
        if draw.random() < 0.02:  # a length in more bytes than it needs
            return whole[:1] + b"\xfe" + (whole[1] & 0x7F).to_bytes(2, "big") + whole[2:]
        return whole if draw.random() < 0.98 else draw.randbytes(draw.randint(1, 12)) + whole

    def payload(self) -> bytes:
        draw = self._draw
        usual = draw.choice(
            [
                ['"type":"say"', '"text":' + self._string(), '"user":"u1"'],
                ['"op":5', '"data":{"ok":true,"text":' + self._string() + ',"u":{"id":7}}'],
                ['"type":"ping"'],
                [],
            ]
        )
        members = usual + [self._member(2) for _ in range(draw.choice([0, 0, 1, 2]))]
        draw.shuffle(members)
        payload = (self._space() + "{" + ",".join(members) + "}" + self._space()).encode()
        if draw.random() < 0.15:
            place = draw.randrange(len(payload))
            payload = payload[:place] + draw.choice(BYTES) + payload[place + draw.randint(0, 2) :]
        return payload

    def _member(self, depth: int) -> str:
        return self._space() + self._key() + self._space() + ":" + self._space() + self._value(depth) + self._space()

    def _key(self) -> str:
        key = self._draw.choice(KEYS)
        if self._draw.random() < 0.1:
            key = key.capitalize()
        if self._draw.random() < 0.05:
            return '"' + "".join(f"\\u{ord(char):04x}" for char in key) + '"'
        return f'"{key}"'

    def _value(self, depth: int) -> str:
        kinds: list[Callable[[], str]] = [
            self._string,
            lambda: self._draw.choice(NUMBERS),
            lambda: self._draw.choice(LITERALS),
            lambda: "{" + ",".join(self._member(depth - 1) for _ in range(2)) + "}",
            lambda: "[" + ",".join(self._value(depth - 1) for _ in range(2)) + "]",
        ]
        return self._draw.choice(kinds if depth else kinds[:3])()

    def _string(self) -> str:
        return json.dumps(self._draw.choice(STRINGS), ensure_ascii=self._draw.random() < 0.5)

    def _space(self) -> str:
        return self._draw.choice(SPACES) if self._draw.random() < 0.2 else ""


class Bench:
    """Every route with its kernel and its codec."""

    def __init__(self) -> None:
        self.scanner = Scanner.compile(LEXICON)
        self._lanes = []
        for route in ROUTES:
            unnamed = route.path in ("/a", "/b")
            plan = plan_of(route, LIMIT, payload_sender_counts=unnamed)
            codec = codec_of(route)
            assert plan is not None
            assert codec is not None
            judge = ReadJudge(self.scanner, plan, longest_read=4096, most_frames=4)
            request = RequestFields("" if unnamed else "alice", {"room": "r1"}, {}, {}, unnamed)
            self._lanes.append((judge, codec, request))

    def check(self, read: bytes) -> int:
        """Hold one read against the plain reading on every route; returns how many frames stayed in the fast lane."""
        return sum(check(read, *lane, self.scanner, LIMIT) for lane in self._lanes)


def main(count: int, seed: int = 1) -> int:
    """Check so many mutants; returns how many frames stayed."""
    bench, mutants = Bench(), Mutants(seed)
    return sum(bench.check(mutants.read()) for _ in range(count))


if __name__ == "__main__":
    print(f"{main(int(sys.argv[1]))} frames stayed in the fast lane, all rightly")
