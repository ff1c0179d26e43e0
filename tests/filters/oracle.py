"""The naive scanner: every term at every place, by a regular expression that says the rules of ``filters.reading``."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import msgspec

from filters.folding import Folding
from filters.guards import standing
from filters.hits import Hit
from filters.lexicon import Lexicon, Term

NOT_LETTERS = "\u200b .-"
ANY = r"(?:(?!\.\u200b* )[\u200b .-])*"  # anything that is skipped, but no full stop with a space after it
MARKS = r"[\u200b.-]*"
SPACES = r"[\u200b ]*"
SPACED = r"(?=[\u200b.-]* )"


def word(char: str) -> bool:
    return char.isalnum() and char < "\u2e80"


@cache
def expressions(text: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """How a term may be written: together, or spelled out with a space at every place."""
    folded = Folding.shipped().fold(text)
    places = [i for i, char in enumerate(folded) if char not in NOT_LETTERS]
    together = spelled = re.escape(folded[places[0]])
    for left, right in pairwise(places):
        letter = re.escape(folded[right])
        if not (word(folded[left]) and word(folded[right])):
            together += ANY + letter
            spelled += SPACED + ANY + letter
        elif " " in folded[left:right]:
            together += f"(?:{MARKS}|{SPACES}){letter}"
            spelled += SPACED + SPACES + letter
        else:
            together += MARKS + letter
            spelled += SPACED + ANY + letter
    return re.compile(together), re.compile(spelled)


def occurrences(text: str, folded: str) -> list[tuple[int, int]]:
    spans = set()
    for expression in expressions(text):
        for start in range(len(folded)):
            match = expression.match(folded, start)
            if match:
                spans.add(match.span())
    return [span for span in spans if stands_alone(folded, *span)]


def stands_alone(folded: str, start: int, end: int) -> bool:
    before = folded[:start].replace("\u200b", "")[-1:]
    after = folded[end:].replace("\u200b", "")[:1]
    return not (word(before) and word(folded[start])) and not (word(folded[end - 1]) and word(after))


def scan(lexicon: Lexicon, text: str) -> set[Hit]:
    """What ``Scanner(lexicon).scan(text)`` must find."""
    folded = Folding.shipped().fold(text)
    found: list[tuple[int, int, Term | None]] = []
    for term in lexicon.terms:
        found += [(*span, term) for span in occurrences(term.text, folded)]
        for phrase in term.allow:
            found += [(*span, None) for span in occurrences(phrase, folded)]
    hits = set()
    for start, end, entry in found:
        inside = any(left <= start and end <= right and right - left > end - start for left, right, _ in found)
        if entry is not None and not inside:
            hit = Hit(entry.harm, start, end, entry.severity, "raw", entry.text)
            severity = standing(text, hit, entry.guards)  # the guards have tables of their own in test_guards.py
            if severity is not None:
                hits.add(msgspec.structs.replace(hit, severity=severity))
    return hits
