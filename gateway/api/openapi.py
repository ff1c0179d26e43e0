"""The OpenAPI 3.1 document, generated from the table of operations, the table of rights and the structs."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

import msgspec

from gateway.api import one_click
from gateway.api.answers import TimedChange
from gateway.api.bodies import Id
from gateway.api.faults import FaultAnswer
from gateway.api.operation import Operation
from gateway.api.operations import OPERATIONS
from gateway.api.probes import PROBES, Probe
from gateway.api.reading import NDJSON
from gateway.api.rights import Reach, Role, reach

OPENAPI_PATH = "/openapi.json"
_BASE = "/shieldwire"
_REFERENCE = "#/components/schemas/{name}"
_ID_NAME = re.compile(r"\{(\w+)\}")
Schema = dict[str, Any]


def document() -> Schema:
    """The document, as JSON objects; every reference in it points into its own components."""
    described = _Described()
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        paths.setdefault(_BASE + operation.path, {})[operation.method.lower()] = described.operation(operation)
    for probe in PROBES:
        paths[_BASE + probe.path] = {"get": described.probe(probe)}
    paths[_BASE + one_click.PATH] = {
        "get": described.page("one-click.show", one_click.show, None),
        "post": described.page("one-click.press", one_click.press, TimedChange),
    }
    paths[_BASE + OPENAPI_PATH] = {"get": described.itself()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shieldwire control API",
            "version": version("shieldwire"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": described.schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


class _Described:
    """Describes tables row by row; the schemas of all structs are made once and referred to."""

    def __init__(self) -> None:
        types: list[Any] = [FaultAnswer, *(probe.answer for probe in PROBES)]
        for operation in OPERATIONS:
            feed = [operation.feed] if operation.feed is not None else []
            types += [kind for kind in (*operation.inputs, *operation.answers, *feed) if kind not in types]
        references, self.schemas = msgspec.json.schema_components(types, ref_template=_REFERENCE)
        self._reference = dict(zip(types, references, strict=True))
        self._fault = self._json(FaultAnswer)
        # A query is no body: its fields are told one by one, as parameters.
        queries = {operation.input.__name__ for operation in OPERATIONS if not operation.reads_body}
        bodies = {operation.input.__name__ for operation in OPERATIONS if operation.reads_body}
        self._queries = {name: self.schemas[name]["properties"] for name in queries}
        for name in queries - bodies:
            del self.schemas[name]

    def operation(self, operation: Operation[Any]) -> Schema:
        """One row of `OPERATIONS`."""
        described: Schema = {
            "operationId": operation.name,
            "tags": [operation.noun],
            "summary": operation.summary,
            "description": _who(operation.name),
            "security": [{"token": []}],
            "parameters": self._parameters(operation),
            "responses": {
                "200": {"description": "Done.", "content": self._json(*operation.answers)},
                "4XX": {"description": "Refused; the fault is the caller's.", "content": self._fault},
                "503": {"description": "Not now, or not configured.", "content": self._fault},
            },
        }
        if operation.reads_body:
            body: Schema = self._json(*operation.inputs)
            if operation.examples:
                numbered = enumerate(operation.examples, 1)
                body["application/json"]["examples"] = {str(n): {"value": example} for n, example in numbered}
            if operation.feed is not None:
                (entry,), _ = msgspec.json.schema_components([operation.feed], ref_template=_REFERENCE)
                schema = body["application/json"]["schema"]
                body["application/json"]["schema"] = {"oneOf": [schema, {"type": "array", "items": entry}]}
                body[NDJSON] = {"schema": entry}
            described["requestBody"] = {"content": body}
        if operation.name == "case.list":
            described["responses"]["200"]["content"]["text/event-stream"] = {"schema": {"type": "string"}}
        return described

    def probe(self, probe: Probe) -> Schema:
        """One row of `PROBES`."""
        plain = {"text/plain": {"schema": {"type": "string"}}}
        content = plain if probe.answer is str else self._json(probe.answer)
        responses = {"200": {"description": "Yes.", "content": content}}
        if probe.may_fail:
            responses["503"] = {"description": "Not yet.", "content": content}
        summary = (probe.run.__doc__ or "").partition("\n")[0]
        return {"operationId": probe.path.strip("/"), "tags": ["probe"], "summary": summary, "responses": responses}

    def page(self, name: str, run: one_click.Endpoint, answer: type | None) -> Schema:
        """A page: HTML for browsers; JSON, where it answers any, for programs."""
        html = {one_click.HTML: {"schema": {"type": "string"}}}
        token = {"name": one_click.PARAMETER, "in": "query", "required": True, "schema": {"type": "string"}}
        return {
            "operationId": name,
            "tags": ["page"],
            "summary": (run.__doc__ or "").partition("\n")[0],
            "parameters": [token],
            "responses": {
                "200": {"description": "Done.", "content": html | (self._json(answer) if answer else {})},
                "4XX": {"description": "The link is invalid, expired or used.", "content": html | self._fault},
                "503": {"description": "Not now.", "content": html | self._fault},
            },
        }

    def itself(self) -> Schema:
        """This document."""
        anything = {"application/json": {"schema": {"type": "object"}}}
        responses = {"200": {"description": "OpenAPI 3.1.", "content": anything}}
        return {"operationId": "openapi", "tags": ["probe"], "summary": "This document.", "responses": responses}

    def _parameters(self, operation: Operation[Any]) -> list[Schema]:
        (identity,), _ = msgspec.json.schema_components([Id])
        found: list[Schema] = [
            {"name": name, "in": "path", "required": True, "schema": identity}
            for name in _ID_NAME.findall(operation.path)
        ]
        if not operation.reads_body:
            parameters = self._queries[operation.input.__name__]
            found += [{"name": name, "in": "query", "schema": schema} for name, schema in parameters.items()]
        return found

    def _json(self, *kinds: type) -> Schema:
        schemas = [self._reference[kind] for kind in kinds]
        return {"application/json": {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}}


def _who(operation: str) -> str:
    """The row of the table of rights, in words."""
    anybody = [role.value for role in Role if reach(operation, role) is Reach.ANY]
    themselves = [role.value for role in Role if reach(operation, role) is Reach.OWN]
    words = f"Roles: {', '.join(anybody)}"
    return f"{words}; {', '.join(themselves)} for themselves." if themselves else f"{words}."
