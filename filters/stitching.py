"""Stitching: abuse sent one character, or one word, per message (requirements S1, S3).

Each short message is set behind the short messages before it, and the line that this makes is scanned like any text.
Two lines are kept: one of each sender towards one place, and one of each room, in which several senders may take turns.
A long message ends both, for nobody reads on across it; one without letters (``？``, an emoji) is not even a gap.

Pure: time is an argument, the state is bounded, and what was used least recently is forgotten first. A line's scan is
the scan of its words joined by spaces, no more and no less: words of Chinese join across spaces, Latin letters do where
all is spelled out, and Latin words where the term has a space (``filters.reading``).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Protocol

import msgspec

from filters.classes import Harm
from filters.hits import Hit, Scan

GAP_S = 10.0
"""Seconds after which the next message begins a new line."""
LONGEST_LINE = 32
"""Code points of a line; what is older is cut off. It bounds what a scan of a line costs."""
LINES = 20_000
"""How many lines are kept of each of the two sorts; a full line takes about two kilobytes."""

VIEW = "stitched"
"""The view of hits that span several messages."""

_SHORT = re.compile(r"[\W_]*+(\w{1,4}|[A-Za-z]{5,12})[\W_]*+")
"""At most four letters of any script, or one word of Latin letters, among anything that is no letter."""
_LETTER = re.compile(r"[^\W_]")


class Source(msgspec.Struct, frozen=True, gc=False):
    """Where a word of a line comes from."""

    sender: str
    message: str
    """The id of the message."""


class Stitched(msgspec.Struct, frozen=True):
    """Abuse that a message completes."""

    hit: Hit
    """Found in the ``stitched`` view; its offsets cover the whole of the completing message."""
    text: str
    """What the messages say together."""
    sources: tuple[Source, ...]
    """The messages that took part, oldest first; the last is the completing one."""
    score: float
    """The score of the line."""


class Scans(Protocol):
    """What stitching needs of ``filters.scanner.Scanner``."""

    def may_hold_terms(self, text: str) -> bool:
        """Might `scan_terms` find something?"""

    def scan_terms(self, text: str) -> Scan:
        """Find the terms in a text."""


class Line(msgspec.Struct, gc=False):
    """Short messages in a row: their words, joined by spaces, and the source of each."""

    text: str
    sources: list[Source]
    last: float
    """When the last of them was sent, in seconds."""

    def add(self, word: str, source: Source, now: float) -> None:
        """Set a word behind the others."""
        text = f"{self.text} {word}" if self.sources else word
        self.sources.append(source)
        self.last = now
        while len(text) > LONGEST_LINE:
            text = text.partition(" ")[2]
            del self.sources[0]
        self.text = text

    def completed(self, scanner: Scans, word: str, source: Source) -> list[Stitched]:
        """What the word would complete if it were set behind the others: it takes part, and so does an earlier one."""
        if not self.sources:
            return []
        text = f"{self.text} {word}"
        scan = scanner.scan_terms(text)
        found = []
        for hit in scan.hits:
            if hit.view == "raw" and hit.start < len(self.text) < hit.end:
                sources = (*self.sources[text.count(" ", 0, hit.start) :], source)
                stitched = msgspec.structs.replace(hit, view=VIEW)
                found.append(Stitched(stitched, text[hit.start : hit.end], sources, scan.score))
        return found


class Stitcher:
    """The lines of all senders and rooms that one process sees. Not safe for threads: one event loop feeds it."""

    def __init__(self, gap_s: float = GAP_S, lines: int = LINES) -> None:
        self._of_senders = _Lines(gap_s, lines)
        self._of_rooms = _Lines(gap_s, lines)

    def feed(
        self, scanner: Scans, text: str, now: float, *, sender: str, room: str = "", target: str = "", message: str = ""
    ) -> list[Stitched]:
        """Take one message, with the id ``message``, at ``now`` (seconds); returns what it completes.

        A message that completes something is not kept: it is taken to be refused, and what stood before it waits on.
        """
        place = room or target
        short = _SHORT.fullmatch(text)
        if short is None:
            if _LETTER.search(text):
                self.end(sender=sender, room=room, target=target)
            return []
        word, source = short[1], Source(sender, message)
        own = self._of_senders.line((sender, place), now)
        shared = self._of_rooms.line((room, ""), now) if room else own
        if self._may_complete(scanner, own, shared, word):
            found = own.completed(scanner, word, source)
            if not found and shared.text != own.text:
                relayed = shared.completed(scanner, word, source)
                found = [each for each in relayed if each.hit.harm is not Harm.DISTRESS]  # nobody's own distress
            if found:
                return [_over(each, len(text)) for each in found]
        own.add(word, source, now)
        if shared is not own:
            shared.add(word, source, now)
        return []

    def end(self, *, sender: str, room: str = "", target: str = "") -> None:
        """A long message has passed here, which nobody reads on across."""
        self._of_senders.end((sender, room or target))
        self._of_rooms.end((room, ""))

    def _may_complete(self, scanner: Scans, own: Line, shared: Line, word: str) -> bool:
        """Is there anything at all in either line with the word behind it? One look at both, a line break between."""
        if not shared.sources:
            return bool(own.sources)
        lines = f"{shared.text} {word}"
        if own.sources and own.text != shared.text:
            lines = f"{lines}\n{own.text} {word}"
        return scanner.may_hold_terms(lines)


def with_stitched(scan: Scan, found: list[Stitched]) -> Scan:
    """The scan of a message, with what the message completes."""
    if not found:
        return scan
    hits = (*scan.hits, *(each.hit for each in found))
    return Scan(hits, max(scan.score, *(each.score for each in found)))


def _over(stitched: Stitched, length: int) -> Stitched:
    hit = msgspec.structs.replace(stitched.hit, start=0, end=length)
    return msgspec.structs.replace(stitched, hit=hit)


class _Lines:
    """Lines by key, each begun anew after a gap; beyond a number of them, the least recently used is dropped."""

    def __init__(self, gap_s: float, most: int) -> None:
        self._gap_s = gap_s
        self._most = most
        self._lines: OrderedDict[tuple[str, str], Line] = OrderedDict()

    def line(self, key: tuple[str, str], now: float) -> Line:
        """The line at this key to which a message sent now belongs."""
        line = self._lines.get(key)
        if line is not None and now - line.last <= self._gap_s:
            self._lines.move_to_end(key)
            return line
        self._lines[key] = line = Line("", [], now)
        self._lines.move_to_end(key)
        if len(self._lines) > self._most:
            self._lines.popitem(last=False)
        return line

    def end(self, key: tuple[str, str]) -> None:
        """Drop the line at this key, if there is one."""
        self._lines.pop(key, None)
