"""Shared state as the rest of the gateway sees it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

import msgspec

from gateway.platform_circle import PlatformCircle
from gateway.settings import StateSettings
from gateway.state.blocked import BlockedLists
from gateway.state.casebook import Casebook
from gateway.state.changes import Applied, Changes, Once
from gateway.state.clock import StoreClock
from gateway.state.dms import read_account
from gateway.state.engine import sync
from gateway.state.errors import StoreUnavailable
from gateway.state.loading import Loader
from gateway.state.partitions import WORKERS_KEY, Keys, encode
from gateway.state.passes import Pass
from gateway.state.reader import Reader
from gateway.state.replica import Change, Noun, Replica, read_blocklist
from gateway.state.revisions import TEXT, Announcement, RevisionKeys
from gateway.state.scripts import BEAT
from gateway.state.store import Store
from protection.blocklist import Blocked, Blocklist
from protection.cases import Case, Incident
from protection.circle import CIRCLE, STRANGER, Tie
from protection.dm_rules import Account, DmRules
from protection.events import Event
from protection.modes import DEFAULT_SLOW_S, Room, RoomMode
from protection.notices import Notice
from protection.policy import Limits, Policy
from protection.protections import Protection
from protection.sanctions import Measure, Sanction
from protection.snapshot import Snapshot
from ratelimit.rate import Rate

FIRST_LOAD_S = 2.0
"""How long opening waits for the replica to be loaded; without a store it goes on unloaded."""


class StateStatus(msgspec.Struct, frozen=True):
    """How state is at the moment, for readiness.

    ``loaded`` says whether the replica has ever been complete; ``fresh`` whether it is younger than its deadline, and
    ``age_s`` how old it is (None: never loaded). ``version`` and ``run_id`` are the store's, "" before it was reached.
    """

    connected: bool
    loaded: bool
    fresh: bool
    age_s: float | None
    version: str
    run_id: str
    workers: int


class State:
    """Everything shared: made by `open_state`."""

    def __init__(
        self,
        store: Store,
        settings: StateSettings,
        policy: Callable[[], Policy],
        worker: str,
        platform: PlatformCircle | None = None,
    ) -> None:
        keys = Keys(settings.partitions)
        self.store = store
        self.clock = StoreClock(time.time(), time.monotonic())
        self.replica = Replica(keys)
        self.reader = Reader(
            store, keys, self.replica, self.clock, worker, settings.staleness_s, self._changed, self._image_taken
        )
        self._blocked = BlockedLists(self.replica)
        self._loader = Loader(
            store, keys, self.replica, self.reader, self.clock, settings.staleness_s, policy, self._blocked, platform
        )
        self._changes = Changes(store, keys, self.reader, self.replica, self.now)
        self._casebook = Casebook(store, policy)
        self._listeners: list[Callable[[Change], None]] = []
        self._keys = keys
        self._platform = platform
        self._worker = worker

    # -- reading

    async def load(self, event: Event) -> Snapshot:
        """What the decision on an event sees. At most one wait on the store; never raises `StoreUnavailable`."""
        return await self._loader.load(event)

    def open_pass(self, event: Event) -> Pass | None:
        """A pass for events like this one, whatever their text; None where a message has to be loaded for."""
        return self._loader.open_pass(event)

    async def loaded(self) -> None:
        """Wait until the replica is complete for the first time."""
        await self.reader.first_round.wait()

    def now(self) -> float:
        """The store's clock (unix seconds), estimated."""
        return self.clock.now(time.monotonic())

    def room(self, room_id: str) -> Room | None:
        """A room, if anything has been said about it."""
        return self.replica.room(room_id)

    def protection_of(self, person: str) -> Protection | None:
        """A person's protection, in force or ended; of one that has ended, the settings that it had covered."""
        protection = self.replica.protection_of(person)
        return None if protection is None else protection.at(self.now())

    def protections(self) -> Iterable[tuple[str, Protection]]:
        """Everybody who has a protection, as it is kept: see `Protection.at` for what counts."""
        return self.replica.protected()

    def kept_protection_of(self, person: str) -> Protection | None:
        """A person's protection as it is kept."""
        return self.replica.protection_of(person)

    async def is_done(self, person: str, name: str) -> bool:
        """Whether something that may be done once only has been (see `Once`); raises `StoreUnavailable`."""
        return bool(await self.store.command("EXISTS", self._keys.pair("once", person, name)))

    def blocklist_of(self, person: str) -> Blocklist:
        """A person's own rules; empty where they have none."""
        stored = self.replica.blocklist_of(person)
        return Blocklist() if stored is None else read_blocklist(stored)

    def blocked_by(self, person: str) -> Blocked | None:
        """A person's blocklist, ready to be asked; None where they have none."""
        return self._blocked.of(person)

    def sanctions_of(self, account: str) -> tuple[Sanction, ...]:
        """The measures against an account, in force or ended."""
        return self.replica.sanctions_of(account)

    def announced_text(self) -> Announcement | None:
        """Which text data was last announced, if any ever was."""
        return self.replica.announced(TEXT)

    async def report_text(self, revision: int) -> None:
        """Say with which revision of the text data this worker scans; raises `StoreUnavailable`."""
        await self.store.command("HSET", RevisionKeys(self._keys).in_force, self._worker, revision)

    async def is_trusted(self, person: str, other: str) -> bool:
        """Whether ``other`` is in the person's circle, as the store says now; raises `StoreUnavailable`."""
        return bool(await self.ties(person, other))

    async def ties(self, person: str, other: str) -> Tie:
        """How ``other`` belongs to the person's circle, as the store says now; raises `StoreUnavailable`."""
        return Tie(int(await self.store.command("HGET", self._keys.of("members", person), encode(other)) or 0))

    async def ties_or_stranger(self, person: str, other: str) -> Tie:
        """The same, mostly remembered and not asked for; a stranger while the store cannot say."""
        return await self._loader.ties(person, other)

    async def known_ties(self, person: str, other: str) -> Tie:
        """The same, and as the platform says itself; raises `StoreUnavailable`."""
        ties = await self.ties(person, other)
        if self._platform is None:
            return ties
        known = self._platform.known(person, other)
        asked = self._platform.ask(person, other) if known is None else None
        if asked is not None:
            await asyncio.wait((asked,))
            known = self._platform.known(person, other)
        return ties | (known or STRANGER)

    def limits(self) -> Limits:
        """The limits in force."""
        return self._loader.limits()

    def live_limits(self) -> Mapping[str, Rate]:
        """The limits that stand in for those of the policy, by name."""
        return self.replica.limits()

    def own_dm_rules_of(self, person: str) -> DmRules | None:
        """The rules for direct messages that a person has made themselves."""
        return self.replica.dm_rules_of(person)

    def is_minor(self, person: str) -> bool:
        """Whether somebody is known to be a minor now."""
        return self.now() < self.replica.minor_until(person)

    def dm_rules_of(self, person: str) -> DmRules | None:
        """The rules for direct messages to a person: their own, else those of minors; None: there are none."""
        return self._loader.dm_rules(person, self.now())

    async def account(self, account: str) -> Account:
        """What the platform has told about an account, as the store says now; raises `StoreUnavailable`."""
        key = self._keys.of_partition(self._keys.partition(account), Noun.ACCOUNT)
        return read_account(await self.store.command("HGET", key, encode(account)))

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``listener`` after each change that this worker has applied; answers how to stop that.

        It is called from the event loop and must not block.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # -- writing: see `gateway.state.changes.Changes`

    async def engage(self, person: str, protection: Protection, once: Once | None = None) -> Applied:
        """Put a protection in force; a preset keeps the person's own settings, which come back at its end."""
        return await self._changes.engage(person, protection, once)

    async def release(self, person: str) -> Applied:
        """End a person's protection; the settings that a preset had covered are in force again."""
        return await self._changes.release(person)

    async def lapse(self, person: str) -> bool:
        """Carry out what is due of a person's protection (reminder, end), once on all workers; whether it was here."""
        return await self._changes.lapse(person)

    async def tell(self, person: str, notice: Notice) -> Applied:
        """Tell a person something, on whatever sockets they have open, on every worker."""
        return await self._changes.tell(person, notice)

    async def set_blocklist(self, person: str, blocklist: Blocklist) -> Applied:
        """Put a person's own rules in force; they replace the former ones. An empty list ends them."""
        return await self._changes.set_blocklist(person, blocklist)

    async def tie(self, person: str, others: Sequence[str], ties: Tie = Tie.CHOSEN) -> Applied:
        """Take others into a person's circle; ties that they have already stay."""
        return await self._changes.tie(person, others, ties)

    async def untie(self, person: str, others: Sequence[str], ties: Tie = CIRCLE) -> Applied:
        """Undo these ties of others to a person; who has none left is out of the circle."""
        return await self._changes.untie(person, others, ties)

    async def set_dm_rules(self, person: str, rules: DmRules | None) -> Applied:
        """Put a person's own rules for direct messages in force; None: the defaults."""
        return await self._changes.set_dm_rules(person, rules)

    async def set_limits(self, limits: Mapping[str, Rate]) -> Applied:
        """Put limits, by name, in force instead of those of the policy; none: the policy's alone."""
        return await self._changes.set_limits(limits)

    async def set_account(self, account: str, known: Account, minor_until: float = 0.0) -> Applied:
        """Say what is known of an account, and until when it is a minor's (unix seconds; 0: it is not)."""
        return await self._changes.set_account(account, known, minor_until)

    async def set_owner(self, room: str, owner: str) -> Applied:
        """Say whose room it is; "" for nobody known."""
        return await self._changes.set_owner(room, owner)

    async def set_mode(self, room: str, mode: RoomMode, until: float = 0.0, slow_s: int = DEFAULT_SLOW_S) -> Applied:
        """Run a room in a mode, until a time (unix seconds; 0: without end)."""
        return await self._changes.set_mode(room, mode, until, slow_s)

    async def clear_mode(self, room: str) -> Applied:
        """Run a room open again."""
        return await self._changes.clear_mode(room)

    async def sanction(self, account: str, sanction: Sanction) -> Applied:
        """Put a measure in force; it replaces the same measure against the account."""
        return await self._changes.sanction(account, sanction)

    async def lift(self, account: str, measure: Measure) -> Applied:
        """End a measure against an account."""
        return await self._changes.lift(account, measure)

    # -- cases: see `gateway.state.casebook.Casebook`

    async def record(self, incidents: Sequence[Incident]) -> list[Case]:
        """Record incidents; answers the cases that they opened or joined. May be repeated after `StoreUnavailable`."""
        return await self._casebook.record(incidents)

    async def cases(self, limit: int = 50) -> list[Case]:
        """The cases with the latest incidents, newest first; raises `StoreUnavailable`."""
        return await self._casebook.cases(limit)

    async def follow_cases(self) -> AsyncIterator[Case]:
        """Every case opened or changed from the moment this returns, until cancelled; raises `StoreUnavailable`."""
        return self._casebook.follow(await self._casebook.position())

    # -- secrets and health

    async def secret(self, name: str) -> bytes:
        """A random key that all workers of this store share, drawn when first asked for; raises `StoreUnavailable`."""
        drawn = secrets.token_bytes(32)
        kept = await self.store.command("SET", f"secret:{name}", drawn, "NX", "GET")
        return bytes(kept) if kept is not None else drawn

    def counters(self) -> dict[str, int]:
        """What has been counted since the start, for metrics."""
        store, reader = self.store, self.reader
        return {
            "calls": store.calls,
            "timeouts": store.timeouts,
            "reconnects": store.reconnects,
            "refused_by_breaker": store.refused_by_breaker,
            "errors": store.errors,
            "outages": store.outages,
            "refused": store.refused,
            "redirects": store.redirects,
            "snapshots": reader.snapshots,
            "gaps": reader.gaps,
            "reasserted": reader.reasserted,
        }

    async def ping(self) -> None:
        """Ask the store for a sign of life; raises `StoreUnavailable`."""
        await self.store.command("PING")

    def status(self) -> StateStatus:
        """How state is at the moment; asks nobody."""
        return StateStatus(
            connected=self.store.connected and self.reader.connected,
            loaded=self.replica.complete,
            fresh=self._loader.fresh,
            age_s=self.reader.age_s if self.reader.first_round.is_set() else None,
            version=self.reader.version,
            run_id=self.reader.run_id,
            workers=len(self.reader.workers),
        )

    # -- the replica speaks

    def _changed(self, change: Change) -> None:
        if change.noun is Noun.CIRCLE:
            self._loader.circle.changed(change.id)
        elif change.noun is Noun.LIMITS:
            self._loader.limits_changed()
        for listener in tuple(self._listeners):
            listener(change)

    def _image_taken(self) -> None:
        self._loader.circle.forget()


@contextlib.asynccontextmanager
async def open_state(
    settings: StateSettings,
    policy: Callable[[], Policy],
    worker: str,
    url: str,
    platform: PlatformCircle | None = None,
) -> AsyncIterator[State]:
    """State over the store at ``url``, for a worker whose name no other worker has.

    The URL is that of the settings, or, where they name none, of the `Engine` on their data directory.
    ``platform`` is asked for circles too, where it keeps them itself; closing it is the caller's.
    A store that is down does not stop it: state is then stale, and says so, until the store comes. Raises
    `PartitionsDiffer` for a store made with another number of partitions, ValueError for a URL that is none.
    """
    embedded_sync = functools.partial(sync, settings.data_dir) if not settings.url else None
    async with Store(url, embedded_sync) as store:
        state = State(store, settings, policy, worker, platform)
        reading = asyncio.get_running_loop().create_task(state.reader.run())
        loaded = asyncio.get_running_loop().create_task(state.reader.first_round.wait())
        try:
            await asyncio.wait((reading, loaded), timeout=FIRST_LOAD_S, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                await reading  # it only ever ends by an error
            yield state
        finally:
            reading.cancel()
            loaded.cancel()
            await asyncio.gather(reading, loaded, return_exceptions=True)
            with contextlib.suppress(StoreUnavailable):
                await store.run(BEAT, (WORKERS_KEY,), (worker, 0))
