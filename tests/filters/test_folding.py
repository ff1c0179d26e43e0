"""Folding: what looks or reads alike becomes alike, and every character keeps its place."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.folding import BREAK, FULL_STOP, GHOST, SEPARATOR, SPACE, Folding
from filters.tables.generate import generate

FOLDING = Folding.shipped()

FOLDS = {
    "case": ("FuCk", "fuck"),
    "full width": ("ｆｕｃｋ１", "fuck1"),
    "styled letters": ("𝓯𝖚𝕔𝗸ⓕ", "fuckf"),
    "accents": ("fÜçk", "fuck"),
    "traditional": ("賤貨滾開", "贱货滚开"),
    "traditional, in some words only": ("妳媽瞭解", "你妈了解"),
    "two steps of simplification": ("薴", "苎"),
    "compatibility ideographs": ("㊙女", "秘女"),
    "half-width kana": ("ｶﾞ", "カ\u3099"),
    "voiced kana stay another syllable": ("ガ", "ガ"),
    "hangul stays whole": ("한국", "한국"),
    "spaces": ("\t\u00a0\u3000\u2003", SPACE * 4),
    "line ends": ("\n\r\u2028\x85", BREAK * 4),
    "clause punctuation": ("，。！？；：、,!?;:", BREAK * 12),
    "mentions": ("@＠", BREAK * 2),
    "full stops": (".．", FULL_STOP * 2),
    "marks": ("-_*|/~·…“”()【】#+^'", SEPARATOR * 18),
    "nothing to see": ("\u200b\u200d\ufeff\u00ad\u2060\ufe0f\u3164\u2800\x00\u0336\u20dd", GHOST * 11),
    "emoji stay": ("🐶", "🐶"),
    "ligatures stay, for offsets": ("ﬁ㎏", "ﬁ㎏"),
    "lone surrogates stay": ("\ud800", "\ud800"),
}


@pytest.mark.parametrize(("written", "folded"), FOLDS.values(), ids=FOLDS)
def test_folds(written: str, folded: str) -> None:
    assert FOLDING.fold(written) == folded


@given(st.text(st.characters()))
def test_keeps_every_place(text: str) -> None:
    assert len(FOLDING.fold(text)) == len(text)


def test_folding_twice_changes_nothing() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    once = FOLDING.fold(everything)
    assert FOLDING.fold(once) == once


def test_letters_leaves_out_what_is_skipped() -> None:
    assert FOLDING.letters("Ｆ.u-C k\u200b！") == "fuck,"


@pytest.mark.skipif(
    unicodedata.unidata_version != FOLDING.unicode_version,
    reason="this Python's Unicode data is of another version than the table's",
)
def test_shipped_table_is_what_the_script_generates() -> None:
    assert generate() == FOLDING


def test_survives_the_file() -> None:
    folding = Folding({0x41: 0x61, 0x10FFFF: 0x20}, "14.0.0")
    assert Folding.from_bytes(folding.to_bytes()) == folding


def test_refuses_another_file() -> None:
    with pytest.raises(ValueError, match="not a folding table of version 1"):
        Folding.from_bytes(b"shieldwire-folding 2 14.0.0\n")
