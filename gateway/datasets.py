"""Data sets: the labelled files that training reads, each with the columns and labels that it has (``--data DIR``)."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from filters import samples, standard
from filters.classes import Harm
from filters.lexicon import Lexicon
from filters.model.rewriting import group_names
from filters.model.training import Example
from filters.samples import BankSample
from gateway import bank

Row = Mapping[str, str]


def _labelled(source: str, column: str, hostile: frozenset[str], key: str = "") -> Callable[[Row], Iterator[Example]]:
    def read(row: Row) -> Iterator[Example]:
        yield Example(row["text"], row[column] in hostile, None, source, row.get(key, ""))

    return read


def _contrast(row: Row) -> Iterator[Example]:
    """Pairs that differ in little: both have the lesser text as their key."""
    key = min(row["text"], row["matched_text"] or row["text"])
    yield Example(row["text"], row["label_gold"] == "1", None, "contrast", key)


def _spans(row: Row) -> Iterator[Example]:
    """The words that were marked are hostile, what is left of the comment is not."""
    text, marked = row["text"], set(json.loads(row["spans"]))
    pieces: list[tuple[bool, str]] = []
    for place, char in enumerate(text):
        toxic = place in marked
        if pieces and pieces[-1][0] == toxic:
            pieces[-1] = toxic, pieces[-1][1] + char
        else:
            pieces.append((toxic, char))
    for toxic, piece in pieces:
        if toxic and piece.strip():
            yield Example(piece, True, None, "spans", text)
    rest = " ".join(piece for toxic, piece in pieces if not toxic).strip()
    if rest:
        yield Example(rest, False, None, "spans", text)


READERS: dict[str, Callable[[Row], Iterator[Example]]] = {
    "zh_cold_train.csv": _labelled("group", "label", frozenset("1")),
    "zh_cold_dev.csv": _labelled("group", "label", frozenset("1")),
    "zh_hedcold_homophone_traindev.csv": _labelled("group-respelled", "label", frozenset("1"), "original"),
    "en_davidson_train.csv": _labelled("tweets", "class", frozenset("01")),
    "en_surge_toxicity.csv": _labelled("comments", "is_toxic", frozenset({"Toxic"})),
    "en_hatemojibuild_trainval.csv": _contrast,
    "en_toxicspans_train.csv": _spans,
}
"""What may train the weights that ship, by the name of the file. Other files of the folder are not read."""


def load(folder: Path, without: Iterable[str] = (), banks: Iterable[Path] = ()) -> list[Example]:
    """All examples: the files of the folder that are known, in the order of `READERS`, the project's own, an own bank.

    ``without``: names of files to leave out; ``bank`` stands for the sample bank. ``banks``: a platform's own, files
    or folders. Raises ``OSError`` where a file of the folder cannot be read, and for a bank what `bank.read` raises.
    """
    left_out = set(without)
    found: list[Example] = []
    for name, read in READERS.items():
        if name not in left_out and (folder / name).exists():
            with (folder / name).open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    found += read(row)
    found += own(with_bank="bank" not in left_out)
    return found + [of_bank(one.sample) for file in banks for one in bank.read(file)]


def of_bank(sample: BankSample) -> Example:
    """A line of a sample bank, the shipped one or a platform's own."""
    return Example(sample.text, sample.abusive, sample.harm, "bank", about=sample.about)


def own(with_bank: bool = True) -> Iterator[Example]:
    """What was written for the project: the sample bank, the examples of the standard, the lexicon."""
    if with_bank:
        for sample in samples.bank():
            yield of_bank(sample)
        for harm, entry in standard.shipped().classes.items():
            for language in (entry.examples, entry.counter_examples):
                for text in (*language.zh, *language.en):
                    hostile = language is entry.examples and harm is not Harm.DISTRESS
                    yield Example(text, hostile, harm if language is entry.examples else None, "bank")
    for name in group_names():
        yield Example(name, False, None, "names")
    for term in Lexicon.shipped().terms:
        yield Example(term.text, term.harm is not Harm.DISTRESS, term.harm, "words")
        for phrase in term.allow:
            yield Example(phrase, False, None, "words")
