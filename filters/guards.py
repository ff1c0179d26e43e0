"""Context guards: does a hit stand in its context? ``你不是傻逼``, ``he called me a bitch``, ``我真是个傻逼`` do not.

A guard looks at the words right before and after a hit, never at the whole text: an excuse covers the one term that it
stands beside, so ``有人骂我傻逼，你才是傻逼`` keeps its second hit. What an excuse leaves is one table, ``REMAINS``,
written so that no phrase buys an attack its way through:

* Who reports abuse, or speaks of a word, is not the abuser: insult, mockery, hatred and sexual words are lifted.
* A reported threat, call to self-harm or call for a pile-on stays as a mild hit: ``he told me: i will kill you`` in
  front of a threat must not be a licence, and somebody who reports one may need help.
* Private data, defamation and rumours harm by being repeated: no report excuses them. Advertising denies what it is
  (``不是刷单兼职``), so nothing excuses it either.
* A report has a victim other than the one addressed (``骂我``, ``told me to``), never ``你``: ``他说你去死吧`` stands.

Sources: negation by adjacency after NegEx (Chapman et al., "A simple algorithm for identifying negated findings",
2001); why mention must not count as use: Gligoric et al., "NLP systems that can't tell use from mention censor
counterspeech, but teaching the distinction helps", 2024.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Protocol

import msgspec

from filters import cues
from filters.classes import Harm
from filters.guard_patterns import (
    ADDRESSED,
    AIM,
    AIMED_AFTER,
    AIMED_BEFORE,
    CLOSED,
    DENIAL,
    DENIED,
    ENDORSED,
    FORBIDDEN,
    FORBIDDING,
    MENTIONED_AFTER,
    MENTIONED_BEFORE,
    NAMED,
    NAMING,
    OF_ME,
    OPENED,
    OWN_VOICE,
    QUESTION_AFTER,
    QUOTE,
    REPORTED_OF_ME,
    REPORTED_OF_OTHERS,
    REPORTING,
    SELF,
    SELF_NAMED,
    TELLING,
    TURNED_AROUND,
)
from filters.hits import Hit, Severity

BEFORE, AFTER = 32, 24
"""Code points of context on either side: the cost of a guard does not grow with the text."""


class Guard(StrEnum):
    """A question about the context of a hit. The value is the guard's name in lexicons."""

    NEGATION = "negation"
    """Is it denied, or warned against? ``你不是傻逼``, ``don't kill yourself``"""
    QUOTATION = "quotation"
    """Is it reported, quoted or spoken of? ``他骂我傻逼``, ``the word bitch``"""
    SELF_REFERENCE = "self-reference"
    """Does the speaker mean themselves? ``我真是个傻逼``"""
    SECOND_PERSON = "second-person"
    """Is it *not* aimed at the person addressed? For words that hurt only when aimed: ``垃圾`` against ``你是垃圾``."""


_WORDS = (Harm.INSULT, Harm.MOCKERY, Harm.HATRED, Harm.SEXUAL)
_DEEDS = (Harm.THREAT, Harm.SELF_HARM, Harm.PILE_ON, Harm.PRIVACY)

REMAINS: dict[Guard, dict[Harm, Severity | None]] = {
    Guard.NEGATION: {
        **dict.fromkeys((*_WORDS, *_DEEDS, Harm.DEFAMATION)),
        Harm.THREAT: Severity.MILD,  # "i won't kill you" is no reassurance
    },
    Guard.QUOTATION: {
        **dict.fromkeys(_WORDS),
        **dict.fromkeys((Harm.THREAT, Harm.SELF_HARM, Harm.PILE_ON), Severity.MILD),
    },
    Guard.SELF_REFERENCE: dict.fromkeys(_WORDS),
    Guard.SECOND_PERSON: dict.fromkeys(set(Harm) - {Harm.DISTRESS}),
}
"""What an excused hit of a class is lowered to; None: nothing. A class that is not named takes no excuse."""


def defaults(harm: Harm) -> frozenset[Guard]:
    """The guards of a term whose lexicon says nothing about guards."""
    return frozenset(guard for guard in Guard if guard is not Guard.SECOND_PERSON and harm in REMAINS[guard])


class Context(Protocol):
    """The surroundings of a hit, folded like the text but with quotation and question marks and colons kept."""

    @property
    def clause(self) -> str:
        """What stands before the hit in its own clause."""

    @property
    def words(self) -> str:
        """What was hit."""

    @property
    def after(self) -> str:
        """What stands after it."""

    @property
    def cues(self) -> int:
        """Which cues stand in these three (``filters.cues``): what lacks its own need not be asked."""


class _Window(msgspec.Struct):
    """The context of a hit in a text; a part is folded when it is first asked for."""

    cues: int
    marks: list[int] | dict[int, int]
    """The folding."""
    text: str
    begin: int
    """Where the clause begins; the hit begins at ``start`` and ends at ``end``."""
    start: int
    end: int
    folded_clause: str | None = None
    folded_after: str | None = None

    @property
    def clause(self) -> str:
        if self.folded_clause is None:
            self.folded_clause = self.text[self.begin : self.start].translate(self.marks)
        return self.folded_clause

    @property
    def words(self) -> str:
        return self.text[self.start : self.end].translate(self.marks)

    @property
    def after(self) -> str:
        if self.folded_after is None:
            self.folded_after = self.text[self.end : self.end + AFTER].translate(self.marks)
        return self.folded_after


def standing(text: str, hit: Hit, guards: frozenset[Guard]) -> Severity | None:
    """How grave the hit is in its context; None where it does not stand. ``text`` is the original, as for the hit."""
    severity = hit.severity
    if not guards:
        return severity
    start, end = hit.start, hit.end
    first = start - BEFORE if start > BEFORE else 0
    window = text[first : end + AFTER]
    try:
        utf8 = window.encode()
    except UnicodeEncodeError:
        utf8 = window.encode("utf-8", "surrogatepass")
    found = cues.compiled()(utf8, start - first, end - first)
    context = None
    for cue, excused, remains in _excuses(guards, hit.harm):
        if (found | _ALWAYS) & cue:
            if context is None:
                marks = cues.whole_folding() if found & cues.BEYOND else cues.folding()
                context = _Window(found, marks, text, first + (found >> cues.CLAUSE), start, end)
            if excused(context, hit.harm):
                if remains is None:
                    return None
                severity = min(severity, remains)
    return severity


def _negated(context: Context, harm: Harm) -> bool:
    """``isn't a``, ``不是`` before words; ``don't``, ``不要`` before deeds. ``别傻逼了`` is no denial, it insults."""
    if harm in _DEEDS:
        return FORBIDDEN.search(context.clause) is not None and not TURNED_AROUND.search(context.clause)
    if DENIED.search(context.clause) is None or TURNED_AROUND.search(context.clause):
        return False
    return not _addressed(context) and not QUESTION_AFTER.match(context.after)  # "not you idiot"; "你不是傻逼吗"


def _reported(context: Context, harm: Harm) -> bool:
    """Told by a victim or a bystander, quoted with a word that says so, or named as a word; and not endorsed."""
    told = _of_me(context) or _of_others(context) or _mentioned(context)
    return told and not ENDORSED.search(context.clause) and not ENDORSED.search(context.after)


def _of_me(context: Context) -> bool:
    told = context.cues & TELLING and context.cues & OF_ME
    return told != 0 and REPORTED_OF_ME.search(context.clause) is not None


def _of_others(context: Context) -> bool:
    told = context.cues & TELLING != 0 and REPORTED_OF_OTHERS.search(context.clause) is not None
    return told and not _addressed(context) and not OWN_VOICE.search(context.clause)


def _mentioned(context: Context) -> bool:
    mentioned = _named(context) or (
        _quoted(context) and (REPORTING.search(context.clause) or REPORTING.search(context.after)) is not None
    )
    return mentioned and not _aimed_before(context)  # 你这个“傻逼”


def _named(context: Context) -> bool:
    if context.cues & NAMING << cues.AFTER and MENTIONED_AFTER.match(context.after):
        return True
    return context.cues & NAMED != 0 and MENTIONED_BEFORE.search(context.clause) is not None


def _quoted(context: Context) -> bool:
    if not (context.cues & QUOTE and context.cues & QUOTE << cues.AFTER):
        return False
    return OPENED.search(context.clause) is not None and CLOSED.match(context.after) is not None


def _of_oneself(context: Context, harm: Harm) -> bool:
    return SELF.search(context.clause) is not None and not _addressed(context)


def _not_aimed(context: Context, harm: Harm) -> bool:
    return not (_aimed_before(context) or _aimed_after(context) or _addressed(context))


def _aimed_before(context: Context) -> bool:
    return context.cues & AIM != 0 and AIMED_BEFORE.search(context.clause) is not None


def _aimed_after(context: Context) -> bool:
    return context.cues & AIM << cues.AFTER != 0 and AIMED_AFTER.match(context.after) is not None


def _addressed(context: Context) -> bool:
    """Do the words themselves address somebody?"""
    return context.cues & AIM << cues.WORDS != 0 and ADDRESSED.search(context.words) is not None


_EXCUSED: dict[Guard, Callable[[Context, Harm], bool]] = {
    Guard.NEGATION: _negated,
    Guard.QUOTATION: _reported,
    Guard.SELF_REFERENCE: _of_oneself,
    Guard.SECOND_PERSON: _not_aimed,
}

_ALWAYS = 1 << 62
"""What a guard needs that is asked without any cue."""


def _cue(guard: Guard, harm: Harm) -> int:
    """Cues without all of which the guard excuses nothing of this class."""
    if guard is Guard.NEGATION:
        return FORBIDDING if harm in _DEEDS else DENIAL
    if guard is Guard.QUOTATION:
        return TELLING | NAMED | NAMING << cues.AFTER | QUOTE
    return SELF_NAMED if guard is Guard.SELF_REFERENCE else _ALWAYS


_Excuse = tuple[int, Callable[[Context, Harm], bool], Severity | None]


@cache
def _excuses(guards: frozenset[Guard], harm: Harm) -> tuple[_Excuse, ...]:
    """For each guard that this class of harm takes: its cues, itself, and what remains of an excused hit."""
    taken = [guard for guard in Guard if guard in guards and harm in REMAINS[guard]]
    return tuple((_cue(guard, harm), _EXCUSED[guard], REMAINS[guard][harm]) for guard in taken)
