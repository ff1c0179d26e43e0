"""What an expression matches, written out: each of its alternatives at least once, the rest as short as it goes."""

from __future__ import annotations

import re
from typing import Any


def writings(pattern: re.Pattern[str]) -> list[str]:
    """Strings that the pattern finds, from its syntax tree."""
    tree = re._parser.parse(pattern.pattern)  # type: ignore[attr-defined]
    return [text for text in dict.fromkeys(_sequence(tree)) if pattern.search(text)]


def _sequence(tree: Any) -> list[str]:
    """The sequence with each variant of each of its parts in turn, the others in their first."""
    parts = [_variants(str(op), argument) for op, argument in tree]
    first = [variants[0] for variants in parts]
    return [
        "".join([*first[:place], variant, *first[place + 1 :]])
        for place, variants in enumerate(parts)
        for variant in variants
    ] or [""]


def _variants(op: str, argument: Any) -> list[str]:
    if op == "LITERAL":
        return [chr(argument)]
    if op == "IN":
        literals = [chr(value if str(kind) == "LITERAL" else value[0]) for kind, value in argument if _is_literal(kind)]
        return literals if literals and str(argument[0][0]) != "NEGATE" else ["x"]
    if op == "BRANCH":
        return [text for branch in argument[1] for text in _sequence(branch)]
    if op == "SUBPATTERN":
        return _sequence(argument[-1])
    if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, _, part = argument
        return [""] * (least == 0) + [text * max(least, 1) for text in _sequence(part)]
    return ["x"] if op in ("ANY", "NOT_LITERAL") else [""]  # assertions and places take no room


def _is_literal(kind: Any) -> bool:
    return str(kind) in ("LITERAL", "RANGE")
