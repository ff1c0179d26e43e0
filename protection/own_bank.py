"""A platform's own sample bank (requirement W2): what moderators and appeals have decided, beside the shipped samples.

A bank is a CSV file of `COLUMNS`, which are its format. It grows by imports; every sample tells who decided, when, from
which line of which file it came, and in which revision of the bank: the first import makes revision 1.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from filters import private
from filters.classes import Harm
from filters.near_duplicates import NearDuplicates
from filters.samples import BANK_COLUMNS, BankSample
from protection.events import Kind
from protection.pipeline import MASK_CHARACTER

GIVEN = ["text", "decision", "class", "kind", "language", "decided_by", "decided_at"]
"""What each decision to import must say."""
COLUMNS = [*BANK_COLUMNS, "language", "decision", "decided_by", "decided_at", "origin", "revision"]
"""Of a bank: those of the shipped one, then where a sample comes from."""
LANGUAGES = ("zh", "en")
SHORTEST, LONGEST = 2, 300
"""Code points of a sample's text, as in the shipped bank."""

_OPAQUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Decision(StrEnum):
    """What a human has decided of one message."""

    VIOLATION = "violation"
    NO_VIOLATION = "no-violation"
    APPEAL_UPHELD = "appeal-upheld"
    """The sender was right: the message is fine."""
    APPEAL_REJECTED = "appeal-rejected"
    """The measure stands: the message is abusive."""

    @property
    def abusive(self) -> bool:
        """Is the message abusive?"""
        return self in (Decision.VIOLATION, Decision.APPEAL_REJECTED)


class OwnSample(msgspec.Struct, frozen=True):
    """One line of an own bank."""

    text: str
    """Without private data that `filters.private` finds: each of its characters is a `MASK_CHARACTER`."""
    harm: Harm | None
    """Of an abusive text its class; of a fine one None, or DISTRESS."""
    kind: Kind
    language: str
    decision: Decision
    decided_by: str
    """An id that means something to the platform alone."""
    decided_at: datetime
    origin: str
    """File and line of the decision."""
    revision: int
    """Of the bank: that in which the sample came, or was decided anew."""

    @property
    def sample(self) -> BankSample:
        """As a line of the shipped bank."""
        about = "appeal" if self.decision in (Decision.APPEAL_UPHELD, Decision.APPEAL_REJECTED) else "moderation"
        return BankSample(self.text, self.decision.abusive, self.harm, self.kind.value, about)


class Fault(ValueError):
    """A row that does not say what it must; the fault is its writer's."""


def decided(cells: Mapping[str, str], origin: str, revision: int) -> OwnSample:
    """A decision (the cells of `GIVEN`; others are not read) as a sample. Raises `Fault` with all that is wrong."""
    faults = list(_faults(cells))
    if faults:
        raise Fault("; ".join(faults))
    return OwnSample(
        text=without_private_data(" ".join(cells["text"].split())),
        harm=Harm(cells["class"]) if cells["class"] else None,
        kind=Kind(cells["kind"]),
        language=cells["language"],
        decision=Decision(cells["decision"]),
        decided_by=cells["decided_by"],
        decided_at=_moment(cells["decided_at"]),
        origin=origin,
        revision=revision,
    )


def _faults(cells: Mapping[str, str]) -> Iterator[str]:
    sorts: tuple[tuple[str, Iterable[str]], ...] = (
        ("decision", Decision),
        ("class", ("", *Harm)),
        ("kind", Kind),
        ("language", LANGUAGES),
    )
    wrong = {name for name, known in sorts if cells[name] not in set(known)}
    for name, known in sorts:
        if name in wrong:
            yield f'{name} "{cells[name]}" is none of {", ".join(filter(None, known))}'
    if not wrong & {"decision", "class"}:
        abusive = Decision(cells["decision"]).abusive
        if abusive != (cells["class"] not in ("", Harm.DISTRESS)):
            yield "what is abusive has a class, what is fine has none but distress"
    if not _OPAQUE.fullmatch(cells["decided_by"]) or private.find(cells["decided_by"]):
        yield "decided_by is no opaque id (up to 64 letters, digits, dots, dashes, underscores, no phone number)"
    try:
        _moment(cells["decided_at"])
    except (ValueError, OverflowError):
        yield f'decided_at "{cells["decided_at"]}" is no time in ISO 8601 with a time zone'


def _moment(written: str) -> datetime:
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC).replace(microsecond=0)


def without_private_data(text: str) -> str:
    """The text with every character masked of what `filters.private` finds."""
    while hits := private.find(text):
        characters = list(text)
        for hit in hits:
            characters[hit.start : hit.end] = MASK_CHARACTER * (hit.end - hit.start)
        masked = "".join(characters)
        if masked == text:
            break
        text = masked
    return text


class Merged(msgspec.Struct):
    """A bank after an import, and what has become of each decision."""

    samples: list[OwnSample]
    added: int = 0
    anew: int = 0
    """Texts of the bank on which there is a later decision."""
    known: int = 0
    """Texts of the bank on which it has this decision, or a later one."""
    refused: list[str] = []
    """Why a decision was not taken, each with its origin."""

    @property
    def changed(self) -> bool:
        """Is the bank another one now?"""
        return bool(self.added or self.anew)


def merge(bank: Sequence[OwnSample], shipped: Iterable[tuple[str, str]], decisions: Iterable[OwnSample]) -> Merged:
    """Add decisions to a bank, each text once, and none that is nearly another one or a shipped one.

    ``shipped``: texts, each with the name of the place where it stands.
    Merging the same decisions again changes nothing.
    """
    merged = Merged(list(bank), refused=[])
    index = NearDuplicates()
    places = {index.add(text): place for text, place in shipped}
    of_text = {}
    for number, known in enumerate(merged.samples):
        places[index.add(known.text)] = known.origin
        of_text[_said(known.text)] = number
    for one in decisions:
        at = of_text.get(_said(one.text))
        if at is not None:
            _decide_anew(merged, at, one)
        elif reason := _unfit(one, index, places):
            merged.refused.append(f"{one.origin}: {reason}")
        else:
            places[index.add(one.text)] = one.origin
            of_text[_said(one.text)] = len(merged.samples)
            merged.samples.append(one)
            merged.added += 1
    return merged


def _said(text: str) -> str:
    return " ".join(text.split()).casefold()


def _decide_anew(merged: Merged, at: int, one: OwnSample) -> None:
    """A decision on a text that the bank has: the latest stands, also where it says the same.

    If it did not, a decision from between the two would be taken for the latest.
    """
    known = merged.samples[at]
    if one.decided_at > known.decided_at:
        merged.samples[at] = one
        merged.anew += 1
    elif one.decided_at < known.decided_at or (one.sample.abusive, one.harm) == (known.sample.abusive, known.harm):
        merged.known += 1
    else:
        merged.refused.append(f"{one.origin}: {known.origin} decided otherwise at the same time")


def _unfit(one: OwnSample, index: NearDuplicates, places: Mapping[int, str]) -> str:
    """Why a text cannot be a sample; empty where it can."""
    if not SHORTEST <= len(one.text) <= LONGEST:
        return f"{len(one.text)} characters; a sample has {SHORTEST} to {LONGEST}"
    if not any(char.isalnum() for char in one.text):
        return "no letter is left without private data"
    near = index.find(one.text)
    return "" if near is None else f"nearly the same as {places[near]}"


def written(bank: Sequence[OwnSample]) -> str:
    """The content of a bank's file."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in bank:
        sample, moment = one.sample, one.decided_at.isoformat().replace("+00:00", "Z")
        shipped = (sample.text, int(sample.abusive), sample.harm or "", sample.kind, sample.about)
        writer.writerow((*shipped, one.language, one.decision, one.decided_by, moment, one.origin, one.revision))
    return lines.getvalue()


def stored(cells: Mapping[str, str]) -> OwnSample:
    """One line of a bank's file, by its columns. Raises `Fault` for what `written` would not have written."""
    if not cells["revision"].isdecimal() or not int(cells["revision"]):
        raise Fault(f'revision "{cells["revision"]}" is no number from 1 on')
    found = decided(cells, cells["origin"], int(cells["revision"]))
    as_written = next(csv.DictReader(io.StringIO(written([found]))))
    as_written["text"] = cells["text"]  # what was not taken for private data in former times is masked now
    if differing := [name for name in COLUMNS if as_written[name] != cells[name]]:
        raise Fault(f"{', '.join(differing)} should read {', '.join(as_written[name] for name in differing)}")
    return found
