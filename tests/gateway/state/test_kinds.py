"""Every kind of store keeps the same promises: one server, behind TLS, behind Sentinels, a Cluster."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.settings import StateSettings
from gateway.state.address import Kind, Server, read_url
from gateway.state.errors import StoreUnavailable
from gateway.state.partitions import Keys
from gateway.state.state import State, open_state
from gateway.state.store import Store
from gateway.state.topology import Topology
from protection.events import Event
from protection.events import Kind as EventKind
from protection.policy import Limits, Policy
from protection.protections import ONE_KEY, Protection
from protection.sanctions import Measure, Sanction
from ratelimit.rate import Rate
from tests.gateway.state.servers import Detour, Process, behind_sentinel, cluster, tls_context
from tests.gateway.state.waiting import until

POLICY = Policy(limits=Limits(stranger_dm=Rate(3, 3600), strangers_dm=Rate(20, 3600), dm_flood=Rate(1000, 3600)))
MUTE = Sanction(Measure.MUTE, until=2e9, reason="insult", by="moderator")
PEOPLE = [f"person-{number}" for number in range(30)]
"""In partitions of every member of a Cluster."""


@contextlib.asynccontextmanager
async def workers(url: str, count: int = 2) -> AsyncIterator[list[State]]:
    """So many workers over one store, which know of each other."""
    settings = StateSettings(url=url, staleness_s=1.0)
    async with contextlib.AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(open_state(settings, lambda: POLICY, f"w{number}", url))
            for number in range(count)
        ]
        await until(lambda: all(state.status().fresh and state.status().workers == count for state in opened))
        yield opened


def protection() -> Protection:
    return Protection(ONE_KEY, until=2e9)


def dm(sender: str, target: str) -> Event:
    return Event(EventKind.DM, sender, "hello", target=target)


async def keeps_its_promises(url: str, tag: str = "") -> None:
    """Flips in force on all workers when answered, exact quotas, a reader that finds its way back."""
    async with workers(url) as (here, there):
        people = [tag + person for person in PEOPLE]
        answers = await asyncio.gather(*(here.engage(person, protection()) for person in people))
        assert {(answer.applied, answer.of, answer.durable) for answer in answers} == {(2, 2, True)}
        assert all(there.protection_of(person) == protection() for person in people)
        await there.sanction(tag + "troll", MUTE)
        assert here.sanctions_of(tag + "troll") == (MUTE,)

        target = tag + "target"
        attempts = [(state, f"{tag}s{number}") for state in (here, there) for number in range(12) for _ in range(3)]
        snapshots = await asyncio.gather(*(state.load(dm(sender, target)) for state, sender in attempts))
        assert sum(all(c.allowance.allowed for c in snapshot.charges) for snapshot in snapshots) == 20
        assert all(snapshot.fresh for snapshot in snapshots)

        before = here.store.reconnects, there.store.reconnects
        await disconnect_everybody(there)
        await until(lambda: here.store.reconnects > before[0] and there.store.reconnects > before[1])
        await until(lambda: here.status().connected and there.status().connected)
        answers = await asyncio.gather(*(here.release(person) for person in people[:10]))
        assert {answer.applied for answer in answers} == {2}
        assert {there.protection_of(person) for person in people[:10]} == {None}


async def disconnect_everybody(state: State) -> None:
    """Cut all connections to every server of the store."""
    topology = state.store._topology
    assert topology is not None
    for server in topology.servers:
        link = state.store._links[server]
        with contextlib.suppress(StoreUnavailable):
            link.send("CLIENT", "KILL", "TYPE", "pubsub")
            await link.send("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")


@pytest.mark.req("P1", "P3")
async def test_one_server_with_a_user_of_its_own(tmp_path: Path) -> None:
    async with Process(tmp_path) as server:
        await server.call("ACL", "SETUSER", "gate", "on", ">pa:ss/word", "~sw:*", "~secret:*", "+@all", "resetchannels")
        await server.call("CONFIG", "SET", "requirepass", "other")
        await keeps_its_promises(f"redis://gate:pa%3Ass%2Fword@127.0.0.1:{server.port}")


@pytest.mark.req("P1", "P3")
async def test_one_server_over_tls_that_must_be_trusted(tmp_path: Path) -> None:
    context, authority = tls_context(tmp_path)
    async with Process(tmp_path / "server") as server, Detour(server, context) as detour:
        url = f"rediss://127.0.0.1:{detour.port}/"
        await keeps_its_promises(f"{url}?ssl_ca_certs={authority}")
        async with Store(url) as distrusting:
            with pytest.raises(StoreUnavailable):
                distrusting.command("PING")


@pytest.mark.req("P1", "P3", "D2")
async def test_sentinels_lead_to_the_promoted_replica_and_what_was_durable_is_there(tmp_path: Path) -> None:
    async with behind_sentinel(tmp_path) as (url, primary, replica):
        await keeps_its_promises(url)
        async with workers(url) as (here, there):
            answer = await here.engage("alice", protection())
            assert answer.durable
            primary.kill()
            await until(lambda: not here.store.connected)
            assert there.protection_of("alice") == protection()
            await until(lambda: here.status().connected and there.status().connected, 20)
            assert here.store._links.keys() == {Server("127.0.0.1", replica.port)}
            assert there.protection_of("alice") == protection()
            assert (await here.release("alice")).applied == 2
        async with workers(url, 1) as (late,):
            assert late.protection_of(PEOPLE[-1]) == protection()


@pytest.mark.req("P1", "P3", "D2")
async def test_a_cluster(tmp_path: Path) -> None:
    async with cluster(tmp_path) as (url, members):
        await keeps_its_promises(url)
        async with open_state(StateSettings(url=url, staleness_s=60), lambda: POLICY, "patient", url) as patient:
            answers = await asyncio.gather(*(patient.engage(person, protection()) for person in PEOPLE))
            assert {answer.applied for answer in answers} == {1}, "its bell rings; it asks by itself after 7 s"
        async with workers(url) as (here, there):
            holders = {here.store.link(Keys(64).of_partition(number, "epoch")) for number in range(64)}
            assert len(holders) == len(members), "partitions lie on every member"
            members[0].kill()
            await until(lambda: not here.store.connected and not there.store.connected)
            assert {there.protection_of(person) for person in PEOPLE[10:]} == {protection()}
            lost = [person for person in PEOPLE[10:] if not reachable(here, person)]
            assert 0 < len(lost) < 20
            kept = set(PEOPLE[10:]) - set(lost)
            await asyncio.gather(*map(here.release, kept))
            await until(lambda: not any(map(there.protection_of, kept)))
            members[0].start()
            await until(lambda: here.status().connected and there.status().connected and there.status().fresh)
            assert {there.protection_of(person) for person in lost} == {protection()}


def reachable(state: State, person: str) -> bool:
    try:
        state.store.link(Keys(64).of("circle", person))
    except StoreUnavailable:
        return False
    return True


def test_nobody_holding_a_slot_is_a_store_that_is_down() -> None:
    half = Topology((Server("a", 1),), ((0, 8191, Server("a", 1)),))
    assert half.holder(8191) == Server("a", 1)
    with pytest.raises(StoreUnavailable, match="slot 8192"):
        half.holder(8192)
    assert half.slot(b"sw:{p00}:epoch") == half.slot(b"sw:{p00}:circle:{x}") != half.slot(b"sw:{p01}:epoch")


@pytest.mark.parametrize(
    ("url", "kind", "servers", "service"),
    [
        ("redis://h", Kind.SINGLE, ("h:6379",), ""),
        ("unix:///tmp/x.sock", Kind.SINGLE, ("/tmp/x.sock",), ""),
        ("redis+sentinel://u:p@h1,h2:7/chat", Kind.SENTINEL, ("h1:26379", "h2:7"), "chat"),
        ("rediss+cluster://:p@h1:1,[::1]:2", Kind.CLUSTER, ("h1:1", "::1:2"), ""),
    ],
)
def test_urls(url: str, kind: Kind, servers: tuple[str, ...], service: str) -> None:
    address = read_url(url)
    assert (address.kind, tuple(map(str, address.servers)), address.service) == (kind, servers, service)
    assert address.login.password == ("p" if "p@" in url else "")
    assert (address.login.tls is not None) == url.startswith("rediss")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis+sentinel://h", "name of the primary"),
        ("redis+other://h", "is no store"),
        ("unix+cluster:///x", "is no store"),
        ("redis+cluster://h/1", "no databases"),
        ("rediss://h?ssl_ca_certs=/nowhere.pem", "TLS"),
    ],
)
def test_urls_that_cannot_be_meant(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_url(url)
