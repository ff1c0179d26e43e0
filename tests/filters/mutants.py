"""Random texts that are nearly abuse: terms, their disguises, and what stands around them. Deterministic by the seed.

Run as ``python -m tests.filters.mutants COUNT [SEED]`` it holds the search and the scanner against the naive scanner on
so many texts; with ``NUMBA_BOUNDSCHECK=1`` every access of the kernel is checked as well.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence

import numpy as np

from filters import kernel, private, survey
from filters.folding import Folding
from filters.hits import CLEAN
from filters.lexicon import parse
from filters.scanner import Scanner
from filters.views.evidence import View
from tests.filters import oracle

TERMS = ["傻逼", "贱人", "你妈死了", "操你妈", "狗东西", "垃圾", "你sb", "ass", "fuck you", "kill your self", "fuuck"]
LEXICON = parse(
    [
        (
            "x.lexicon",
            "\n".join(
                [
                    "shieldwire-lexicon 1",
                    "[insult serious]",
                    *TERMS,
                    "[sexual mild]",
                    "口交",
                    "allow: 路口交通",
                    "[distress mild]",
                    "我不想活了",
                ]
            ),
        )
    ]
)
PIECES = [
    *TERMS,
    *("口交", "路口交通", "我不想活了", "賤人", "Ｆuck", "ＡＳＳ", "a s s", "f u c k y o u", "pass", "as such"),
    *("沙壁", "煞笔", "贱任", "见人", "砂比", "操泥马", "你🐴", "🐴", "傻13", "4了", "你妈4", "垃极", "人贱", "逼傻"),
    *("sha", "bi", "shabi", "nima", "nmsl", "cnm", "sb", "jian ren", "ni", "ma", "si", "le", "xian", "n", "m"),
    *("亻尔", "歹匕", "女马", "氵", "扌喿", "亻", "土及", "fvck", "fuuuck", "assss", "@ss", "a$$", "5b", "k1ll"),
    *("今天", "我们", "的", "是", "他们", "women", "he", "手机", "13800138000", "加微信", "不是", "骂我", "“", "”"),
]
SIGNS = (
    "傻逼贱人你妈死了操狗东西口交路通asfuckyoubn4 .-*,，。\u200b\u200d\u0336\u3000\n\x00\ud800é😀\U000e0041\U0002f804"
)
GAPS = ["", "", "", "", "", " ", ".", "-", "\u200b", ". ", "，", "*_*", "  ", "\n", "\u0336"]


class Mutants:
    """Draws texts."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def text(self) -> str:
        """One to five pieces, some with gaps inside or a character changed, or left out, or doubled."""
        draw = self._draw
        text = "".join(self._piece() + draw.choice(GAPS) for _ in range(draw.randint(1, 5)))
        if draw.random() < 0.3:
            place = draw.randrange(len(text))
            text = text[:place] + draw.choice(SIGNS) * draw.randint(0, 3) + text[place + draw.randint(0, 1) :]
        return text

    def _piece(self) -> str:
        draw = self._draw
        if draw.random() < 0.2:
            return "".join(draw.choices(SIGNS, k=draw.randint(1, 6)))
        piece = draw.choice(PIECES)
        if draw.random() < 0.25:
            gap = draw.choice(GAPS)
            return gap.join(piece) if draw.random() < 0.5 else piece.replace(piece[-1], gap + piece[-1], 1)
        return piece.upper() if draw.random() < 0.1 else piece


class Bench:
    """A scanner, and room that shows what is written where nothing should be."""

    def __init__(self) -> None:
        self.scanner = Scanner.compile(LEXICON)
        self._folding = Folding.shipped()
        self._survey = survey.compiled()
        self._search = kernel.compiled()
        self._nothing = survey.NOTHING

    def check(self, text: str) -> int:
        """Hold one text against the naive scanner; returns how many hits it has."""
        utf8 = text.encode("utf-8", "surrogatepass")
        # What an earlier text left in the scratch must not matter: so it is all ones, and then all zeros.
        scratch = survey.scratch_for(len(utf8))
        scratch.fill(-1)
        seen = self._survey(self.scanner.survey_data, utf8, scratch, self._nothing)
        scratch.fill(0)
        assert self._survey(self.scanner.survey_data, utf8, scratch, self._nothing) == seen, ascii(text)

        scan, folded = self.scanner.scan(text), self._folding.fold(text)
        raw = [hit for hit in scan.hits if hit.view == View.RAW]
        assert set(raw) == oracle.scan(LEXICON, text), ascii(text)
        assert len(scan.hits) == len(set(scan.hits)), ascii(text)
        assert [hit.start for hit in scan.hits] == sorted(hit.start for hit in scan.hits), ascii(text)
        assert all(0 <= hit.start < hit.end <= len(text) for hit in scan.hits), ascii(text)
        terms = [hit for hit in scan.hits if hit.view != "private"]
        assert all(folded[hit.start] != oracle.NOT_LETTERS[0] for hit in terms), ascii(text)
        if not seen:
            assert scan == CLEAN, ascii(text)
            assert not any(oracle.occurrences(term.text, folded) for term in LEXICON.terms), ascii(text)
            assert private.find(text) == (), ascii(text)
        self._hold_candidates(utf8, len(text), seen & (kernel.PRIVATE - 1))
        return len(scan.hits)

    def _hold_candidates(self, utf8: bytes, length: int, count: int) -> None:
        """What the search counts is what it writes: candidates with spans in the text, and nothing behind them."""
        found = np.full((count + 2, kernel.COLUMNS), -7, dtype=np.int32)
        tables, scratch = self.scanner.survey_data[0], survey.scratch_for(len(utf8))
        assert self._search(tables, utf8, scratch, found, 1) & (kernel.PRIVATE - 1) == count
        assert (found[count:] == -7).all()
        candidates: Sequence[Sequence[int]] = found[:count].tolist()
        assert all(kernel.FOUND_RAW <= kind <= kernel.FOUND_EXPANDED for kind, *_ in candidates)
        assert all(0 <= start < end <= length and number >= 0 for _, number, start, end, *_ in candidates)


def main(count: int, seed: int = 1) -> int:
    """Check so many mutants; returns how many hits they had."""
    bench, mutants = Bench(), Mutants(seed)
    return sum(bench.check(mutants.text()) for _ in range(count))


if __name__ == "__main__":
    print(f"{main(*map(int, sys.argv[1:]))} hits, all rightly")
