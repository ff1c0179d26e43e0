"""The OpenAPI document says what the API does: every path, method, role, body and answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from starlette.routing import BaseRoute

from gateway.api.bodies import Input
from gateway.api.operations import OPERATIONS
from gateway.api.resource import Resource
from gateway.api.rights import RIGHTS
from gateway.api.routes import control_routes
from tests.gateway.api.client import Api, Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

Document = dict[str, Any]


@pytest.fixture
async def document(api: Api) -> Document:
    response = await api.http.get("/shieldwire/openapi.json")
    assert response.headers["content-type"] == "application/json"
    found: Document = response.json()
    return found


def described(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


async def test_every_route_is_described_and_nothing_else(document: Document, worker: Worker) -> None:
    routes: list[BaseRoute] = control_routes(worker)
    served = {
        (f"/shieldwire{route.path}", method)
        for route in routes
        if isinstance(route, Resource)
        for method in route.endpoints
        if method != "HEAD"
    }
    assert {(path, method) for path, method, _ in described(document)} == served


async def test_every_reference_leads_somewhere_and_every_name_is_unique(document: Document) -> None:
    assert document["openapi"].startswith("3.1.")
    schemas = document["components"]["schemas"]
    references = set(re.findall(r'"\$ref":"([^"]+)"', msgspec.json.encode(document).decode()))
    assert references == {f"#/components/schemas/{name}" for name in schemas}
    names = [operation["operationId"] for _, _, operation in described(document)]
    assert len(names) == len(set(names))


async def test_every_operation_says_whom_it_is_for_and_which_ids_it_takes(document: Document) -> None:
    for path, _, operation in described(document):
        in_path = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", path)
        assert operation["summary"].endswith(".")
        guarded = operation["operationId"] in RIGHTS
        assert ("security" in operation) == guarded
        assert ("Roles: " in operation.get("description", "")) == guarded
    roles = {operation["operationId"]: operation.get("description") for _, _, operation in described(document)}
    assert roles["protection.engage"] == "Roles: platform, admin; user for themselves."
    assert roles["case.list"] == "Roles: moderator, admin."


async def test_query_parameters_are_described(document: Document) -> None:
    (limit,) = document["paths"]["/shieldwire/v1/cases"]["get"]["parameters"]
    assert (limit["name"], limit["in"], limit["schema"]["maximum"]) == ("limit", "query", 200)


def examples(document: Document) -> Iterator[tuple[str, str, Any]]:
    for path, method, operation in described(document):
        body = operation.get("requestBody", {"content": {}})["content"].get("application/json", {})
        for example in body.get("examples", {}).values():
            yield path, method, example["value"]


async def test_every_body_that_says_something_has_an_example(document: Document) -> None:
    with_examples = {(path, method) for path, method, _ in examples(document)}
    speaking = {
        (f"/shieldwire{o.path}", o.method) for o in OPERATIONS if o.reads_body and msgspec.structs.fields(o.input)
    }
    assert with_examples == speaking


async def test_every_example_is_taken_by_the_api_itself(document: Document, api: Api) -> None:
    for path, method, body in examples(document):
        address = re.sub(r"\{\w+\}", "somebody", path.removeprefix("/shieldwire/v1/"))
        response = await api.call(method, address, body)
        assert response.status_code == 200, (path, body, response.text)


async def test_every_field_of_a_body_is_described_and_no_other_is_allowed(document: Document) -> None:
    kinds: list[type[Input]] = [kind for o in OPERATIONS if o.reads_body for kind in o.inputs]
    for kind in kinds:
        schema = document["components"]["schemas"][kind.__name__]
        assert set(schema["properties"]) == {field.encode_name for field in msgspec.structs.fields(kind)}
        assert schema["additionalProperties"] is False
