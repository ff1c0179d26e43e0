"""From a request to a call: who calls, with which ids, and what they send. Every fault names the field."""

from __future__ import annotations

import re
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


async def input_of(request: Request, operation: Operation[AnInput]) -> AnInput:
    """The decoded and checked input of an operation; raises `ApiError` (400 or 413)."""
    if not operation.reads_body:
        query: AnInput = convert(dict(request.query_params), operation.input, "query")
        return query
    body = await _body(request, operation.max_body) or b"{}"
    kind = operation.input
    if operation.batch is not None and bytes(decode(body, _Shape).events):
        kind = operation.batch
    return decode(body, kind)


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


def decode(body: bytes, kind: type[T]) -> T:
    """A JSON body as a struct; raises `ApiError` (400)."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"body: {error}") from error


def convert(value: object, kind: Any, field: str) -> Any:
    """A value from a path, a query or a token, checked; raises `ApiError` (400) naming the field."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise bad_request(f"{field}: {error}") from error
