"""What both lanes of traffic read from an ASGI scope, and the headers that go on to the upstream."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import parse_qsl

from starlette.types import Scope

from gateway.codecs import RequestFields
from gateway.identity import Identity
from gateway.replies import Language
from gateway.routes import Matched

Headers = list[tuple[bytes, bytes]]

# RFC 9110, section 7.6.1: these speak of one hop only; those that Connection names come on top.
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
# Read differently by two servers, each of these would let the platform see another request than the one judged.
_FRAMING = frozenset(("host", "content-type", "content-encoding", "content-length", "transfer-encoding"))
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_FORWARDED = frozenset((b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded"))


class ClientRequest:
    """One HTTP request or WebSocket handshake, read once."""

    def __init__(self, scope: Scope, trusted_proxies: Iterable[str]) -> None:
        self.scope = scope
        self.raw_headers: Headers = [(name.lower(), value.strip(b" \t")) for name, value in scope["headers"]]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.raw_headers}
        self.raw_path: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        self.raw_query: str = scope["query_string"].decode("latin-1")
        pairs = parse_qsl(self.raw_query, keep_blank_values=True)
        self.query = dict(pairs)
        self.doubled = _doubled(name for name, _ in pairs) | _doubled(name for name, _ in self.raw_headers)
        """Query parameters and headers given more than once: two parsers could take different ones."""
        self.language = Language.of(self.headers.get("accept-language", ""))
        self.has_body = self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers
        self._peer: str = scope["client"][0] if scope.get("client") else ""
        self.from_trusted_proxy = self._peer in trusted_proxies

    def is_ambiguous(self, watched: set[str]) -> bool:
        """Whether the platform could read this request in another way than the gateway.

        ``watched`` are the query parameters and headers (in lower case) that identity or fields are read from. Neither
        they nor what frames a request may come twice, or be declared hop-by-hop: the platform would never see them.
        """
        decisive = watched | _FRAMING
        declared = {name.decode("latin-1") for name in _declared_hop_by_hop(self.raw_headers)}
        return bool(self.doubled & decisive or declared & decisive or not _HOST.fullmatch(self.headers.get("host", "")))

    def fields(self, matched: Matched, account: str, identity: Identity) -> RequestFields:
        """What messages of this request may refer to outside their payload."""
        return RequestFields(account, matched.path, self.query, self.headers, identity.payload_sender_counts)

    def upstream_headers(self, drop: frozenset[bytes]) -> Headers:
        """The headers for the upstream: end-to-end ones as they are, and where the request came from.

        What a client says of itself in ``X-Forwarded-*`` is dropped unless the peer is a trusted proxy.
        """
        headers = [(n, v) for n, v in end_to_end(self.raw_headers) if n not in drop and n not in _FORWARDED]
        secure = self.scope["scheme"] in ("https", "wss")
        chain = [self._peer] if self._peer else []
        protocol, host = ("https" if secure else "http"), self.headers.get("host", "")
        if self.from_trusted_proxy:
            chain = [*filter(None, [self.headers.get("x-forwarded-for")]), *chain]
            protocol = self.headers.get("x-forwarded-proto", protocol)
            host = self.headers.get("x-forwarded-host", host)
        for name, value in (("for", ", ".join(chain)), ("proto", protocol), ("host", host)):
            headers.append((b"x-forwarded-" + name.encode(), value.encode("latin-1")))
        return headers


def _doubled(names: Iterable[str] | Iterable[bytes]) -> set[str]:
    counts = Counter(name if isinstance(name, str) else name.decode("latin-1") for name in names)
    return {name for name, count in counts.items() if count > 1}


def _declared_hop_by_hop(headers: Headers) -> set[bytes]:
    """The names that any of the ``Connection`` headers takes out of the message (RFC 9110, section 7.6.1)."""
    return {token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")}


def end_to_end(headers: Headers) -> Headers:
    """The headers without those that concern one hop only."""
    named = _declared_hop_by_hop(headers)
    return [(name, value) for name, value in headers if name not in _HOP_BY_HOP and name not in named]
