"""The scanner in force on this worker, and how it changes while messages pass."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from filters.artifact import Artifact, ArtifactError
from filters.scanner import Scanner
from gateway import telemetry
from gateway.state.errors import StoreUnavailable
from gateway.state.revisions import FIRST, Announcement, Revision

RETRY_S = 2.0
"""The pause before a file that could not be used, or a report that could not be made, is tried again."""

log = logging.getLogger(__name__)


class LiveScanner:
    """Called, it answers the scanner in force. Another takes its place by one assignment.

    The file of a new revision is opened, checked and warmed up in a thread, while messages are judged by the old
    scanner; a message that is being judged meanwhile ends with the one it began with. A file that cannot be used
    changes nothing: it is tried again, and this worker does not report its revision.
    """

    def __init__(
        self,
        base: Scanner,
        folder: Path,
        announced: Callable[[], Announcement | None],
        report: Callable[[int], Awaitable[None]],
    ) -> None:
        """``base``: in force until something is announced. ``report``: tells which revision this worker scans with."""
        self._base = base
        self._scanner = base
        self._folder = folder
        self._announced = announced
        self._report = report
        self._woken = asyncio.Event()
        self._refused = -1
        self.revision = FIRST

    def __call__(self) -> Scanner:
        """The scanner in force now."""
        return self._scanner

    def wake(self) -> None:
        """Something was announced."""
        self._woken.set()

    async def follow(self) -> None:
        """Put in force whatever is announced, until cancelled."""
        while True:
            self._woken.clear()
            settled = await self.settle()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), None if settled else RETRY_S)

    async def settle(self) -> bool:
        """Bring what was announced last in force, and report it; whether both were possible."""
        wanted = self._wanted()
        if wanted != self.revision and not await self._adopt(wanted):
            return False
        try:
            await self._report(self.revision.number)
        except StoreUnavailable:
            return False
        return True

    def _wanted(self) -> Revision:
        """A store that has forgotten what was announced changes nothing."""
        announcement = self._announced()
        return announcement.current if announcement else self.revision

    async def _adopt(self, revision: Revision) -> bool:
        try:
            scanner = await asyncio.to_thread(self._open, revision)
        except ArtifactError as error:
            if self._refused != revision.number:  # once, not at every retry
                log.error("text-revision-refused", extra={"fields": {"revision": revision.number, "why": str(error)}})
            self._refused = revision.number
            return False
        self._scanner, self.revision = scanner, revision
        telemetry.TEXT_REVISION.set(revision.number)
        log.info("text-revision", extra={"fields": {"revision": revision.number, "terms": revision.terms}})
        return True

    def _open(self, revision: Revision) -> Scanner:
        if not revision.digest:
            return self._base
        file = self._folder / revision.file
        opened = Artifact.open(file)
        if opened.digest != revision.digest:
            raise ArtifactError(file, "this is not the file that was announced")
        scanner = Scanner.from_artifact(opened)
        scanner.warm_up()
        return scanner
