"""Evidence: is a stretch of text that *can* be read as a term meant as one, or is it just what it seems to be?

见人 sounds like 贱人, and ``women`` spells 我们. What speaks for a disguise is that the text as it stands is not
ordinary. So its *surprise* is measured: how much less the clause would cost, in ordinary words
(``filters.views.words``), if the stretch were not there. Each view has its own bar, and these rules hold for all:

* a disguise in Chinese characters is rarer than what it disguises: 国男 is no way to write 国蝻;
* what lies in known words is no disguise, however rare they are (姥姥 is no 捞佬, 笑出声 holds no 畜牲), nor is what
  shares a letter with a likelier word (in 中午吃 there is no 无耻);
* what is a word within the stretch says nothing: 够东西 is as usual as 够 alone, so it is no 狗东西;
* a run of Latin letters is read as a whole: all of it is spelled out, or is initials.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

import msgspec

from filters.views.letters import Letters, is_hanzi, is_latin
from filters.views.readings import Step, Way, paths, spellings, syllable
from filters.views.words import LONGEST, REACH, Words, is_ordinary


class View(StrEnum):
    """In which view of a text a term was found: the ``view`` of a hit."""

    RAW = "raw"
    HOMOPHONE = "homophone"
    EMOJI = "emoji"
    PINYIN = "pinyin"
    INITIALS = "initials"
    LOOKALIKE = "look-alike"
    SPLIT = "split"
    SHUFFLED = "shuffled"
    LEET = "leet"
    REPEATED = "repeated"


class Bar(msgspec.Struct, frozen=True):
    """What the surprise of a stretch must exceed (natural logarithm): a sum, and so much for each disguised letter.

    For a disguise is unlikely too: the more letters could have been written otherwise, the more chance could do.
    """

    least: float
    each: float

    def over(self, surprise: float, disguised: int) -> bool:
        """Is it?"""
        return surprise > self.least + self.each * disguised


BARS = {
    View.HOMOPHONE: Bar(10.0, 2.0),
    View.EMOJI: Bar(10.0, 2.0),
    View.PINYIN: Bar(12.0, 0.0),
    View.INITIALS: Bar(12.0, 0.0),
    View.LOOKALIKE: Bar(16.0, 2.0),
    View.SPLIT: Bar(10.0, 0.0),
    View.SHUFFLED: Bar(10.0, 2.0),
}
"""Calibrated with ``filters.views.survival`` so that clean text stays clean."""

RARER = 1.0
"""How much more a disguise in Chinese characters surprises than the term itself would."""

RAREST = 17.0
"""What a term costs at most: who compiled it says that it is a word, as rare as the rarest ones if not more usual."""

RARE_READING = 3.0
"""What a reading that the character has in few words takes from the surprise."""

FEWEST_INITIALS = 3
"""Of a run by itself: two letters stand for too much, but beside Chinese where they are no English word."""

_TERMS_AT_HAND = 1 << 12
"""Whose price is remembered."""

_OUT_OF_SCRIPT = (View.PINYIN, View.INITIALS, View.EMOJI)
"""Views whose letters have no price that could be compared with a term's."""

_VIEW_OF_WAY = {
    Way.PINYIN: View.PINYIN,
    Way.INITIAL: View.INITIALS,
    Way.SPLIT: View.SPLIT,
    Way.LOOKALIKE: View.LOOKALIKE,
    Way.EMOJI: View.EMOJI,
    Way.HOMOPHONE: View.HOMOPHONE,
    Way.RARE_READING: View.HOMOPHONE,
}
"""The view that a match belongs to: the first of these ways that occurs in it."""


def view_of(letters: Letters, start: int, end: int, term: str) -> View | None:
    """The view in which these letters, of one sentence, are the term; None if they are not, or are not meant as it."""
    stretch = letters.chars[start:end]
    if any("0" <= char <= "9" for char in stretch) and not any(map(is_hanzi, stretch)):
        return None  # 43ba is a number, whatever it sounds like
    for steps in paths(letters.chars[start:end], term):
        ways = {step.way for step in steps}
        view = next((view for way, view in _VIEW_OF_WAY.items() if way in ways), None)
        if (
            view is not None
            and _runs_are_whole(letters, start, steps)
            and _is_foreign(letters, start, end, term, view)
            and _enough(letters, start, end, term, view, steps)
        ):
            return view
    return None


def _is_foreign(letters: Letters, start: int, end: int, term: str, view: View) -> bool:
    """Is a run of Latin letters more likely to be Chinese than English?"""
    if view not in (View.PINYIN, View.INITIALS):
        return True
    first, last = letters.run(start)[0], letters.run(end - 1)[1]
    runs = letters.tokens(first, last)
    if not all(is_latin(run[0]) for run in runs):
        return True
    among_chinese = is_hanzi(letters.chars[max(first - 1, 0) : first]) or is_hanzi(letters.chars[last : last + 1])
    short = len(term) == 2 if view is View.INITIALS else len(runs) == len(term)
    if refusal(term, view) is not None and not (short and among_chinese):
        return False
    if view is View.INITIALS:
        beside = letters.chars[max(first - 1, 0) : first] + letters.chars[last : last + 1]
        if any("0" <= char <= "9" for char in beside) or any(map(is_ordinary, _neighbours(letters, first, last))):
            return False  # SYB58; "I watch CNN"
    if any(not is_ordinary(run) for run in runs):
        return True
    return view is View.PINYIN and among_chinese


def _neighbours(letters: Letters, start: int, end: int) -> list[str]:
    """The Latin runs right before and after a stretch."""
    before = letters.run(start - 1)[0] if start else 0
    after = letters.run(end)[1] if end < len(letters.chars) else end
    return [run for run in (letters.chars[before:start], letters.chars[end:after]) if is_latin(run[:1])]


def _enough(letters: Letters, start: int, end: int, term: str, view: View, steps: tuple[Step, ...]) -> bool:
    if view is View.INITIALS:
        own = sum(step.way is Way.OWN for step in steps)
        initials = sum(step.way is Way.INITIAL for step in steps)
        if initials == len(steps):
            run, *others = letters.tokens(start, end)
            plain = not others and (initials >= FEWEST_INITIALS or run not in Words.shipped().english)
        else:
            plain = own + initials == len(steps) and (initials >= FEWEST_INITIALS or own >= 2)
        return plain and surprising(letters, start, end, term, view, initials)
    disguised = sum(step.way is not Way.OWN for step in steps)
    rare = sum(step.way is Way.RARE_READING for step in steps)
    return surprising(letters, start, end, term, view, disguised, RARE_READING * rare)


def surprising(
    letters: Letters, start: int, end: int, term: str, view: View, disguised: int, discount: float = 0.0
) -> bool:
    """Is the stretch unlike ordinary text, and more so than the term would be?"""
    words = Words.shipped()
    foreign = view in _OUT_OF_SCRIPT or any("0" <= char <= "9" for char in letters.chars[start:end])
    first, last = letters.clause(start, end, REACH)
    if is_latin(letters.chars[start]):
        start = letters.run(start)[0]
    if is_latin(letters.chars[end - 1]):
        end = letters.run(end - 1)[1]
    first, last = min(first, start), max(last, end)
    before, within, after = letters.tokens(first, start), letters.tokens(start, end), letters.tokens(end, last)
    surprise = round(words.cost(before + within + after)[-1] - words.cost(before)[-1] - words.cost(after)[-1], 2)
    if not BARS[view].over(surprise - discount, disguised):
        return False
    if not foreign and surprise <= _price(term):
        return False
    if view is View.SPLIT:  # components are no words: what they seem to be by chance says nothing
        return not _lies_in_words([], within, [], words)
    if not BARS[view].over(_strange(within, words) - discount, disguised):
        return False
    # Less than it costs alone: the likeliest words of the text reach across one of its ends.
    return surprise >= round(words.cost(within)[-1], 2) and not _lies_in_words(before, within, after, words)


def view_of_measured(chars: str, term: str, surprise: float, strange: float) -> View | None:
    """The same as `view_of` for Chinese characters, one for each of the term's, that lie in no known words.

    ``surprise``, and ``strange``, what of them lies in no word: the search has measured both (`filters.ordinary`).
    """
    if surprise <= _price(term):
        return None
    for steps in paths(chars, term):
        ways = [step.way for step in steps]
        view = View.LOOKALIKE if Way.LOOKALIKE in ways else View.HOMOPHONE
        discount = RARE_READING * ways.count(Way.RARE_READING)
        if BARS[view].over(min(surprise, strange) - discount, len(ways) - ways.count(Way.OWN)):
            return view
    return None


def is_shuffled(term: str, surprise: float, strange: float) -> bool:
    """The same for a term in another order."""
    return surprise > _price(term) and BARS[View.SHUFFLED].over(min(surprise, strange), 1)


@lru_cache(_TERMS_AT_HAND)
def _price(term: str) -> float:
    """What a disguise of the term in Chinese characters must exceed in surprise."""
    return round(min(Words.shipped().cost(list(term))[-1], RAREST) + RARER, 2)


def _strange(tokens: list[str], words: Words) -> float:
    """What the tokens cost that lie in no word, at least."""
    best = [0.0]
    for end, token in enumerate(tokens, start=1):
        cost = best[-1] + words.of_token(token)
        for size in range(2, min(LONGEST, end) + 1):
            if "".join(tokens[end - size : end]) in words.chinese:
                cost = min(cost, best[end - size])
        best.append(cost)
    return round(best[-1], 2)


def _lies_in_words(before: list[str], within: list[str], after: list[str], words: Words) -> bool:
    """Does the stretch lie in known words, however rare, that follow each other without a gap?"""
    tokens = before + within + after
    start, end = len(before), len(before) + len(within)
    reached = set(range(max(start - LONGEST + 1, 0), start + 1))
    for place in range(start + 1, len(tokens) + 1):
        if any(
            place - size in reached and words.knows("".join(tokens[place - size : place]))
            for size in range(2, min(LONGEST, place) + 1)
        ):
            if place >= end:
                return True
            reached.add(place)
    return False


def _runs_are_whole(letters: Letters, start: int, steps: tuple[Step, ...]) -> bool:
    """Of each run of Latin letters that is read: is all of it spelled out, or all of it initials?"""
    at = start
    spelled: list[int] = []
    initials: set[int] = set()
    for step in steps:
        if step.way is Way.PINYIN:
            if letters.runs[at] != letters.runs[at + step.text - 1]:
                return False
            spelled.append(at)
        elif step.way is Way.INITIAL:
            initials.add(at)
        at += step.text
    return (
        not (spelled and initials)
        and all(set(range(*letters.run(place))) <= initials for place in initials)
        and all(_syllables(letters, place, start, at) for place in spelled)
    )


def _syllables(letters: Letters, place: int, start: int, end: int) -> bool:
    """Are the parts of a spelled run that lie before and after the stretch nothing but syllables?"""
    first, last = letters.run(place)
    before, after = letters.chars[first : max(start, first)], letters.chars[min(end, last) : last]
    return spellings(before) and spellings(after)


SHORTEST_PINYIN = 5
"""Letters of a term spelled out; shorter ones are syllables of too many other words."""


def refusal(term: str, view: View) -> str | None:
    """Why a term (its folded letters) is not looked for in Latin letters alone; None if it is."""
    spelled = pinyin(term) if view is View.PINYIN else initials(term)
    if view is View.PINYIN and len(spelled) < SHORTEST_PINYIN:
        return f"spelled in fewer than {SHORTEST_PINYIN} letters"
    if view is View.INITIALS and (len(term) < FEWEST_INITIALS or not all(map(is_hanzi, term))):
        return f"fewer than {FEWEST_INITIALS} initials"
    return "spells an English word" if spelled in Words.shipped().english else None


def pinyin(term: str) -> str:
    """The term in Latin letters."""
    return "".join(syllable(letter).lower() for letter in term)


def initials(term: str) -> str:
    """The first Latin letter of each letter."""
    return "".join(syllable(letter)[0].lower() for letter in term)


LONGEST_SHUFFLED, LONGEST_REVERSED = 3, 4
"""Letters of a term that is looked for with two of them exchanged, and in reverse."""


def spelled_apart(term: str) -> bool:
    """Has the term enough Chinese letters to be written by their sound or shape?"""
    return sum(map(is_hanzi, term)) >= 2


def shuffles(term: str) -> Iterator[str]:
    """The term in reverse, and a short one with two letters exchanged that stand side by side."""
    found = {term[::-1]: None} if len(term) <= LONGEST_REVERSED else {}
    for index in range(len(term) - 1 if len(term) <= LONGEST_SHUFFLED else 0):
        found[term[:index] + term[index + 1] + term[index] + term[index + 2 :]] = None
    found.pop(term, None)
    yield from found
