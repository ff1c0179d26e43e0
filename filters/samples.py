"""The sample bank (requirement W2): short labelled lines written for this project, and their counter-examples."""

from __future__ import annotations

import csv
from importlib import resources

import msgspec

from filters.classes import Harm

COLUMNS = ["text", "label", "class", "caught"]


class Sample(msgspec.Struct, frozen=True):
    """One line of ``data/samples.csv``."""

    text: str
    abusive: bool
    """Column ``label``: 1 abusive; 0 fine, which takes in harsh criticism, anti-bias speech, quotation and distress."""
    harm: Harm | None
    """Column ``class``: what is abusive about it, or DISTRESS; None for an ordinary line."""
    caught: bool
    """Does the shipped lexicon raise a hit of that class (of any class, for an ordinary line)? ``no`` at an abusive
    line is a miss, ``yes`` at an ordinary one a false alarm: both are known, and stay until they are mended."""
    place: str = ""
    """File and line."""


BANK_COLUMNS = ["text", "label", "class", "kind", "about"]


class BankSample(msgspec.Struct, frozen=True):
    """One line of ``data/bank/*.csv``."""

    text: str
    abusive: bool
    harm: Harm | None
    kind: str
    """chat, comment, barrage, dm or forward."""
    about: str
    """Of an abusive line: ``plain``, or its disguise. Of a fine one: what it is an example of."""
    place: str = ""
    """File and line."""


def bank() -> list[BankSample]:
    """The lines of all files, in the order of their names. Raises ``ValueError`` for a row that is not as described."""
    found = []
    files = (file for file in resources.files("filters.data.bank").iterdir() if file.name.endswith(".csv"))
    for file in sorted(files, key=lambda one: one.name):
        rows = csv.reader(file.read_text(encoding="utf-8").splitlines(), strict=True)
        if next(rows) != BANK_COLUMNS:
            raise ValueError(f"{file.name}:1: the columns must be {','.join(BANK_COLUMNS)}")
        for row in rows:
            if len(row) != len(BANK_COLUMNS) or row[1] not in ("0", "1") or row[2] not in {"", *Harm}:
                raise ValueError(f"{file.name}:{rows.line_num}: not a line of the bank")
            text, label, harm, kind, about = row
            if (harm not in ("", Harm.DISTRESS)) != (label == "1"):
                raise ValueError(
                    f"{file.name}:{rows.line_num}: an abusive line has a class, a fine one none but distress"
                )
            place = f"{file.name}:{rows.line_num}"
            found.append(BankSample(text, label == "1", Harm(harm) if harm else None, kind, about, place))
    return found


def load() -> list[Sample]:
    """The bank, in the order of the file. Raises ``ValueError`` with the line for a row that is not as described."""
    content = (resources.files("filters.data") / "samples.csv").read_text(encoding="utf-8")
    rows = csv.reader(content.splitlines(), strict=True)
    if next(rows) != COLUMNS:
        raise ValueError(f"samples.csv:1: the columns must be {','.join(COLUMNS)}")
    return [_sample(row, rows.line_num) for row in rows]


def _sample(row: list[str], line: int) -> Sample:
    if len(row) != len(COLUMNS):
        raise ValueError(f"samples.csv:{line}: {len(COLUMNS)} columns expected, not {len(row)}")
    text, label, harm, caught = row
    if label not in ("0", "1") or caught not in ("yes", "no") or harm not in {"", *Harm}:
        raise ValueError(f"samples.csv:{line}: label is 0 or 1, class a class of harm or empty, caught yes or no")
    if (harm not in ("", Harm.DISTRESS)) != (label == "1"):
        raise ValueError(f"samples.csv:{line}: an abusive line has a class, a fine one none but distress")
    return Sample(text, label == "1", Harm(harm) if harm else None, caught == "yes", f"samples.csv:{line}")
