"""From an operator's word lists and thresholds to one compiled file that every worker maps; or every reason why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from filters import artifact
from filters.lexicon import Lexicon, review, shipped_files
from filters.reader import Reader
from filters.scanner import Scanner
from gateway.policy import pins
from protection.policy import Policy, Sensitivity
from protection.rules import Rules

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
    sensitivity: Sensitivity | None = None
    """None: that which the workers were started with."""


class Compiled(msgspec.Struct, frozen=True):
    """A lexicon that has passed every check, and its scanner."""

    scanner: Scanner
    facts: TextFacts

    def write(self, file: Path) -> str:
        """Write the file that workers map; answers its digest."""
        return artifact.write(file, self.scanner.to_artifact(), self.facts)


def compile_files(files: Sequence[str], accept_flips: bool = False, policy: Policy | None = None) -> Compiled:
    """Check and compile lexicon files (none: the shipped ones); raises `Rejected` with every fault that was found.

    Checked are the files' form, their entries against each other, and then the sample bank: no pinned case may be
    judged otherwise by these lists and this policy (None: the shipped one), unless the operator accepts that.
    """
    policy = policy or Policy()
    faults: list[str] = []
    lexicon, malformed = review(_sources(files or [SHIPPED], faults))
    if faults or malformed:
        raise Rejected([*faults, *map(str, malformed)])
    scanner = Scanner(lexicon)
    if conflicts := [str(conflict) for conflict in scanner.conflicts(lexicon)]:
        raise Rejected(conflicts)
    if not accept_flips and (flips := list(pins.flips(Rules(Reader.shipped().with_scanner(scanner), policy)))):
        raise Rejected(flips)
    return Compiled(scanner, _facts(lexicon, policy.sensitivity))


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


def _facts(lexicon: Lexicon, sensitivity: Sensitivity) -> TextFacts:
    phrases = sum(len(term.allow) for term in lexicon.terms)
    return TextFacts(
        len(lexicon.terms), phrases, tuple(dict.fromkeys(term.file for term in lexicon.terms)), sensitivity
    )
