"""Matches that overlap: the longer reading wins; and what a lexicon must not say because of that.

A match that lies wholly inside a longer one is not reported. That makes a harmless phrase nothing but a term without a
class (路口交通 is a longer reading than 口交), and a long term a more exact one.
It also means that entries act on each other, so a lexicon is refused where

* a term would hide a graver one that lies in it, unless the long one is a cry for help;
* a harmless phrase excuses nothing: its term does not fire in it;
* a harmless phrase would excuse a graver term than those it was written for: say so under that term, or shorten it.

A contradiction in terms (a phrase that is a term, terms that allow each other) is found before, by the reader of the
file: what contains must be longer than what it contains, so every such circle ends in an entry that is both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from filters.classes import Harm
from filters.lexicon import Lexicon, LexiconError, Term

Match = tuple[int, int, Term | None]
"""A verified match: start, end (code points, half-open), and its term; None for a harmless phrase."""


def longest(matches: Sequence[Match]) -> list[Match]:
    """The matches that lie in no longer one, ordered by place."""
    if len(matches) < 2:
        return list(matches)
    kept: list[Match] = []
    for match in sorted(matches, key=lambda match: (match[0], -match[1])):
        if not kept or match[1] > kept[-1][1]:
            kept.append(match)
    return kept


def conflicts(lexicon: Lexicon, matches_in: Callable[[str], Sequence[Match]]) -> Iterator[LexiconError]:
    """Every conflict between entries, named at the term that has to change.

    ``matches_in`` finds all matches of the lexicon in a text, those inside longer ones too. It is asked once for each
    term and phrase, so the time is linear in the lexicon.
    """
    excused: defaultdict[str, list[Term]] = defaultdict(list)
    for term in lexicon.terms:
        yield from _in_term(term, matches_in(term.text))
        for phrase in term.allow:
            excused[phrase].append(term)
    for phrase, terms in excused.items():
        yield from _in_phrase(phrase, terms, matches_in(phrase))


def _in_term(term: Term, matches: Sequence[Match]) -> Iterator[LexiconError]:
    inner = [match for match in matches if match[2] != term]
    if len(inner) == len(matches):
        yield _fault(term, f'"{term.text}" is never found where it stands as written: a sentence ends in it')
    if term.harm is Harm.DISTRESS:
        return
    for hidden in _terms(longest(inner)):
        if hidden.severity > term.severity:
            yield _fault(term, f'"{term.text}" hides the graver "{hidden.text}" of {hidden.file}:{hidden.line}')


def _in_phrase(phrase: str, terms: Sequence[Term], matches: Sequence[Match]) -> Iterator[LexiconError]:
    firing = _terms(matches)
    idle = [term for term in terms if term not in firing]
    for term in idle:
        yield _fault(term, f'"{term.text}" never fires in "{phrase}": there is nothing to allow')
    if idle:
        return
    whole = min(match[0] for match in matches), max(match[1] for match in matches), None
    if whole not in matches:
        yield _fault(terms[0], f'"{phrase}" is never found where it stands as written: a sentence ends in it')
    gravest = max(term.severity for term in terms)
    for term in _terms(longest([match for match in matches if match != whole])):
        if term.severity > gravest:
            also = f'would also excuse the graver "{term.text}" of {term.file}:{term.line}'
            yield _fault(terms[0], f'"{phrase}", harmless for "{terms[0].text}", {also}')


def _terms(matches: Sequence[Match]) -> list[Term]:
    return [term for _, _, term in matches if term is not None]


def _fault(term: Term, reason: str) -> LexiconError:
    return LexiconError(term.file, term.line, reason)
