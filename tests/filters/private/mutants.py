"""Random texts that are nearly private data: held against every rule asked of every text, and against the oracle.

Run as ``python -m tests.filters.private.mutants COUNT``; deterministic by its seed.
"""

from __future__ import annotations

import random
import sys

from filters.private import find, gate, needs_look
from filters.private.finder import View, _findings, widest
from tests.filters.private import oracle

SIGNS = (
    "0123456789" * 3
    + "一三八零二十两号栋室单路市区街幸福住加微信薇威扣叩球秋鹅京沪粤点好元个转"
    + " .-@x,+()*/_:=#%a，：①８１🐶\u200b\ufe0f\n"
    "\ud800\U000e0041\U0002f804"
)
PIECES = [
    *(
        "13800138000",
        "138 0013 8000",
        "+86 ",
        "010-6234 5678",
        "202-555-0143",
        "+44 7700 900123",
        "123-45-6789",
        "ext 12",
    ),
    *(
        "11010519491231002X",
        "4111 1111 1111 1111",
        "378282246310005",
        "一三八零零一三八零零零",
        "400-820-8820",
        "2024-01-15 ",
    ),
    *(
        "京A12345",
        "name@example.com",
        "name @ qq点com",
        "support@",
        "vx: abc12345",
        "加v",
        "wxid_abcdef123456",
        "QQ号 123456789",
    ),
    *(
        "幸福路8号3单元501室",
        "北京市",
        "住在",
        "742 Evergreen Terrace",
        "street",
        "lives at ",
        " St",
        "https://",
        "www.",
        ".com/",
    ),
    *("手机", "call ", "订单号", "uid:", "身份证", "卡号", "ssn ", "客服", "x", "w", "q", "v "),
]
RUNS = ["13800138000", "1390013", "4111111111111111", "110105194912310021", "11010519491231002", "378282246310005"]


class Mutants:
    """Draws texts."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def text(self) -> str:
        """Pieces and signs in a row, some with a character changed."""
        draw = self._draw
        parts = [
            draw.choice(PIECES) if draw.random() < 0.3 else "".join(draw.choices(SIGNS, k=draw.randint(0, 9)))
            for _ in range(draw.randint(1, 5))
        ]
        text = "".join(parts)
        if text and draw.random() < 0.3:
            place = draw.randrange(len(text))
            text = text[:place] + draw.choice(SIGNS) + text[place + draw.randint(0, 1) :]
        return text

    def runs(self) -> str:
        """Unbroken runs of digits, apart."""
        draw = self._draw
        return "好".join(["", *(self._run() for _ in range(draw.randint(1, 3))), ""])

    def _run(self) -> str:
        draw = self._draw
        run = draw.choice(RUNS)
        if draw.random() < 0.7:
            place = draw.randrange(1, len(run))
            run = run[:place] + draw.choice("0123456789") + run[place + draw.randint(0, 1) :]
        return run


def check(text: str) -> int:
    """Hold one text against every rule without the gate; returns how much is found."""
    view = View.of(text)
    bits = gate.bits_of(text.encode("utf-8", "surrogatepass"))
    families = ~gate.SPELLED if bits & gate.NUMBER and not bits & gate.SPELLED else ~0  # for extensions, see the gate
    every = [view.hit(finding) for finding in widest(list(_findings(view, families)))]
    hits = find(text)
    assert list(hits) == every, text
    assert not hits or needs_look(text), text
    places = [place for hit in hits for place in (hit.start, hit.end)]
    assert places == sorted(places), text
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits), text
    return len(hits)


def main(count: int, seed: int = 1) -> int:
    """Check so many mutants, one in four against the oracle too; returns how much private data they held."""
    mutants, held = Mutants(seed), 0
    for number in range(count):
        if number % 4:
            held += check(mutants.text())
            continue
        text = mutants.runs()
        held += check(text)
        assert {(hit.start, hit.end, hit.why) for hit in find(text)} == oracle.runs(text), text
    return held


if __name__ == "__main__":
    print(f"{main(int(sys.argv[1]))} pieces of private data found, all rightly")
