"""Which server of a store holds which keys, as the store itself says."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from redis.crc import key_slot

from gateway.state.address import Address, Kind, Server
from gateway.state.errors import StoreUnavailable
from gateway.state.link import Link


class Topology(msgspec.Struct, frozen=True):
    """The primaries, and the slots of each. Where there is one, it holds everything, and no slot is ever computed."""

    servers: tuple[Server, ...]
    ranges: tuple[tuple[int, int, Server], ...] = ()
    """First and last slot, and who holds them; of a Cluster."""

    def slot(self, key: bytes) -> int:
        """The slot of a key; 0 outside of a Cluster."""
        return _slot_of_tag(key[: key.find(b"}") + 1] or key) if self.ranges else 0

    def holder(self, slot: int) -> Server:
        """Who holds a slot; raises `StoreUnavailable` where nobody does."""
        if not self.ranges:
            return self.servers[0]
        for first, last, server in self.ranges:
            if first <= slot <= last:
                return server
        raise StoreUnavailable(f"no server of the Cluster holds slot {slot}")


@functools.lru_cache(4096)
def _slot_of_tag(key: bytes) -> int:
    return int(key_slot(key))


async def find(address: Address, timeout_s: float, known: Sequence[Server] = ()) -> Topology:
    """Ask who the primaries are; raises `StoreUnavailable`.

    ``known`` are members of a Cluster that were seen before: those named in the settings may be gone.
    """
    match address.kind:
        case Kind.SINGLE:
            return Topology(address.servers)
        case Kind.SENTINEL:
            return await _ask_sentinels(address, timeout_s)
        case Kind.CLUSTER:
            return await _ask_members(address, timeout_s, known)


async def _ask_sentinels(address: Address, timeout_s: float) -> Topology:
    """All are asked: one that is cut off from the others may still name the former primary, of an older epoch."""

    async def ask(link: Link) -> dict[bytes, bytes]:
        flat = await link.send("SENTINEL", "MASTER", address.service)
        return dict(zip(flat[::2], flat[1::2], strict=True))

    asked = (_ask(server, address, timeout_s, ask) for server in address.servers)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    named = [answer for answer in answers if isinstance(answer, dict)]
    if not named:
        raise StoreUnavailable(f"no Sentinel names a primary: {answers[0]}")
    newest = max(named, key=lambda answer: int(answer[b"config-epoch"]))
    return Topology((Server(newest[b"ip"].decode(), int(newest[b"port"])),))


async def _ask_members(address: Address, timeout_s: float, known: Sequence[Server]) -> Topology:
    """The first member that answers is believed; who holds a slot no longer says so when it is asked for it."""
    reason: object = ""
    for member in dict.fromkeys((*known, *address.servers)):

        async def ask(link: Link, host: str = member.host) -> tuple[tuple[int, int, Server], ...]:
            return tuple(
                (first, last, Server((primary[0] or b"").decode() or host, primary[1]))
                for first, last, primary, *_ in await link.send("CLUSTER", "SLOTS")
            )

        try:
            ranges = await _ask(member, address, timeout_s, ask)
        except StoreUnavailable as error:
            reason = error
            continue
        if ranges:
            return Topology(tuple(dict.fromkeys(server for _, _, server in ranges)), ranges)
        reason = f"{member} knows of no slots"
    raise StoreUnavailable(f"no member of the Cluster answers: {reason}")


async def _ask(server: Server, address: Address, timeout_s: float, question: Callable[[Link], Awaitable[Any]]) -> Any:
    login = address.sentinel_login if address.kind is Kind.SENTINEL else address.login
    link = await Link.connect(server, login, timeout_s, timeout_s)
    try:
        return await question(link)
    finally:
        await link.close()
