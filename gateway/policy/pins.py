"""Pins (requirement W2): what becomes of each case of the sample bank today, and which of them a change would flip.

``python -m gateway.policy.pins`` writes the list anew, from the shipped lexicon, weights, thresholds and policy; the
list is committed, so that a change of any of them shows in it, line by line, which cases it flips.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec

import filters.data
from filters import samples
from filters.classes import Harm
from gateway.warm_start import keep_machine_code
from protection.events import Event, Kind
from protection.rules import Rules
from protection.snapshot import Snapshot
from protection.verdicts import Disposition, Verdict

HEADER = "shieldwire-pins 1"
COLUMNS = ["file", "case", "outcome", "note"]
KNOWN_MISS = "known miss"
FILE = "pins.csv"


class Outcome(StrEnum):
    """What becomes of a text."""

    DELIVER = "deliver"
    SUPPORT = "support"
    """Delivered, and its sender gets a support message."""
    FLAG = "flag"
    """Sent back with a reminder."""
    REFUSE = "refuse"
    """Not delivered as it is: masked or refused."""

    @classmethod
    def of(cls, verdict: Verdict) -> Outcome:
        """The outcome of a verdict."""
        if verdict.disposition >= Disposition.MASK:
            return cls.REFUSE
        if verdict.disposition is Disposition.NUDGE:
            return cls.FLAG
        return cls.SUPPORT if verdict.support else cls.DELIVER


_ABUSE = (Outcome.FLAG, Outcome.REFUSE), (Outcome.DELIVER, Outcome.SUPPORT)
_DISTRESS = (Outcome.SUPPORT,), (Outcome.DELIVER,), (Outcome.FLAG,), (Outcome.REFUSE,)
_FINE = (Outcome.DELIVER,), (Outcome.SUPPORT,), (Outcome.FLAG,), (Outcome.REFUSE,)
"""Of each sort of case the outcomes that are right, and then those that are wrong, one worse than the other."""


class Case(msgspec.Struct, frozen=True):
    """One line of the sample bank."""

    text: str
    kind: Kind
    abusive: bool
    harm: Harm | None
    place: str
    """File and line."""

    @property
    def digest(self) -> str:
        """What it is called in the list of pins, wherever in the bank it stands."""
        return hashlib.sha256(f"{self.kind}\n{self.text}".encode()).hexdigest()[:12]

    def error(self, outcome: Outcome) -> int:
        """How wrong an outcome is: 0 is right."""
        order = _ABUSE if self.abusive else _DISTRESS if self.harm is Harm.DISTRESS else _FINE
        return next(number for number, outcomes in enumerate(order) if outcome in outcomes)

    def flipped(self, before: Outcome, after: Outcome) -> bool:
        """Whether a change is a flip: of a right outcome, any; of a known miss, one for the worse."""
        return after is not before if self.error(before) == 0 else self.error(after) > self.error(before)


def cases() -> Iterator[Case]:
    """Every line of the sample bank."""
    for sample in samples.load():
        yield Case(sample.text, Kind.CHAT, sample.abusive, sample.harm, sample.place)
    for line in samples.bank():
        yield Case(line.text, Kind(line.kind), line.abusive, line.harm, line.place)


def outcome_of(case: Case, rules: Rules) -> Outcome:
    """What these rules make of a case: said by a nameless sender, to nobody who is protected."""
    return Outcome.of(rules.judge(Event(case.kind, "", case.text), Snapshot(now=0.0)))


@cache
def shipped() -> dict[str, Outcome]:
    """The pinned outcomes, by the digest of the case. Raises ``ValueError`` where the file is not as described."""
    return read((resources.files("filters.data") / FILE).read_text(encoding="utf-8"))


def read(content: str) -> dict[str, Outcome]:
    """A list of pins; raises ``ValueError`` with the line of a row that is not as described."""
    header, _, rest = content.partition("\n")
    rows = csv.reader(io.StringIO(rest), strict=True)
    if header != HEADER or next(rows, None) != COLUMNS:
        raise ValueError(f"{FILE}: it must begin with the lines {HEADER!r} and {','.join(COLUMNS)!r}")
    pinned = {}
    for row in rows:
        if len(row) != len(COLUMNS) or row[2] not in set(Outcome) or row[3] not in ("", KNOWN_MISS):
            raise ValueError(f"{FILE}:{rows.line_num + 1}: not a pin")
        pinned[row[1]] = Outcome(row[2])
    return pinned


def written(rules: Rules) -> str:
    """The list of pins that these rules make."""
    out = io.StringIO()
    out.write(f"{HEADER}\n")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for case in cases():
        outcome = outcome_of(case, rules)
        table.writerow([case.place.partition(":")[0], case.digest, outcome, KNOWN_MISS if case.error(outcome) else ""])
    return out.getvalue()


def flips(rules: Rules) -> Iterator[str]:
    """The pinned cases that these rules flip, in words for the operator's terminal."""
    pinned = shipped()
    for case in cases():
        before, after = pinned.get(case.digest), outcome_of(case, rules)
        if before is not None and case.flipped(before, after):
            sort = case.harm or ("abusive" if case.abusive else "fine")
            yield f'{case.place}: "{case.text}" ({sort}) is pinned as {before}, and it would be {after}'


def main() -> None:
    """Write the list in the package anew."""
    keep_machine_code()
    file = Path(filters.data.__file__).with_name(FILE)
    file.write_text(written(Rules.shipped()), encoding="utf-8")
    sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main()
