"""The classification standard (requirement W1; notice 1.1): what each class of harm is, and what it leads to.

One TOML file per class, made to be read and argued about, and ``standard.toml`` with the version. It is the one source
of the default dispositions: ``protection.policy`` reads its ladders here. ``docs/standard.md`` is rendered from it by
``python -m filters.standard.render``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal, TypeVar

import msgspec

from filters.classes import Harm
from filters.hits import Severity

T = TypeVar("T")

DispositionWord = Literal["allow", "nudge", "mask", "hide", "hold", "reject", "disconnect"]
"""The dispositions by name; what they mean is ``protection.verdicts.Disposition``'s to say."""


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in Chinese and English."""

    zh: str
    en: str


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a severity means in one class, and what a hit of it leads to by default."""

    disposition: DispositionWord
    zh: str
    en: str


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The severities of one class."""

    mild: Step
    serious: Step
    severe: Step

    def __getitem__(self, severity: Severity) -> Step:
        """The step of a severity."""
        return (self.mild, self.serious, self.severe)[severity - 1]


class Lines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts in Chinese and in English, not translations of each other."""

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        """All of them."""
        return iter((*self.zh, *self.en))


class ClassStandard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The standard for one class."""

    harm: Harm = msgspec.field(name="class")
    articles: tuple[str, ...]
    """Of the notice: article and paragraph, or ``preamble``."""
    name: Wording
    definition: Wording
    severity: Scale
    examples: Lines
    """Of this class; the shipped filters raise a hit of it in each."""
    counter_examples: Lines
    """Not of this class nor any other; the shipped filters raise no hit of it."""
    missed: Lines = Lines()
    """Of this class too, but the shipped filters do not see it yet."""
    false_alarms: Lines = Lines()
    """Not of this class, yet the shipped filters still take it for that."""


class Standard(msgspec.Struct, frozen=True):
    """The whole standard: every class, in the order of ``Harm``."""

    version: str
    revised: datetime.date
    classes: dict[Harm, ClassStandard]


class _Revision(msgspec.Struct, forbid_unknown_fields=True):
    version: str
    revised: datetime.date


@cache
def shipped() -> Standard:
    """The standard in the package. Raises ``ValueError`` with the file's name where it is not as described."""
    folder = resources.files("filters.standard")
    revision = _read(folder / "standard.toml", _Revision)
    classes = {harm: _read(folder / f"{harm}.toml", ClassStandard) for harm in Harm}
    for harm, standard in classes.items():
        if standard.harm is not harm:
            raise ValueError(f'{harm}.toml: describes the class "{standard.harm}"')
    return Standard(revision.version, revision.revised, classes)


def _read(file: Traversable, kind: type[T]) -> T:
    try:
        return msgspec.toml.decode(file.read_text(encoding="utf-8"), type=kind)
    except msgspec.DecodeError as error:
        raise ValueError(f"{file.name}: {error}") from error
