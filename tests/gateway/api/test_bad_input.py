"""What the API makes of ids, bodies, paths and methods that are strange or wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from tests.gateway.api.client import Api, Worker, bearer

pytestmark = pytest.mark.asyncio(loop_scope="module")

STRANGE_IDS = [
    "a/b", "a/../b", "..", ".", "/", "//", "a b", "a%2Fb", "a+b", "a:b", "a;b=c", "{p00}", "a{p01}b", "}{", "*",
    "a?b#c", "用户/一", "é", "e\u0301", "😀", '"', "'", "\\", "\\n", "x" * 128, "好" * 128,
]  # fmt: skip


@pytest.mark.req("P1")
@pytest.mark.parametrize("strange", STRANGE_IDS)
async def test_an_id_of_any_characters_is_exactly_that_id(strange: str, api: Api, worker: Worker) -> None:
    path = f"users/{quote(strange, safe='').replace('.', '%2E')}"
    assert (await api.put(f"{path}/protection", {"kinds": ["dm"]}, role="user", sub=strange))["applied"] == 1
    assert worker.state.protection_of(strange) is not None
    closed = [other for other in STRANGE_IDS if worker.state.protection_of(other) is not None]
    assert closed == [strange]
    await api.put(f"{path}/circle/{quote('a/b{p00}', safe='')}", role="user", sub=strange)
    assert await worker.state.is_trusted(strange, "a/b{p00}")
    await api.delete(f"{path}/protection", role="user", sub=strange)
    assert worker.state.protection_of(strange) is None


@pytest.mark.parametrize("bad", ["", "x" * 129, "nul%00", "tab%09", "bell%07", "del%7F", "c1%C2%85", "%FF", "%C3"])
async def test_an_id_that_cannot_be_one_is_refused_by_name(bad: str, api: Api) -> None:
    for path in (f"users/{bad}/protection", f"users/somebody/circle/{bad}", f"rooms/{bad}"):
        status, message = await api.refusal("GET", path)
        assert status == 400
        assert message.startswith("other: " if "circle" in path else "id: ")


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[", b"null", b"[]", b"7", b'"x"', b"{}{}", b"{'a':1}", b'{"duration":"7d",}', b"\xff\xfe",
        b'{"duration":"\xff"}', b'{"duration":NaN}', b'{"preset":"\\ud800"}', b"[" * 50_000, b"   ",
    ],
)  # fmt: skip
async def test_a_body_that_is_no_json_object_is_refused(body: bytes, api: Api) -> None:
    status, message = await api.refusal_of_raw("PUT", "users/unharmed/protection", body)
    assert status == 400
    assert message.startswith("body: ")
    assert not (await api.get("users/unharmed/protection"))["active"]


async def test_a_body_of_more_than_64_kib_is_not_read(api: Api) -> None:
    largest = b'{"duration":"7d"' + b" " * (64 * 1024 - 17) + b"}"
    response = await api.http.put("/shieldwire/v1/users/big/protection", content=largest, headers=bearer("admin"))
    assert response.status_code == 200
    assert await api.refusal_of_raw("PUT", "users/big/protection", largest + b" ") == (
        413, "body: at most 65536 bytes are read here",
    )  # fmt: skip


async def test_a_body_without_a_length_is_counted_as_it_comes(api: Api) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1024
            yield b" " * 1024

    response = await api.http.put("/shieldwire/v1/users/big/protection", content=endless(), headers=bearer("admin"))
    assert response.status_code == 413
    assert sent <= 66 * 1024


@pytest.mark.parametrize(
    "path",
    ["", "v1", "v1/", "v2/cases", "v1/users", "v1/users/x", "v1/users/x/protection/", "v1//users/x/protection",
     "v1/users/x/y/protection", "v1/rooms/a/b/mode", "V1/cases", "openapi.json/", "healthz/x"],
)  # fmt: skip
async def test_a_path_that_is_not_known_is_a_404_in_json(path: str, api: Api) -> None:
    response = await api.http.get(f"/shieldwire/{path}", headers=bearer("admin"))
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not-found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "v1/users/x/protection", "DELETE, GET, PUT"),
        ("GET", "v1/users/x/circle", "POST"),
        ("DELETE", "v1/rooms/x", "GET, PUT"),
        ("GET", "v1/verdicts", "POST"),
        ("POST", "v1/cases", "GET"),
        ("POST", "healthz", "GET, HEAD"),
        ("DELETE", "openapi.json", "GET"),
    ],
)
async def test_a_method_that_is_not_known_is_a_405_in_json_and_names_the_others(
    method: str, path: str, allowed: str, api: Api
) -> None:
    response = await api.http.request(method, f"/shieldwire/{path}", headers=bearer("admin"))
    assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    assert response.json()["error"]["code"] == "method-not-allowed"


async def test_a_parameter_that_is_not_known_is_refused_by_name(api: Api) -> None:
    status, message = await api.refusal("GET", "users/x/protection?verbose=1")
    assert status == 400
    assert "verbose" in message


@pytest.mark.req("P3", "P5", "P10")
@pytest.mark.parametrize("strange", STRANGE_IDS[::3])
async def test_rules_lists_and_facts_of_strange_ids_are_nobody_elses(strange: str, api: Api, worker: Worker) -> None:
    encoded = quote(strange, safe="").replace(".", "%2E")
    me = {"role": "user", "sub": strange}
    await api.put(f"users/{encoded}/dm-rules", {"scope": "friends"}, **me)
    await api.put(f"users/{encoded}/blocklist", {"users": [f"not {strange[:100]}"]}, **me)
    await api.put(f"accounts/{encoded}", {"minor": True})
    state = worker.state
    assert [other for other in STRANGE_IDS if state.own_dm_rules_of(other) is not None] == [strange]
    assert [other for other in STRANGE_IDS if state.blocked_by(other) is not None] == [strange]
    assert [other for other in STRANGE_IDS if state.is_minor(other)] == [strange]
    for path in (f"users/{encoded}/dm-rules", f"users/{encoded}/blocklist", f"accounts/{encoded}"):
        await api.delete(path)
    assert not state.is_minor(strange)


@pytest.mark.parametrize("bad", ["", "x" * 129, "nul%00", "tab%09", "del%7F", "%FF"])
async def test_an_id_that_cannot_be_one_is_refused_by_name_everywhere(bad: str, api: Api) -> None:
    calls = [
        ("PUT", f"users/{bad}/dm-rules"),
        ("POST", f"users/{bad}/protection/link"),
        ("POST", f"users/{bad}/circle"),
    ]
    for method, path in [*calls, ("PUT", f"users/{bad}/blocklist"), ("PUT", f"accounts/{bad}/sanctions")]:
        status, message = await api.refusal(method, path, {})
        assert (status, message.partition(":")[0]) == (400, "id")
