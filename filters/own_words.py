"""A person's own blocked words (requirement P5): a second, small automaton, made when its owner's rules are loaded.

The words are read like the lexicon's terms: compared in the folded view, with separators skipped, Latin words standing
alone. They have no class and no severity, since the person, not the standard, has ruled them out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from filters.folding import BREAK, SKIPPED, Folding, is_word
from filters.reading import Pattern, start_of

MOST_WORDS = 200
LONGEST_WORD = 32
"""Code points of one word."""


class OwnWordsError(ValueError):
    """A word list that cannot be taken; the fault is that of the person who sent it."""


class OwnWordHit(msgspec.Struct, frozen=True):
    """One occurrence: code point offsets into the original text (half-open), and the word as its owner wrote it."""

    start: int
    end: int
    word: str


class OwnWords:
    """One person's words, compiled. Immutable; a caller keeps it for as long as the person's rules stay the same.

    The automaton is Aho and Corasick's with a dict per state: 200 ordinary words take under a millisecond, while the
    array of ``filters.automaton`` would take longer to lay out than all its scans take together.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._folding = Folding.shipped()
        self._words = tuple(words)
        self._patterns = tuple(Pattern.of(word, self._folding) for word in words)
        self._next: list[dict[str, int]] = [{}]
        self._fail = [0]
        self._found: list[tuple[int, ...]] = [()]
        for number, pattern in enumerate(self._patterns):
            self._add(number, pattern.letters)
        self._link()

    @classmethod
    def parse(cls, words: Iterable[str]) -> OwnWords:
        """The words of a list as a person sends it; the same word written twice counts once.

        Raises ``OwnWordsError`` for too many words, and for one that is too long or that no text can contain.
        """
        distinct: dict[str, str] = {}
        for count, word in enumerate(words, start=1):
            if count > MOST_WORDS:
                raise OwnWordsError(f"at most {MOST_WORDS} words")
            distinct.setdefault(_checked(word), word)
        return cls(tuple(distinct.values()))

    def __len__(self) -> int:
        """How many distinct words there are."""
        return len(self._words)

    def find(self, text: str) -> tuple[OwnWordHit, ...]:
        """All occurrences, ordered by place. Linear in the text and in what is found, whatever the words."""
        if not self._words:
            return ()
        folded = self._folding.fold(text)
        hits = []
        for end, number in self._candidates(folded):
            start = start_of(self._patterns[number], folded, end)
            if start is not None:
                hits.append(OwnWordHit(start, end, self._words[number]))
        return tuple(sorted(hits, key=lambda hit: (hit.start, hit.end)))

    def _candidates(self, folded: str) -> Iterable[tuple[int, int]]:
        """(end, number of the word) of every occurrence that skips separators."""
        following, fail, found = self._next, self._fail, self._found
        state = 0
        for end, char in enumerate(folded, start=1):
            if char in SKIPPED:
                continue
            while state and char not in following[state]:
                state = fail[state]
            state = following[state].get(char, 0)
            for number in found[state]:
                yield end, number

    def _add(self, number: int, letters: str) -> None:
        state = 0
        for char in letters:
            if char not in self._next[state]:
                self._next[state][char] = len(self._next)
                self._next.append({})
                self._fail.append(0)
                self._found.append(())
            state = self._next[state][char]
        self._found[state] += (number,)

    def _link(self) -> None:
        """Find each state's longest proper suffix, breadth first, and let it report what that suffix reports."""
        queue = deque(self._next[0].values())
        while queue:
            state = queue.popleft()
            for char, child in self._next[state].items():
                suffix = self._fail[state]
                while suffix and char not in self._next[suffix]:
                    suffix = self._fail[suffix]
                self._fail[child] = self._next[suffix].get(char, 0)
                self._found[child] += self._found[self._fail[child]]
                queue.append(child)


def _checked(word: str) -> str:
    """The folded letters of a word that can be found."""
    if len(word) > LONGEST_WORD:
        raise OwnWordsError(f'"{word[:LONGEST_WORD]}…" is too long: a word has at most {LONGEST_WORD} characters')
    letters = Folding.shipped().letters(word)
    if not letters:
        raise OwnWordsError(f'"{word}" has no letters')
    if BREAK in letters:
        raise OwnWordsError(f'"{word}" can never be found: no match runs across punctuation that ends a clause')
    if len(letters) == 1 and is_word(letters):
        raise OwnWordsError(f'"{word}" is too short: a single letter stands in every text')
    return letters
