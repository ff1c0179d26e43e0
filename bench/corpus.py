"""What the benches judge: distinct messages by distinct accounts, and word lists of any size. All of it deterministic.

Nothing here is traffic of real people. Clauses come from the ordinary lines of the project's own sample bank (without
those that hold a term within a harmless phrase: the bank is full of such traps, a chat is not), words from the phrase
table of OpenCC (49,000 Chinese words and names), planted terms from the shipped lexicon. So the texts have the
vocabulary of a real chat, but not its sense: what they measure is cost, never how well abuse is told.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from importlib import resources

import msgspec

from filters import samples
from filters.classes import Harm
from filters.folding import Folding
from filters.hits import Severity
from filters.lexicon import HEADER, Lexicon, parse

MESSAGES = 10_000
DIRTY_EVERY = 20
"""One message in so many holds a planted term: 95 % are clean."""
LENGTHS = (26, 34)
"""Characters of one message, at least and at most: 30 in the mean."""

_CLAUSE_END = re.compile(r"[，。！？、,.!?;:；：\s]+")
_SENTENCE_END = re.compile(r"[,.!?;:]+")
_MARKS = ("，", "，", "。", "！", "？", " ", "", "")
"""What ends a clause in chat: four in five Chinese messages of this length have a full-width mark, 1.7 in the mean."""
_ASIDES = ("666", "哈哈哈", "233", "up主", "OK", "👍", "……", "2024年", "！", "vs", "PK", "3:2", "😂", "No.1", "？")
_WORDS_PER_ASIDE = 15
_LONGEST_PLANTED = 16
_ONSETS = (
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "s",
    "st",
    "t",
    "w",
)
_RHYMES = ("ack", "ale", "an", "ard", "eck", "el", "en", "ick", "ill", "ing", "o", "ock", "on", "uck", "ump", "y")


class Language(Enum):
    """Which script the texts of a corpus are in."""

    CHINESE = "chinese"
    ENGLISH = "english"


class Message(msgspec.Struct, frozen=True):
    """One message of a corpus."""

    account: str
    text: str
    planted: str
    """The term of the shipped lexicon that was put into the text; "" in a text that is meant to be clean."""


def messages(
    count: int = MESSAGES, language: Language = Language.CHINESE, lengths: tuple[int, int] = LENGTHS
) -> list[Message]:
    """So many distinct messages of so many characters; every twentieth holds a planted term."""
    draw = random.Random(f"messages {language.value} {lengths}")  # noqa: S311 - no secret
    material = _material(language)
    planted_in: dict[str, str] = {}
    while len(planted_in) < count:
        planted = draw.choice(material.terms) if len(planted_in) % DIRTY_EVERY == DIRTY_EVERY - 1 else ""
        planted_in.setdefault(material.text(draw, draw.randint(*lengths), planted), planted)
    return [Message(f"account-{number:06}", text, planted) for number, (text, planted) in enumerate(planted_in.items())]


def lexicon(count: int) -> Lexicon:
    """A lexicon of so many terms: the first of the shipped one, then made-up ones as far as needed."""
    shipped = Lexicon.shipped().terms
    return Lexicon(shipped[:count] + parse([synthetic_file(max(count - len(shipped), 0))]).terms)


def synthetic_file(count: int) -> tuple[str, str]:
    """Name and content of a lexicon file of so many made-up terms that the shipped lexicon does not hold.

    Four in five are two Chinese words run together, as most entries of large lists are (so that ordinary text walks
    into the trie and falls out again); the fifth is a word of two to four English-looking syllables. All are of
    the highest severity, so that none hides a graver one, and none lies in an entry of the shipped lexicon.
    """
    draw = random.Random("terms")  # noqa: S311 - no secret
    words = chinese_words()
    letters = Folding.shipped().letters
    shipped = "\n".join(letters(text) for term in Lexicon.shipped().terms for text in (term.text, *term.allow))
    terms: dict[str, str] = {}
    while len(terms) < count:
        term = draw.choice(words) + draw.choice(words) if len(terms) % 5 else _pseudo_word(draw)
        folded = letters(term)
        if folded not in shipped:
            terms.setdefault(folded, term)
    return "synthetic.lexicon", "\n".join([HEADER, "[insult severe]", *terms.values()])


@cache
def chinese_words() -> Sequence[str]:
    """Words of two to four characters in simplified script, from OpenCC's phrase table."""
    table = (resources.files("opencc") / "dictionary" / "STPhrases.txt").read_text(encoding="utf-8")
    words = (line.partition("\t")[0] for line in table.splitlines())
    return tuple(word for word in words if 2 <= len(word) <= 4)


class _Material(msgspec.Struct, frozen=True):
    """What the texts of one language are made of."""

    clauses: Sequence[str]
    words: Sequence[str]
    asides: Sequence[str]
    """Stand for a word now and then: numbers, Latin words, emoji."""
    terms: Sequence[str]
    marks: Sequence[str]
    """What may end a clause."""
    joint: str
    """Sets a planted term apart."""

    def text(self, draw: random.Random, length: int, planted: str) -> str:
        """A text of that length: clauses and words in turn, with the planted term between two of them."""
        insertion = f"{self.joint}{planted}{self.joint}" if planted else ""
        pieces: list[str] = []
        room = length - len(insertion)
        while room > 0:
            piece = (self._word(draw) if len(pieces) % 2 else draw.choice(self.clauses) + draw.choice(self.marks))[
                :room
            ]
            pieces.append(piece)
            room -= len(piece)
        pieces.insert(draw.randint(0, len(pieces)), insertion)
        return "".join(pieces)

    def _word(self, draw: random.Random) -> str:
        return draw.choice(self.words if draw.randrange(_WORDS_PER_ASIDE) else self.asides)


@cache
def _material(language: Language) -> _Material:
    ordinary = [sample.text for sample in samples.load() if not (sample.abusive or sample.harm or sample.caught)]
    terms = [term.text for term in Lexicon.shipped().terms if _is_plain_abuse(term.text, term.harm, term.severity)]
    if language is Language.CHINESE:
        clauses = _clauses(ordinary, _CLAUSE_END, _is_chinese)
        planted = [term for term in terms if _is_chinese(term)]
        return _Material(clauses, chinese_words(), _ASIDES, planted, _MARKS, "，")
    clauses = _clauses(ordinary, _SENTENCE_END, str.isascii)
    words = sorted({f" {word} " for clause in clauses for word in clause.split()})
    return _Material(
        clauses,
        words,
        (" 666 ", " 3:2 ", "👍"),
        [term for term in terms if term.isascii()],
        (",", ".", "!", "", ""),
        ", ",
    )


def _clauses(texts: Sequence[str], ends: re.Pattern[str], wanted: Callable[[str], bool]) -> list[str]:
    letters = Folding.shipped().letters
    terms = [letters(term.text) for term in Lexicon.shipped().terms]
    clauses = {clause.strip() for text in texts for clause in ends.split(text) if clause.strip() and wanted(clause)}
    return sorted(clause for clause in clauses if not any(term in letters(clause) for term in terms))


def _is_chinese(text: str) -> bool:
    return all("\u4e00" <= char <= "\u9fff" for char in text)


def _is_plain_abuse(text: str, harm: Harm, severity: Severity) -> bool:
    """Words that are abuse wherever they stand, and short enough for every message."""
    return harm is Harm.INSULT and severity is Severity.SERIOUS and len(text) <= _LONGEST_PLANTED


def _pseudo_word(draw: random.Random) -> str:
    return "".join(draw.choice(_ONSETS) + draw.choice(_RHYMES) for _ in range(draw.randint(2, 4)))
