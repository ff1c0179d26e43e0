"""From a request to a call: who calls, with which ids, and what they send. Every fault names the field."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from gateway.api.bodies import Id
from gateway.api.faults import ApiError, bad_request
from gateway.api.operation import AnInput, Operation
from gateway.api.rights import Caller, Role
from gateway.tokens import TokenError, TokenFault, TokenVerifier

_CREDENTIALS = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
T = TypeVar("T")
NDJSON = "application/x-ndjson"
CHUNK = 1_000
"""Entries of a feed that are taken at a time."""
MAX_LINE = 4 << 10
MAX_FEED = 256 << 20


class _Shape(msgspec.Struct):
    events: msgspec.Raw = msgspec.Raw()


def caller_of(request: Request, verifier: TokenVerifier) -> Caller:
    """The caller, by the bearer token (RFC 6750); raises `ApiError` (401)."""
    match = _CREDENTIALS.fullmatch(request.headers.get("authorization", ""))
    try:
        claims = verifier.verify(match[1] if match else "")
        return Caller(convert(claims.get("sub"), Id, "sub"), convert(claims.get("role"), Role, "role"))
    except TokenError as error:
        raise _unauthorised(error.fault, str(error)) from error
    except ApiError as error:
        raise _unauthorised(TokenFault.INVALID, f"the token's {error}") from error


def _unauthorised(fault: TokenFault, message: str) -> ApiError:
    # RFC 6750, 3.1: who sent no token at all is told of no error.
    told = "" if fault is TokenFault.MISSING else f' error="invalid_token", error_description="{fault.value}"'
    return ApiError(401, f"token-{fault.value}", message, {"WWW-Authenticate": f"Bearer{told}"})


Feed = AsyncIterator[list[Any]]


async def input_of(request: Request, operation: Operation[AnInput]) -> tuple[AnInput, Feed | None]:
    """The decoded and checked input of an operation, or its feed; raises `ApiError` (400 or 413)."""
    if not operation.reads_body:
        query: AnInput = convert(dict(request.query_params), operation.input, "query")
        return query, None
    feed = feed_of(request, operation)
    if feed is not None:
        return operation.input(), feed
    body = await _body(request, operation.max_body) or b"{}"
    if operation.feed is not None and body.lstrip()[:1] == b"[":
        return operation.input(), list_of(decode(body, list[operation.feed]))  # type: ignore[name-defined]
    kind = operation.input
    if operation.batch is not None and bytes(decode(body, _Shape).events):
        kind = operation.batch
    return decode(body, kind), None


def feed_of(request: Request, operation: Operation[AnInput]) -> AsyncIterator[list[Any]] | None:
    """The entries of a body that is a feed of them (NDJSON), `CHUNK` at a time; None for any other body.

    Raises `ApiError` (400 or 413), also when entries before have been handed out: they stand.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _lines(request, operation.feed) if operation.feed is not None and media_type == NDJSON else None


def list_of(entries: list[Any]) -> AsyncIterator[list[Any]]:
    """The same for entries that are all there."""

    async def chunks() -> AsyncIterator[list[Any]]:
        for start in range(0, len(entries), CHUNK):
            yield entries[start : start + CHUNK]

    return chunks()


async def _lines(request: Request, kind: Any) -> AsyncIterator[list[Any]]:
    left, number, received = b"", 0, 0
    entries: list[Any] = []
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > MAX_FEED:
                raise ApiError(413, "too-large", f"body: at most {MAX_FEED} bytes are read here")
            *lines, left = (left + chunk).split(b"\n") if chunk else [left, b""]
            if len(left) > MAX_LINE:
                raise bad_request(f"line {number + len(lines) + 1}: longer than {MAX_LINE} bytes")
            for line in lines:
                number += 1
                if line.strip():
                    entries.append(decode(line, kind, f"line {number}"))
                if len(entries) == CHUNK:
                    yield entries
                    entries = []
    except ClientDisconnect as error:
        raise bad_request("body: the connection ended before it did") from error
    if entries:
        yield entries


async def _body(request: Request, limit: int) -> bytes:
    """The body, of which no more is kept than is allowed."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise ApiError(413, "too-large", f"body: at most {limit} bytes are read here")
    except ClientDisconnect as error:
        raise bad_request("body: the connection ended before it did") from error
    return bytes(body)


def decode(body: bytes, kind: type[T], field: str = "body") -> T:
    """A JSON body, or a part of it, as a struct; raises `ApiError` (400) naming it."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"{field}: {error}") from error


def convert(value: object, kind: Any, field: str) -> Any:
    """A value from a path, a query or a token, checked; raises `ApiError` (400) naming the field."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise bad_request(f"{field}: {error}") from error
