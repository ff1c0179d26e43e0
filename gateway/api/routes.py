"""The routes of the control API, to be mounted at ``/shieldwire``."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from gateway.api import one_click
from gateway.api.faults import ApiError, json_answer
from gateway.api.gate import Gate
from gateway.api.openapi import OPENAPI_PATH, document
from gateway.api.operation import Call, Operation
from gateway.api.operations import OPERATIONS
from gateway.api.probes import PROBES, Probe
from gateway.api.reading import caller_of, input_of
from gateway.api.resource import Endpoint, Nowhere, Resource
from gateway.api.rights import authorise
from gateway.state.errors import StoreUnavailable
from gateway.tokens import TokenVerifier

RETRY_AFTER_S = 1
"""When a caller should try again after the store was lost: reconnecting takes about as long."""

_log = logging.getLogger("shieldwire.api")


def control_routes(gate: Gate) -> list[BaseRoute]:
    """All routes of the control API. Raises `SettingsError` where ``[api]`` names keys that cannot be used."""
    api = gate.settings.api
    verifier = TokenVerifier(api.secret, api.jwks) if api.secret or api.jwks else None
    if verifier is not None and verifier.weakness:
        _log.warning("weak-secret", extra={"fields": {"table": "api", "why": verifier.weakness}})
    endpoints: defaultdict[str, dict[str, Endpoint]] = defaultdict(dict)
    for operation in OPERATIONS:
        endpoints[operation.path][operation.method] = _guarded(operation, gate, verifier)
    for probe in PROBES:
        endpoints[probe.path] = dict.fromkeys(("GET", "HEAD"), _open(probe, gate))
    endpoints[one_click.PATH] = {
        "GET": _page(one_click.show, gate),
        "HEAD": _page(one_click.show, gate),
        "POST": _page(one_click.press, gate),
    }
    endpoints[OPENAPI_PATH]["GET"] = _openapi()
    return [*(Resource(path, methods) for path, methods in endpoints.items()), Nowhere()]


def _guarded(operation: Operation[Any], gate: Gate, verifier: TokenVerifier | None) -> Endpoint:
    """The endpoint of an operation: who calls, may they, what do they send; then it runs."""

    async def endpoint(request: Request) -> Response:
        if verifier is None:
            raise ApiError(503, "api-not-configured", "the control API is off: [api] has neither secret nor jwks")
        caller = caller_of(request, verifier)
        ids = request.path_params
        authorise(operation.name, caller, ids.get("id", ""))
        given, feed = await input_of(request, operation)
        call = Call(gate, caller, ids, given, feed, request.headers.get("accept", ""))
        try:
            if not gate.state.status().loaded:
                raise StoreUnavailable("nothing is known yet, so nothing found would mean nothing")
            answer = await operation.run(call)
        except StoreUnavailable as error:
            again = {"Retry-After": str(RETRY_AFTER_S)}
            raise ApiError(503, "store-unavailable", "the store cannot be reached; try again", again) from error
        if operation.changes:
            fields = {"operation": operation.name, "noun": operation.noun, "role": caller.role.value}
            _log.info("change", extra={"fields": fields})
        return answer if isinstance(answer, Response) else json_answer(answer)

    return endpoint


def _open(probe: Probe, gate: Gate) -> Endpoint:
    """The endpoint of a probe: it asks nobody who they are."""

    async def endpoint(request: Request) -> Response:
        return await probe.run(gate, request)

    return endpoint


def _page(run: one_click.Endpoint, gate: Gate) -> Endpoint:
    """The endpoint of a page: the link that leads there is the proof."""

    async def endpoint(request: Request) -> Response:
        return await run(gate, request)

    return endpoint


def _openapi() -> Endpoint:
    described = document()

    async def endpoint(request: Request) -> Response:
        return json_answer(described)

    return endpoint
