"""Settings: `shieldwire.toml`, overridden by the environment, checked before anything starts.

Every error names the key and the table it stands in; an unknown key also names the nearest known one.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from filters.classes import Harm
from gateway.policy.thresholds import read_thresholds
from gateway.routes import Route, shadowed
from gateway.state.address import read_url
from protection.policy import CaseRules, Ladder, Limits, Policy, PolicyError, Sensitivity
from protection.verdicts import Disposition
from ratelimit.rate import Rate, RateError

ENVIRONMENT_PREFIX = "SHIELDWIRE_"
KIB = 1 << 10
MIB = 1 << 20


_LEAST: dict[str, dict[str, float]] = {
    "server": {"workers": 1, "max_message": 1, "max_frame": 1, "connect_timeout_s": 0.01, "drain_s": 0.0},
    "circle": {"timeout_s": 0.001, "cache_s": 0.0},
    "state": {"staleness_s": 0.1, "partitions": 1},
}


class SettingsError(ValueError):
    """The configuration cannot be used; the message says which key and why. The fault is the operator's."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the configuration file."""


class ServerSettings(Table, frozen=True):
    """Where the gateway listens and how much it takes. Sizes in bytes, times in seconds."""

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose ``X-Forwarded-*`` headers count."""
    max_message: int = 64 * KIB
    """The largest message that is judged; a larger one on a judged route is refused."""
    max_frame: int = 4 * MIB
    """The largest WebSocket message that passes unjudged, in either direction; a larger one closes it (1009)."""
    connect_timeout_s: float = 5.0
    """How long the upstream may take to accept a connection."""
    drain_s: float = 10.0
    """How long a graceful shutdown waits for answers in flight."""
    lane: Literal["fast", "portable"] = "fast"
    """``fast``: `shieldwire serve` carries WebSocket traffic below ASGI, as bytes, wherever a route allows it."""
    certificate: str = ""
    key: str = ""
    """PEM files; both set: the gateway speaks https and wss."""


class StateSettings(Table, frozen=True):
    """Where the shared state lives."""

    url: str = ""
    """See `gateway.state.address`; empty: the embedded engine."""
    data_dir: str = "shieldwire-data"
    staleness_s: float = 2.0
    """A replica older than this no longer counts as fresh."""
    partitions: int = 64
    """Fixed at first start: a store made with another number is refused."""


class IdentitySettings(Table, frozen=True):
    """Where a connection's account id comes from."""

    source: Literal["jwt", "header", "query", "field"] = "field"
    name: str = ""
    """The header or query parameter. For ``jwt``: the claim (``sub`` where the token has no such claim), and the query
    parameter or cookie that may carry the token."""
    secret: str = ""
    jwks: str = ""
    audience: str = ""


class ApiSettings(Table, frozen=True):
    """Who may call the control API."""

    secret: str = ""
    jwks: str = ""
    public_url: str = ""
    """``https://host`` as people reach the gateway, for the links that they are sent; empty: links have no host."""


class CircleSettings(Table, frozen=True):
    """Where the platform itself says who is in whose circle; without a URL, what it feeds to the API is all."""

    url: str = ""
    """Asked by GET, with ``{person}`` and ``{other}`` filled in; answers ``{"kinds":["friends","follows"]}``."""
    token: str = ""
    """Sent along as a bearer token."""
    timeout_s: float = 0.2
    cache_s: float = 60.0


class PolicySettings(Table, frozen=True):
    """The policy as operators write it: ladders as words, rates as ``"20/10s"``."""

    lexicon: tuple[str, ...] = ()
    """Files of terms (``shipped`` stands for those in the package); none: the shipped ones. `filters.lexicon` has the
    format."""
    thresholds: str = ""
    """A file of thresholds for the content model (`gateway.policy.thresholds` has the format); "": the shipped ones."""
    ladders: dict[str, tuple[str, str, str]] = {}
    limits: dict[str, str] = {}
    cases: CaseRules = CaseRules()

    def build(self) -> Policy:
        """The policy these settings mean; raises `SettingsError`."""
        try:
            return Policy(
                ladders={Harm(harm): _ladder(harm, words) for harm, words in self.ladders.items()},
                limits=Limits(**{_limit_name(name): Rate.parse(rate) for name, rate in self.limits.items()}),
                cases=self.cases,
                sensitivity=read_thresholds(Path(self.thresholds)) if self.thresholds else Sensitivity.shipped(),
            )
        except (PolicyError, RateError) as error:
            raise SettingsError(f"[policy]: {error}") from error
        except ValueError as error:
            raise SettingsError(f"[policy.ladders]: {error}; the classes are {', '.join(Harm)}") from error


class Settings(Table, frozen=True):
    """All of `shieldwire.toml`."""

    server: ServerSettings = ServerSettings()
    state: StateSettings = StateSettings()
    identity: IdentitySettings = IdentitySettings()
    api: ApiSettings = ApiSettings()
    circle: CircleSettings = CircleSettings()
    policy: PolicySettings = PolicySettings()
    route: tuple[Route, ...] = ()

    def check(self) -> Settings:
        """Refuse what a type cannot express; returns itself."""
        if self.identity.source in ("header", "query") and not self.identity.name:
            raise SettingsError(f'[identity]: source = "{self.identity.source}" needs a name')
        if self.identity.source == "jwt" and not (self.identity.secret or self.identity.jwks):
            raise SettingsError('[identity]: source = "jwt" needs a secret or jwks')
        if bool(self.server.certificate) != bool(self.server.key):
            raise SettingsError("[server]: certificate and key belong together")
        if not 0 <= self.server.port <= 65535:
            raise SettingsError(f"[server]: port {self.server.port} is not in 0..65535")
        for table, least in _LEAST.items():
            for name, value in least.items():
                if getattr(getattr(self, table), name) < value:
                    raise SettingsError(f"[{table}]: {name} must be at least {value}")
        if self.policy.cases.repeated < 1 or self.policy.cases.window_s < 1:
            raise SettingsError("[policy.cases]: repeated and window_s must be at least 1")
        if self.state.url:
            try:
                read_url(self.state.url)
            except ValueError as error:
                raise SettingsError(f"[state]: url: {error}") from error
        if self.api.public_url and not self.api.public_url.startswith(("https://", "http://")):
            raise SettingsError(f"[api]: public_url {self.api.public_url!r} is not an http or https address")
        circle = self.circle.url
        if circle and not (circle.startswith(("https://", "http://")) and "{person}" in circle and "{other}" in circle):
            raise SettingsError("[circle]: url must be http or https, with {person} and {other} in it")
        for name in ("certificate", "key"):
            file = getattr(self.server, name)
            if file and not Path(file).is_file():
                raise SettingsError(f"[server]: {name} {file!r} is no file")
        for number, route in enumerate(self.route, 1):
            problem = route.problem()
            if problem:
                raise SettingsError(f"[[route]] number {number} ({route.path!r}): {problem}")
        if unreachable := shadowed(self.route):
            route, earlier = unreachable
            raise SettingsError(f"[[route]] {route.path!r} is never reached: {earlier.path!r} comes before it")
        if any(route.hide and route.hide.forward for route in self.route) and not any(
            route.downlink for route in self.route
        ):
            raise SettingsError(
                "[route.hide]: forward = true needs a route with a downlink, which withholds the message"
            )
        self.policy.build()
        return self


def load_settings(file: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read settings from a TOML file (None: none) and the environment, which wins; raises `SettingsError`."""
    raw: dict[str, Any] = {}
    if file is not None:
        try:
            raw = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(f"{file}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: not valid TOML: {error}") from error
    where = str(file) if file is not None else "environment"
    for name, value in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX) and "__" in name:
            _override(raw, name, value)
    _refuse_unknown_keys(raw, Settings, "", where)
    try:
        return msgspec.convert(raw, Settings).check()
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where}: {error}") from error
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from error


def _override(raw: dict[str, Any], name: str, value: str) -> None:
    """Set the key that ``SHIELDWIRE_SERVER__PORT`` names. A value is TOML where the key's type is not a string."""
    *tables, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
    struct: Any = Settings
    for table in tables:
        raw = raw.setdefault(table, {})
        struct = _key_types(struct).get(table) if _is_struct(struct) else None
        if not isinstance(raw, dict):
            raise SettingsError(f"environment: {name} reaches into {table}, which is no table")
    kind = _key_types(struct).get(key, str) if _is_struct(struct) else str
    if kind is str or get_origin(kind) is Literal:
        raw[key] = value
        return
    try:
        raw[key] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"environment: {name}={value!r} is not a TOML value") from error


def _refuse_unknown_keys(raw: Any, kind: Any, table: str, where: str) -> None:
    """Walk raw values beside the types they will become, and name the first key that has no place."""
    if get_origin(kind) is tuple and isinstance(raw, list):
        for item in raw:
            _refuse_unknown_keys(item, get_args(kind)[0], table, where)
    elif isinstance(kind, UnionType):
        for member in get_args(kind):
            _refuse_unknown_keys(raw, member, table, where)
    elif _is_struct(kind) and isinstance(raw, dict):
        types = _key_types(kind)
        for key, value in raw.items():
            if key not in types:
                nearest = difflib.get_close_matches(key, types, n=1, cutoff=0.0)
                place = f"table [{table}]" if table else "the top level"
                raise SettingsError(f"{where}: unknown key {key!r} in {place}; the nearest known key is {nearest[0]!r}")
            _refuse_unknown_keys(value, types[key], f"{table}.{key}".lstrip("."), where)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _key_types(struct: Any) -> dict[str, Any]:
    hints = get_type_hints(struct)
    return {field.encode_name: hints[field.name] for field in msgspec.structs.fields(struct)}


def _ladder(harm: str, words: tuple[str, str, str]) -> Ladder:
    known = {disposition.word: disposition for disposition in Disposition}
    for word in words:
        if word not in known:
            raise PolicyError(f"ladder of {harm}: {word!r} is not one of {', '.join(known)}")
    return (known[words[0]], known[words[1]], known[words[2]])


def _limit_name(name: str) -> str:
    if name not in Limits.__struct_fields__:
        nearest = difflib.get_close_matches(name, Limits.__struct_fields__, n=1, cutoff=0.0)[0]
        raise PolicyError(f"limits: unknown key {name!r}; the nearest known key is {nearest!r}")
    return name
