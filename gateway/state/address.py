"""How a store is named in the settings: one URL that says its kind, its servers and how to log in.

    redis://[user:password@]host:port[/db]              one server
    rediss://...                                        one server, over TLS
    unix:///path/to/socket                              one server on this machine
    redis+sentinel://[user:password@]h1:p,h2:p/master   Sentinels that know where the primary ``master`` is
    redis+cluster://[user:password@]h1:p,h2:p           any members of a Cluster

``rediss+sentinel`` and ``rediss+cluster`` speak TLS to every server. Options are redis-py's and stand behind a ``?``:
``ssl_ca_certs=FILE`` (whom to trust), ``ssl_certfile`` and ``ssl_keyfile`` (who we are), ``ssl_check_hostname``;
and for Sentinels that want another login than the servers, ``sentinel_username`` and ``sentinel_password``.
"""

from __future__ import annotations

import ssl
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec
from redis.asyncio.connection import SSLConnection, parse_url
from redis.exceptions import RedisError

SENTINEL_PORT = 26379


class Kind(StrEnum):
    """How the servers of a store belong together."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class Server(msgspec.Struct, frozen=True):
    """One server: where it listens. ``path`` is a unix socket and stands in for host and port."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


class Login(msgspec.Struct, frozen=True):
    """How to be let in."""

    username: str = ""
    password: str = ""
    database: int = 0
    tls: ssl.SSLContext | None = None


class Address(msgspec.Struct, frozen=True):
    """A store as its URL names it. ``servers`` are the server, the Sentinels, or some members of the Cluster."""

    kind: Kind
    servers: tuple[Server, ...]
    login: Login
    service: str = ""
    """The name by which Sentinels know the primary."""
    sentinel_login: Login = Login()


def read_url(url: str) -> Address:
    """Read a store URL; raises `ValueError` that says what is wrong with it."""
    parts = urlsplit(url)
    scheme, _, written = parts.scheme.partition("+")
    if written not in ("", *Kind) or (written and scheme not in ("redis", "rediss")):
        raise ValueError(
            f"{parts.scheme}:// is no store; it may be redis, rediss or unix, redis+sentinel, redis+cluster"
        )
    kind = Kind(written or "single")
    user, at, hosts = parts.netloc.rpartition("@")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    sentinel_user, sentinel_password = query.pop("sentinel_username", ""), query.pop("sentinel_password", "")
    path = "" if kind is Kind.SENTINEL else parts.path
    options = [_options(f"{scheme}://{user}{at}{host}{path}?{urlencode(query)}") for host in hosts.split(",")]
    login = _login(options[0])
    service = unquote(parts.path.strip("/"))
    if kind is Kind.SENTINEL and (not service or "/" in service):
        raise ValueError("redis+sentinel:// needs the name of the primary behind the servers, as in .../mymaster")
    if kind is Kind.CLUSTER and login.database:
        raise ValueError("a Cluster has no databases but 0")
    return Address(
        kind,
        tuple(_server(each, SENTINEL_PORT if kind is Kind.SENTINEL else 6379) for each in options),
        login,
        service if kind is Kind.SENTINEL else "",
        Login(sentinel_user, sentinel_password, tls=login.tls),
    )


def _options(url: str) -> dict[str, Any]:
    return dict(parse_url(url))


def _server(options: dict[str, Any], port: int) -> Server:
    if "path" in options:
        return Server(path=options["path"])
    return Server(options.get("host", "localhost"), options.get("port", port))


def _login(options: dict[str, Any]) -> Login:
    tls = None
    if options.get("connection_class") is SSLConnection:
        try:
            tls = SSLConnection(
                **{name: value for name, value in options.items() if name.startswith("ssl_")}
            ).ssl_context.get()
        except (OSError, TypeError, RedisError) as error:
            raise ValueError(f"its TLS options cannot be used: {error}") from error
    return Login(options.get("username", ""), options.get("password", ""), options.get("db", 0), tls)
