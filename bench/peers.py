"""Other people's matchers on the same terms, as measuring rods. ``ahocorasick_rs`` comes with the development tools."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from bench.report import BenchError

Match = Callable[[str], list[Any]]
"""Finds the terms in one text: pattern number, start, end of each, in code points."""


def ahocorasick(terms: Sequence[str], dfa: bool = False) -> Match:
    """``ahocorasick_rs`` on the raw text, matching and nothing else; its own choice of engine, or its DFA."""
    rs = _ahocorasick_rs()
    found: Match = rs.AhoCorasick(terms, implementation=rs.Implementation.DFA if dfa else None).find_matches_as_indexes
    return found


def folded_ahocorasick(terms: Sequence[str]) -> Match:
    """NFKC and casefold by the standard library, then ``ahocorasick_rs``: the usual way to meet simple disguises."""
    match = ahocorasick(list({_folded(term) for term in terms}))

    def folded_match(text: str) -> list[Any]:
        return match(unicodedata.normalize("NFKC", text).casefold())

    return folded_match


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _ahocorasick_rs() -> Any:
    try:
        import ahocorasick_rs
    except ImportError as error:
        raise BenchError(
            "the bench compares with ahocorasick_rs, which is not installed: run `make install`, "
            "or `pip install ahocorasick_rs`"
        ) from error
    return ahocorasick_rs
