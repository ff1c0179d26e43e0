"""Finds private data in a text: the gate, then the rules of the families that it names, then one finding per place."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from filters.classes import Harm
from filters.folding import GHOST
from filters.hits import Hit, Severity
from filters.private import gate
from filters.private.findings import Finding
from filters.private.handles import find_handles, find_mail, find_plates
from filters.private.numbers import find_numbers
from filters.private.places import find_chinese, find_english
from filters.private.symbols import spell, view_codes

SEVERITY = {
    "id-cn": Severity.SEVERE,
    "ssn": Severity.SEVERE,
    "card": Severity.SEVERE,
    "address-cn": Severity.SEVERE,
    "address-en": Severity.SEVERE,
    "phone-cn": Severity.SERIOUS,
    "phone-en": Severity.SERIOUS,
    "wechat": Severity.SERIOUS,
    "qq": Severity.SERIOUS,
    "email": Severity.SERIOUS,
    "plate-cn": Severity.SERIOUS,
}
"""By the harm that publishing does. What a person cannot change (ID numbers), what is money (cards), and what leads to
their door (addresses with a house number) should be seen by a human; by the rest they are reached, and it must not
arrive. Policy masks or refuses both."""

_URL = re.compile(
    r"(?:https?://|www\.)[^\s\u2e80-\uffff]+|[a-z0-9\-.]{1,64}\.(?:com|cn|net|org|io|tv|gg|me|co)/[^\s\u2e80-\uffff]*"
)
_HIDDEN = "\\"


class View(msgspec.Struct, frozen=True):
    """A text as the rules read it, without what is not seen, and the way back."""

    text: str
    cased: str
    """The same places in the original's case."""
    places: list[int] | None
    """The offset of each character in the original; None where nothing was left out."""

    @classmethod
    def of(cls, text: str) -> View:
        """The view of a text."""
        view = text.translate(view_codes())
        if GHOST not in view:
            return cls(_without_urls(view), text, None)
        places = [place for place, char in enumerate(view) if char != GHOST]
        cased = "".join(text[place] for place in places)
        return cls(_without_urls(view.replace(GHOST, "")), cased, places)

    def hit(self, finding: Finding) -> Hit:
        """A finding as a hit in the original."""
        start, end, kind = finding.start, finding.end, finding.kind
        if self.places is not None:
            start, end = self.places[start], self.places[end - 1] + 1
        return Hit(Harm.PRIVACY, start, end, SEVERITY[kind], "private", kind)


def find(text: str) -> tuple[Hit, ...]:
    """The private data in a text, ordered by place, none inside another.

    Any ``str``, lone surrogates too. Time is linear in its length. ``why`` is the kind (the keys of ``SEVERITY``), the
    view is ``private``.
    """
    try:
        bits = gate.bits_of(text.encode())
    except UnicodeEncodeError:
        bits = gate.bits_of(text.encode("utf-8", "surrogatepass"))
    if not bits:
        return ()
    view = View.of(text)
    findings = list(_findings(view, bits))
    if not findings:
        return ()
    return tuple(map(view.hit, widest(findings) if len(findings) > 1 else findings))


def _findings(view: View, bits: int) -> Iterator[Finding]:
    """What the rules of the families in ``bits`` find, in no order."""
    if bits & gate.NUMBER:
        yield from find_numbers(view.text)
    if bits & gate.SPELLED:
        yield from find_numbers(spell(view.text))
    if bits & gate.MAIL:
        yield from find_mail(view.text)
    if bits & gate.HANDLE:
        yield from find_handles(view.text)
    if bits & gate.PLATE:
        yield from find_plates(view.text)
    if bits & gate.ADDRESS_CN:
        yield from find_chinese(view.text)
    if bits & gate.ADDRESS_EN:
        yield from find_english(view.text, view.cased)


def widest(findings: list[Finding]) -> list[Finding]:
    """The findings by place; of two that overlap, the one that begins first, or else is longer, or was found first."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept


def _without_urls(view: str) -> str:
    """The view with the addresses of pages blanked: their digits are nobody's."""
    if "/" not in view and "www" not in view:
        return view
    return _URL.sub(lambda match: _HIDDEN * len(match[0]), view)
