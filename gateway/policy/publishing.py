"""Announces compiled text data to every worker of every node that shares the store, and hears where it is in force."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gateway.settings import StateSettings
from gateway.state.engine import sync, url_on
from gateway.state.errors import PartitionsDiffer, StateError
from gateway.state.partitions import PARTITIONS_KEY, STREAM_LENGTH, Keys
from gateway.state.replica import Noun
from gateway.state.reports import in_force
from gateway.state.revisions import TEXT, Announcement, Revision, RevisionKeys
from gateway.state.scripts import CHANGE
from gateway.state.store import Store

if TYPE_CHECKING:  # it brings the compiler of the kernels along, for which who only rolls back need not wait
    from gateway.policy.compiling import Compiled

FOLDER = "policy"
"""Of the data directory: where compiled files lie."""
ANSWER_S = 10.0
"""How long announcing waits for the workers to open the new file."""


class NoSuchRevision(Exception):
    """There is no former revision to go back to, or none of that number. The operator's fault."""


class Published(msgspec.Struct, frozen=True):
    """What has become of an announcement."""

    revision: Revision
    in_force: int
    """On so many workers ..."""
    of: int
    """... of so many that live."""
    durable: bool
    """Whether the announcement is on the store's disk."""


class Publisher:
    """Made by `open_publisher`. Its methods raise `StoreUnavailable`."""

    def __init__(self, store: Store, keys: RevisionKeys, folder: Path) -> None:
        self._store = store
        self._keys = keys
        self._folder = folder

    async def announced(self) -> Announcement:
        """What was last announced."""
        stored = await self._store.command("HGET", self._keys.announced, TEXT)
        return msgspec.json.decode(stored, type=Announcement) if stored else Announcement()

    async def status(self) -> Published:
        """The revision announced, and where it is in force at this moment."""
        revision = (await self.announced()).current
        reached, of = await in_force(self._store, self._keys.in_force, revision.number, time.monotonic())
        return Published(revision, reached, of, durable=True)

    async def publish(self, compiled: Compiled) -> Published:
        """Put a compiled lexicon in force."""
        with self._alone():
            unnamed = self._folder / "unnamed.text"
            digest = compiled.write(unnamed)
            announcement = (await self.announced()).followed_by(digest, compiled.facts.terms, time.time())
            file = unnamed.replace(self._folder / announcement.current.file)
            _to_disk(file, self._folder)
            return await self._announce(announcement)

    async def roll_back(self, number: int | None = None) -> Published:
        """Put a former revision in force again (None: the one before); raises `NoSuchRevision`."""
        with self._alone():
            announced = await self.announced()
            known = {revision.number: revision for revision in announced.former}
            if number is None and announced.former:
                number = announced.former[0].number
            if number not in known:
                numbers = ", ".join(map(str, known)) or "none"
                wanted = "there is no former revision" if number is None else f"there is no revision {number}"
                raise NoSuchRevision(f"{wanted}; known: {numbers}")
            former = known[number]
            return await self._announce(announced.followed_by(former.digest, former.terms, time.time()))

    async def _announce(self, announcement: Announcement) -> Published:
        value = msgspec.json.encode(announcement)
        change = (STREAM_LENGTH, Noun.POLICY, TEXT, "set", value)
        _, durable = await self._store.run_durably(CHANGE, self._keys.change, change)
        revision = announcement.current
        reached, of = await in_force(self._store, self._keys.in_force, revision.number, time.monotonic() + ANSWER_S)
        if reached == of:
            self._sweep(announcement)
        return Published(revision, reached, of, durable)

    def _sweep(self, announcement: Announcement) -> None:
        """Remove files that nobody can ask for any more; who still has one mapped keeps it."""
        kept = {revision.file for revision in (announcement.current, *announcement.former)}
        for file in self._folder.glob("*.text"):
            if file.name not in kept:
                file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One change at a time: an announcement follows from the one before it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StateError(f"another change of the policy is under way ({self._folder})") from None
            yield


@contextlib.asynccontextmanager
async def open_publisher(settings: StateSettings) -> AsyncIterator[Publisher]:
    """A publisher over the store that the running gateway uses; raises `StateError` where there is none."""
    folder = Path(settings.data_dir) / FOLDER
    url = settings.url or url_on(settings.data_dir)
    embedded_sync = None if settings.url else functools.partial(sync, settings.data_dir)
    async with Store(url, embedded_sync) as store:
        stored = await store.command("GET", PARTITIONS_KEY)
        if stored and int(stored) != settings.partitions:
            raise PartitionsDiffer(int(stored), settings.partitions)
        yield Publisher(store, RevisionKeys(Keys(settings.partitions)), folder)


def _to_disk(*paths: Path) -> None:
    """Wait until files and folders are on the disk: what is announced must be there after a power cut."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
