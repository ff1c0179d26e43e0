"""From an operator's lexicon files to one compiled file that every worker maps; or every reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from filters import artifact, samples
from filters.hits import Scan
from filters.lexicon import Lexicon, review, shipped_files
from filters.scanner import Scanner

SHIPPED = "shipped"
"""Stands for the lexicons in the package, in a list of files."""


class Rejected(Exception):
    """Lexicon files that cannot be taken; the fault is their writer's. ``faults``: each on a line of its own."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class TextFacts(msgspec.Struct, frozen=True):
    """What a compiled file says of itself; its metadata."""

    terms: int
    phrases: int
    files: tuple[str, ...]


class Compiled(msgspec.Struct, frozen=True):
    """A lexicon that has passed every check, and its scanner."""

    scanner: Scanner
    facts: TextFacts

    def write(self, file: Path) -> str:
        """Write the file that workers map; answers its digest."""
        return artifact.write(file, self.scanner.to_artifact(), self.facts)


def compile_files(files: Sequence[str], accept_flips: bool = False) -> Compiled:
    """Check and compile lexicon files (none: the shipped ones); raises `Rejected` with every fault that was found.

    Checked are the files' form, their entries against each other, and then the sample bank: no pinned line may be
    judged otherwise than it says, unless the operator accepts that.
    """
    faults: list[str] = []
    lexicon, malformed = review(_sources(files or [SHIPPED], faults))
    if faults or malformed:
        raise Rejected([*faults, *map(str, malformed)])
    scanner = Scanner(lexicon)
    if conflicts := [str(conflict) for conflict in scanner.conflicts(lexicon)]:
        raise Rejected(conflicts)
    if not accept_flips and (flips := list(_flips(scanner.scan))):
        raise Rejected(flips)
    return Compiled(scanner, _facts(lexicon))


def _sources(files: Sequence[str], faults: list[str]) -> Iterator[tuple[str, str]]:
    """Name and content of each file; what cannot be read goes to the faults."""
    for file in files:
        if file == SHIPPED:
            yield from shipped_files()
            continue
        try:
            raw = Path(file).read_bytes()
        except OSError as error:
            faults.append(f"{file}: {error.strerror}")
            continue
        try:
            yield file, raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            faults.append(f"{file}:{raw.count(bytes([10]), 0, error.start) + 1}: this line is not UTF-8")


def _flips(scan: Callable[[str], Scan]) -> Iterator[str]:
    """The lines of the sample bank that are judged otherwise than it says."""
    for sample in samples.load():
        caught = any(sample.harm in (hit.harm, None) for hit in scan(sample.text).hits)
        if caught != sample.caught:
            change = "was caught and would pass" if sample.caught else "passed and would be caught"
            yield f'samples.csv: "{sample.text}" ({sample.harm or "fine"}) {change}'


def _facts(lexicon: Lexicon) -> TextFacts:
    phrases = sum(len(term.allow) for term in lexicon.terms)
    return TextFacts(len(lexicon.terms), phrases, tuple(dict.fromkeys(term.file for term in lexicon.terms)))
