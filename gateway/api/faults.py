"""Refusals of the control API: every one is JSON, has a code for programs and a message for people."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response


class Fault(msgspec.Struct, frozen=True):
    """Why a call was refused. ``message`` names the field where one is at fault."""

    code: str
    message: str


class FaultAnswer(msgspec.Struct, frozen=True):
    """The body of every answer that is not a success."""

    error: Fault


class ApiError(Exception):
    """A call that is refused: the HTTP status, the code and the message of the answer, and headers to go with it.

    4xx: the fault is the caller's; 503: ours, and for now.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.fault = Fault(code, message)
        self.headers = headers


def bad_request(message: str) -> ApiError:
    """The refusal of a malformed call."""
    return ApiError(400, "bad-request", message)


def json_answer(answer: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A struct as a JSON response. What is in force may change at any time: no cache keeps it."""
    fresh = {"Cache-Control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(answer), status, fresh, media_type="application/json")


def refusal(error: ApiError) -> Response:
    """The response that an `ApiError` means."""
    return json_answer(FaultAnswer(error.fault), error.status, error.headers)
