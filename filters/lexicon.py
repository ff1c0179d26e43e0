"""The lexicon: terms with class, severity and the harmless phrases that contain them; and its file format.

A lexicon is a UTF-8 file of lines, made to be read in a diff::

    shieldwire-lexicon 1          the format and its version, first of all

    # A comment runs from the sign to the end of its line.
    [insult serious]              class and severity of the terms that follow, until the next such line
    贱人                          a term
    allow: 贱人矫情               a harmless phrase that contains the term above it: the term never fires inside it
    piece of shit
    guard: none                   no context excuses the term above it

    [insult mild]
    guard: second-person          before the section's first term: a guard for all of them
    废物

Case, width, script and separators do not matter in terms and phrases: the text is compared in its folded view
(``filters.folding``). A space in a term says that the words may stand apart.

``filters.guards`` says what guards are, and which of them a term has by its class; a ``guard:`` line adds to these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import resources

import msgspec

from filters.classes import Harm
from filters.folding import BREAK, Folding, is_word
from filters.guards import REMAINS, Guard, defaults
from filters.hits import Severity

HEADER = "shieldwire-lexicon 1"

SHORTEST_WORD = 3
"""Letters that a term without any Chinese needs at least: two Latin letters are in every second text."""

_SECTION = re.compile(r"\[(?P<harm>[^\s\]]+)\s+(?P<severity>[^\s\]]+)\]")
_ALLOW = "allow:"
_GUARD = "guard:"
_UNGUARDED = "none"


class LexiconError(ValueError):
    """A lexicon that cannot be taken; the fault is its writer's. Names file, line and reason."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        self.file, self.line, self.reason = file, line, reason
        super().__init__(f"{file}:{line}: {reason}")


class Term(msgspec.Struct, frozen=True):
    """One entry: the words, what they are, and where they are written."""

    text: str
    harm: Harm
    severity: Severity
    allow: tuple[str, ...]
    """Harmless phrases that contain the term."""
    file: str
    line: int
    guards: frozenset[Guard] = frozenset()
    """Which contexts may excuse it."""


class Lexicon(msgspec.Struct, frozen=True):
    """A set of terms, no two of which fold to the same letters."""

    terms: tuple[Term, ...]

    @classmethod
    def shipped(cls) -> Lexicon:
        """The lexicon written for this project: all ``*.lexicon`` files of ``filters.data``."""
        return parse(shipped_files())


def shipped_files() -> Iterator[tuple[str, str]]:
    """Name and content of the lexicons in the package."""
    for file in sorted(resources.files("filters.data").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".lexicon"):
            yield file.name, file.read_text(encoding="utf-8")


def parse(files: Iterable[tuple[str, str]]) -> Lexicon:
    """Read (name, content) of one or more files as one lexicon. Raises ``LexiconError`` at the first fault."""
    lexicon, faults = review(files)
    if faults:
        raise faults[0]
    return lexicon


def review(files: Iterable[tuple[str, str]]) -> tuple[Lexicon, list[LexiconError]]:
    """Read as ``parse`` does, but go on after a fault: what could be read, and every fault in order."""
    reader = _Reader()
    for name, content in files:
        reader.read(name, content)
    return Lexicon(tuple(reader.terms.values())), reader.faults


class _Reader:
    """Reads files line by line into terms, keyed by their folded letters."""

    def __init__(self) -> None:
        self.terms: dict[str, Term] = {}
        self.phrases: dict[str, tuple[str, int]] = {}
        self.faults: list[LexiconError] = []
        self.letters = Folding.shipped().letters

    def read(self, file: str, content: str) -> None:
        """Add one file's terms."""
        self.file, self.line = file, 1
        self.section: tuple[Harm, Severity] | None = None
        self.guards: frozenset[Guard] = frozenset()
        self.current: str | None = None
        self.refused = False
        header, *lines = content.split("\n")
        if header.strip() != HEADER:
            self.faults.append(self.error(f'the first line must be "{HEADER}"'))
            return
        for self.line, line in enumerate(lines, start=2):
            try:
                self.take(line.partition("#")[0].strip())
            except LexiconError as fault:
                self.faults.append(fault)

    def take(self, entry: str) -> None:
        """Add what one line says."""
        if entry.startswith("["):
            self.current, self.refused = None, False
            self.section = self.heading(entry)
            self.guards = defaults(self.section[0])
        elif entry.startswith((_ALLOW, _GUARD)):
            if self.refused:
                return  # the term that it belongs to is refused already: one fault is enough
            if entry.startswith(_ALLOW):
                self.add_phrase(entry.removeprefix(_ALLOW).strip())
            else:
                self.add_guard(entry.removeprefix(_GUARD).strip())
        elif entry:
            self.current, self.refused = None, True
            self.add_term(entry)
            self.refused = False

    def heading(self, entry: str) -> tuple[Harm, Severity]:
        """What a line in brackets says of the terms after it."""
        match = _SECTION.fullmatch(entry)
        if match is None:
            raise self.error("a section is written [class severity]")
        if match["harm"] not in set(Harm):
            raise self.error(f'unknown class "{match["harm"]}"; known: {", ".join(Harm)}')
        known = {severity.name.lower(): severity for severity in Severity}
        if match["severity"] not in known:
            raise self.error(f'unknown severity "{match["severity"]}"; known: {", ".join(known)}')
        return Harm(match["harm"]), known[match["severity"]]

    def add_term(self, text: str) -> None:
        """Take one line as a term."""
        if self.section is None:
            raise self.error(f'the term "{text}" stands before any [class severity]')
        letters = self.checked(text)
        if len(letters) < SHORTEST_WORD and all(map(is_word, letters)):
            raise self.error(f'"{text}" is too short: a term without Chinese needs {SHORTEST_WORD} letters')
        if len(letters) < 2:
            raise self.error(f'"{text}" is too short: one character is no term')
        if letters in self.terms:
            first = self.terms[letters]
            raise self.error(f'"{text}" is already a term in {first.file}:{first.line}')
        if letters in self.phrases:
            raise self.error(f'"{text}" is called harmless in {"{}:{}".format(*self.phrases[letters])}')
        self.terms[letters] = Term(text, *self.section, (), self.file, self.line, self.guards)
        self.current = letters

    def add_phrase(self, text: str) -> None:
        """Take what follows "allow:" as a harmless phrase of the last term."""
        if self.current is None:
            raise self.error(f'"{_ALLOW}" must follow the term that the phrase contains')
        letters = self.checked(text)
        term = self.terms[self.current]
        if letters in self.terms:
            first = self.terms[letters]
            raise self.error(f'"{text}" cannot be harmless: it is a term in {first.file}:{first.line}')
        if self.current not in letters:
            raise self.error(f'"{text}" does not contain its term "{term.text}"')
        self.phrases.setdefault(letters, (self.file, self.line))
        self.terms[self.current] = msgspec.structs.replace(term, allow=(*term.allow, text))

    def add_guard(self, name: str) -> None:
        """Take what follows "guard:" for the last term or, before the first one, for the section."""
        if self.section is None:
            raise self.error(f'"{_GUARD}" must follow the term or the [class severity] that it guards')
        if name not in {_UNGUARDED, *Guard}:
            raise self.error(f'unknown guard "{name}"; known: {", ".join(Guard)}, {_UNGUARDED}')
        if name != _UNGUARDED and self.section[0] not in REMAINS[Guard(name)]:
            raise self.error(f'no {name} excuses the class "{self.section[0]}"')
        if self.current is None:
            self.guards = _with(self.guards, name)
        else:
            term = self.terms[self.current]
            self.terms[self.current] = msgspec.structs.replace(term, guards=_with(term.guards, name))

    def checked(self, text: str) -> str:
        """The folded letters of a term or phrase that can be found at all."""
        letters = self.letters(text)
        if BREAK in letters:
            raise self.error(f'"{text}" can never be found: no match runs across punctuation that ends a clause')
        if not letters:
            raise self.error(f'"{text}" has no letters' if text else f'nothing stands after "{_ALLOW}"')
        return letters

    def error(self, reason: str) -> LexiconError:
        return LexiconError(self.file, self.line, reason)


def _with(guards: frozenset[Guard], name: str) -> frozenset[Guard]:
    return frozenset() if name == _UNGUARDED else guards | {Guard(name)}
