"""How many hits survive a disguise: ``python -m filters.views.survival FILE.csv [--derived] [--clean CLEAN.csv]``.

FILE has the columns ``kind``, ``text`` (disguised), ``original`` and ``label`` (0: benign, not disguised). For each
kind: how many of the terms found in the originals are found in the disguised texts, too; and what the views find in
benign texts where the raw view finds nothing. ``--clean`` adds a file of clean texts (column ``text``).

``--derived`` takes the less usual words of the originals for terms instead of the shipped lexicon: where the lexicon
finds little in FILE, that tells more about the views. The words live for the run only.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path

from filters.classes import Harm
from filters.folding import Folding
from filters.hits import Severity
from filters.lexicon import Lexicon, Term
from filters.scanner import Scanner
from filters.views.evidence import View
from filters.views.words import LONGEST, Words

UNUSUAL = 9.5
"""The least cost of a word that is taken for a term."""


def derived(originals: Iterable[str]) -> Lexicon:
    """The unusual words of some texts as terms."""
    fold = Folding.shipped().fold
    words = {word for text in originals for run in re.findall("[\u4e00-\u9fff]+", fold(text)) for word in _split(run)}
    chosen = sorted(word for word in words if len(word) > 1 and Words.shipped().chinese[word] >= UNUSUAL)
    return Lexicon(tuple(Term(word, Harm.INSULT, Severity.MILD, (), "derived", 0) for word in chosen))


def _split(run: str) -> list[str]:
    """The cheapest reading of a run of Chinese characters as words."""
    words = Words.shipped()
    best: list[tuple[float, list[str]]] = [(0.0, [])]
    for end in range(1, len(run) + 1):
        options = []
        for start in range(max(end - LONGEST, 0), end):
            word = run[start:end]
            if len(word) == 1 or word in words.chinese:
                cost, before = best[start]
                options.append((cost + words.of_token(word), [*before, word]))
        best.append(min(options))
    return best[-1][1]


def survival(scanner: Scanner, rows: Iterable[dict[str, str]]) -> dict[str, dict[str, float]]:
    """By kind: texts with terms in the original, terms found there, of which found in the disguise, and their share."""
    kinds: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["label"] == "0":
            continue
        terms = {hit.why for hit in scanner.scan(row["original"]).hits if hit.view == View.RAW}
        found = {hit.why for hit in scanner.scan(row["text"]).hits}
        kind = kinds.setdefault(row["kind"], {"texts": 0, "terms": 0, "found": 0})
        kind["texts"] += bool(terms)
        kind["terms"] += len(terms)
        kind["found"] += len(terms & found)
    return {name: kind | {"share": round(kind["found"] / max(kind["terms"], 1), 3)} for name, kind in kinds.items()}


def new_hits(scanner: Scanner, texts: Iterable[str]) -> dict[str, list[str]]:
    """By view: the terms that it alone finds in texts where the raw view finds nothing."""
    found: dict[str, list[str]] = {}
    for text in texts:
        hits = scanner.scan(text).hits
        if any(hit.view == View.RAW for hit in hits):
            continue
        for hit in hits:
            found.setdefault(str(hit.view), []).append(f"{hit.why} <- {text[hit.start : hit.end]}")
    return found


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(prog="python -m filters.views.survival")
    parser.add_argument("file", type=Path)
    parser.add_argument("--derived", action="store_true")
    parser.add_argument("--clean", type=Path, action="append", default=[])
    arguments = parser.parse_args()
    rows = _rows(arguments.file)
    scanner = Scanner.shipped()
    if arguments.derived:
        scanner = Scanner(derived(row["original"] for row in rows if row["kind"] == "base"))
    clean = {"benign": [row["text"] for row in rows if row["label"] == "0"]}
    clean |= {file.name: [row["text"] for row in _rows(file)] for file in arguments.clean}
    report = {
        "survival": survival(scanner, rows),
        "new hits in clean texts": {name: new_hits(scanner, texts) for name, texts in clean.items()},
    }
    print(json.dumps(report, ensure_ascii=False, indent=2))


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


if __name__ == "__main__":
    main()
