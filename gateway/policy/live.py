"""The rules in force on this worker, and how they change while messages pass."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from filters.artifact import Artifact, ArtifactError
from filters.scanner import Scanner
from gateway import telemetry
from gateway.policy.compiling import TextFacts
from gateway.state.errors import StoreUnavailable
from gateway.state.revisions import FIRST, Announcement, Revision
from protection.rules import Rules

RETRY_S = 2.0
"""The pause before a file that could not be used, or a report that could not be made, is tried again."""

log = logging.getLogger(__name__)


class LiveRules:
    """Called, it answers the rules in force. Others take their place by one assignment.

    The file of a new revision (terms and thresholds) is opened, checked and warmed up in a thread, while messages are
    judged by the old rules; a message that is being judged meanwhile ends with those it began with. The content model
    is the same in all of them, and warm. A file that cannot be used changes nothing: it is tried again, and this worker
    does not report its revision.
    """

    def __init__(
        self,
        base: Rules,
        folder: Path,
        announced: Callable[[], Announcement | None],
        report: Callable[[int], Awaitable[None]],
    ) -> None:
        """``base``: in force until something is announced. ``report``: tells which revision this worker judges by."""
        self._base = base
        self._rules = base
        self._folder = folder
        self._announced = announced
        self._report = report
        self._woken = asyncio.Event()
        self._refused = -1
        self.revision = FIRST

    def __call__(self) -> Rules:
        """The rules in force now."""
        return self._rules

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
            rules = await asyncio.to_thread(self._open, revision)
        except ArtifactError as error:
            if self._refused != revision.number:  # once, not at every retry
                log.error("text-revision-refused", extra={"fields": {"revision": revision.number, "why": str(error)}})
            self._refused = revision.number
            return False
        self._rules, self.revision = rules, revision
        telemetry.TEXT_REVISION.set(revision.number)
        log.info("text-revision", extra={"fields": {"revision": revision.number, "terms": revision.terms}})
        return True

    def _open(self, revision: Revision) -> Rules:
        if not revision.digest:
            return self._base
        file = self._folder / revision.file
        opened = Artifact.open(file)
        if opened.digest != revision.digest:
            raise ArtifactError(file, "this is not the file that was announced")
        scanner = Scanner.from_artifact(opened)
        scanner.warm_up()
        policy = self._base.policy
        if sensitivity := opened.metadata(TextFacts).sensitivity:
            policy = msgspec.structs.replace(policy, sensitivity=sensitivity)
        return Rules(self._base.reader.with_scanner(scanner), policy)
