"""The guards as they read without cues: every question is asked of the whole context, folded in one piece."""

from __future__ import annotations

from typing import NamedTuple

from filters import cues, guards
from filters.guards import AFTER, BEFORE, REMAINS, Guard
from filters.hits import Hit, Severity


class Context(NamedTuple):
    """What `filters.guards.Context` says, ready made; with every cue, so that every expression is asked."""

    clause: str
    words: str
    after: str
    cues: int = -1

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Context:
        first = max(start - BEFORE, 0)
        window = text[first : end + AFTER].translate(cues.whole_folding())
        before = window[: start - first]
        clause = max(before.rfind(","), before.rfind("?"), before.rfind(". ")) + 1
        return cls(before[clause:], window[start - first : end - first], window[end - first :])


def standing(text: str, hit: Hit, asked: frozenset[Guard]) -> Severity | None:
    context = Context.of(text, hit.start, hit.end)
    excusing = [guard for guard in asked if hit.harm in REMAINS[guard] and guards._EXCUSED[guard](context, hit.harm)]
    left = [REMAINS[guard][hit.harm] for guard in excusing]
    return None if None in left else min([hit.severity, *(severity for severity in left if severity is not None)])
