"""Is a candidate an honest reading of the original text? The rules on what may stand within and around a match.

The search skips separators, so that ``f.u-c*k`` and ``傻 逼`` are found; it would also find ``ass`` in ``as such``.
Its candidates are rare, so each is looked at again here, in the folded view of the text:

1. A term that begins or ends with a word letter (``is_word``: Latin and its kind, digits) has none next to it there.
2. Nothing runs across a full stop with a space after it: it ends a sentence.
3. Between two word letters that the term writes together no space stands (``as such``), unless the term is spelled
   out with a space at every place (``a s s``).
4. Where the term has a space between word letters stands a run of spaces or of marks, not of both, or nothing.
5. Elsewhere, with Chinese on either side, anything that the search skips may stand.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from filters.folding import FULL_STOP, GHOST, SKIPPED, SPACE, Folding, is_word


class Pattern(msgspec.Struct, frozen=True):
    """A term or a harmless phrase as the search and these rules see it."""

    letters: str
    """Folded, without anything that a match skips."""
    joints: tuple[bool | None, ...]
    """For each gap between two letters: None where Chinese stands on a side, else whether the writing has a space."""

    @classmethod
    def of(cls, text: str, folding: Folding) -> Pattern:
        """The pattern of a text as a lexicon writes it."""
        folded = folding.fold(text)
        places = [i for i, char in enumerate(folded) if char not in SKIPPED]
        letters = "".join(folded[i] for i in places)
        joints = tuple(
            SPACE in folded[left:right] if is_word(folded[left]) and is_word(folded[right]) else None
            for left, right in pairwise(places)
        )
        return cls(letters, joints)


def start_of(pattern: Pattern, folded: str, end: int) -> int | None:
    """Where the candidate that ends at ``end`` begins; None if the rules reject it. Code point offsets, half-open."""
    letters = pattern.letters
    if folded.endswith(letters, 0, end):  # written together, as nearly always: only rule 1 has something to say
        start = end - len(letters)
        return start if _stands_alone(letters, folded, start, end) else None
    gaps = []
    start = end - 1
    for _ in pattern.joints:
        right = start
        start -= 1
        while folded[start] in SKIPPED:
            start -= 1
        gaps.append(folded[start + 1 : right].replace(GHOST, ""))
    gaps.reverse()
    if _stands_alone(letters, folded, start, end) and _holds_together(pattern, gaps):
        return start
    return None


def _stands_alone(letters: str, folded: str, start: int, end: int) -> bool:
    """Rule 1: is there no word letter beside a word letter of the term, ghosts not seen?"""
    if start and is_word(letters[0]):
        before = start - 1
        while before and folded[before] == GHOST:
            before -= 1
        if is_word(folded[before]):
            return False
    last = len(folded) - 1
    if end <= last and is_word(letters[-1]):
        after = end
        while after < last and folded[after] == GHOST:
            after += 1
        return not is_word(folded[after])
    return True


def _holds_together(pattern: Pattern, gaps: list[str]) -> bool:
    """Rules 2 to 5; a gap is what stands between two letters, without ghosts."""
    if any(FULL_STOP + SPACE in gap for gap in gaps):
        return False
    spelled_out = all(SPACE in gap for gap in gaps)
    for gap, joint in zip(gaps, pattern.joints, strict=True):
        spaced = SPACE in gap
        if joint is False and spaced and not spelled_out:
            return False
        if joint is True and spaced and gap.strip(SPACE):
            return False
    return True
