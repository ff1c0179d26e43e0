"""Cases on the store: incidents become cases by one script, and a stream tells who follows them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from gateway.state.errors import StoreUnavailable
from gateway.state.partitions import PREFIX, decode
from gateway.state.scripts import LIST_CASES, READ_CASES, RECORD_INCIDENT
from gateway.state.store import RETRY_S, Store
from protection.cases import Case, Incident
from protection.policy import Policy

CASES = PREFIX + b"{cases}:"
STREAM = CASES + b"stream"

OPEN_S = 30 * 60
"""An incident joins its subject's open case when the last one was at most this long ago."""
KEPT_S = 30 * 86_400
"""Cases, and the texts in them, are gone this long after their last incident."""
LATEST = 20
MOST_SENDERS = 10_000
"""Senders of one case are counted up to this number."""
MOST_ENTRIES = 100_000
"""Entries of the stream kept, within `KEPT_S`."""
BLOCK_S = 1.0

_read_incident = msgspec.json.Decoder(Incident).decode


class Casebook:
    """Records incidents, lists cases, and follows them live."""

    def __init__(self, store: Store, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._policy = policy

    async def record(self, incidents: Sequence[Incident]) -> list[Case]:
        """Record incidents, in order; answers the cases that they opened or joined, each once, as it stands now.

        An incident recorded again (after a `StoreUnavailable`, when nobody knows whether it was) counts once.
        """
        rules = self._policy().cases
        bounds = (rules.repeated, rules.window_s, OPEN_S, KEPT_S, LATEST, MOST_SENDERS, MOST_ENTRIES)
        replies = []
        for incident in incidents:
            raw = msgspec.json.encode(incident)
            name = hashlib.blake2b(raw, digest_size=16).hexdigest()
            replies.append(self._store.run(RECORD_INCIDENT, (CASES,), (name, raw, *bounds)))
        cases = [_case(raw) for raw in await asyncio.gather(*replies) if raw]
        return list({case.id: case for case in cases}.values())

    async def cases(self, limit: int = 50) -> list[Case]:
        """The cases with the latest incidents, newest first."""
        return [_case(raw) for raw in await self._store.run(LIST_CASES, (CASES,), (limit,))] if limit > 0 else []

    async def position(self) -> bytes:
        """Where the stream of cases ends now; raises `StoreUnavailable`."""
        last = await self._store.command("XREVRANGE", STREAM, "+", "-", "COUNT", 1)
        return bytes(last[0][0]) if last else b"0-0"

    async def follow(self, position: bytes) -> AsyncIterator[Case]:
        """Every case opened or changed after ``position``, as it then stands; goes on over restarts of the store."""
        while True:
            try:
                link = await self._store.dial(STREAM, 2 * BLOCK_S)
                try:
                    while True:
                        read = link.send("XREAD", "BLOCK", round(BLOCK_S * 1000), "STREAMS", STREAM, position)
                        for _, entries in await read or []:
                            ids = dict.fromkeys(fields[1] for _, fields in entries)
                            for raw in await link.run(READ_CASES, (CASES,), tuple(ids)):
                                yield _case(raw)
                            position = entries[-1][0]
                finally:
                    await link.close()
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)


def _case(raw: Sequence[Any]) -> Case:
    identity, (subject, room, opened, updated, severe, incidents), senders, reasons, latest = raw
    return Case(
        id=identity.decode(),
        subject=decode(subject),
        room=decode(room),
        opened=float(opened),
        updated=float(updated),
        severe=severe == b"1",
        incidents=int(incidents),
        senders=senders,
        reasons=tuple(reason.decode() for reason in reasons),
        latest=tuple(_read_incident(one) for one in latest),
    )
