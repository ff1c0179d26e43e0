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

from enum import StrEnum
from functools import cache

import msgspec

from filters.classes import Harm
from filters.folding import Folding
from filters.guard_patterns import (
    ADDRESSED,
    AIMED_AFTER,
    AIMED_BEFORE,
    CLOSED,
    CUE,
    DENIED,
    ENDORSED,
    FORBIDDEN,
    MENTIONED_AFTER,
    MENTIONED_BEFORE,
    OPENED,
    OWN_VOICE,
    QUESTION_AFTER,
    REPORTED_OF_ME,
    REPORTED_OF_OTHERS,
    REPORTING,
    SELF,
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


class Context(msgspec.Struct, frozen=True):
    """The surroundings of a hit, folded like the text but with quotation and question marks and colons kept."""

    clause: str
    """What stands before the hit in its own clause."""
    words: str
    """What was hit."""
    after: str

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Context:
        """The context of the code points from ``start`` to ``end``."""
        first = max(start - BEFORE, 0)
        window = text[first : end + AFTER].translate(_table())
        before = window[: start - first]
        clause = max(before.rfind(","), before.rfind("?"), before.rfind(". ")) + 1
        return cls(before[clause:], window[start - first : end - first], window[end - first :])

    @property
    def addressed(self) -> bool:
        """Do the words themselves address somebody?"""
        return ADDRESSED.search(self.words) is not None


def standing(text: str, hit: Hit, guards: frozenset[Guard]) -> Severity | None:
    """How grave the hit is in its context; None where it does not stand. ``text`` is the original, as for the hit."""
    if not guards:
        return hit.severity
    context = Context.of(text, hit.start, hit.end)
    if not (CUE.search(context.clause) or CUE.search(context.after)):
        guards &= _CUELESS
    severity = hit.severity
    for guard in guards:
        if hit.harm in REMAINS[guard] and _EXCUSED[guard](context, hit.harm):
            remains = REMAINS[guard][hit.harm]
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
    return not context.addressed and not QUESTION_AFTER.match(context.after)  # "not you idiot"; "你不是傻逼吗"


def _reported(context: Context, harm: Harm) -> bool:
    """Told by a victim or a bystander, quoted with a word that says so, or named as a word; and not endorsed."""
    told = REPORTED_OF_ME.search(context.clause) is not None or _of_others(context) or _mentioned(context)
    return told and not ENDORSED.search(context.clause) and not ENDORSED.search(context.after)


def _of_others(context: Context) -> bool:
    told = REPORTED_OF_OTHERS.search(context.clause) is not None
    return told and not context.addressed and not OWN_VOICE.search(context.clause)


def _mentioned(context: Context) -> bool:
    if MENTIONED_AFTER.match(context.after) or MENTIONED_BEFORE.search(context.clause):
        mentioned = True
    else:
        mentioned = _quoted(context) and bool(REPORTING.search(context.clause) or REPORTING.search(context.after))
    return mentioned and not AIMED_BEFORE.search(context.clause)  # 你这个“傻逼”


def _quoted(context: Context) -> bool:
    return OPENED.search(context.clause) is not None and CLOSED.match(context.after) is not None


def _of_oneself(context: Context, harm: Harm) -> bool:
    return SELF.search(context.clause) is not None and not context.addressed


def _not_aimed(context: Context, harm: Harm) -> bool:
    aimed = AIMED_BEFORE.search(context.clause) or AIMED_AFTER.match(context.after) or context.addressed
    return not aimed


_EXCUSED = {
    Guard.NEGATION: _negated,
    Guard.QUOTATION: _reported,
    Guard.SELF_REFERENCE: _of_oneself,
    Guard.SECOND_PERSON: _not_aimed,
}

_CUELESS = frozenset({Guard.SECOND_PERSON})

_KEPT = {
    **dict.fromkeys(map(ord, '“”"「」『』〝〞＂'), '"'),
    **dict.fromkeys(map(ord, "‘’'＇"), "'"),
    **dict.fromkeys(map(ord, "：:"), ":"),
    **dict.fromkeys(map(ord, "？?"), "?"),
}


@cache
def _table() -> dict[int, int | str]:
    """The folding, with the marks that guards read kept apart."""
    return {**Folding.shipped().table, **_KEPT}
