"""Who may do what: every operation, called in every role, for themselves and for somebody else."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from gateway.settings import ApiSettings, Settings
from tests.gateway.api.client import SECRET, Api, Worker, application, bearer

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = {"kind": "chat", "sender": "s", "text": "hello"}
CALLS: dict[str, tuple[str, str, Any]] = {
    "protection.engage": ("PUT", "users/me/protection", {}),
    "protection.read": ("GET", "users/me/protection", None),
    "protection.release": ("DELETE", "users/me/protection", None),
    "link.make": ("POST", "users/me/protection/link", {"tell": True}),
    "blocklist.set": ("PUT", "users/me/blocklist", {"words": ["西瓜"]}),
    "blocklist.read": ("GET", "users/me/blocklist", None),
    "blocklist.clear": ("DELETE", "users/me/blocklist", None),
    "dm-rules.set": ("PUT", "users/me/dm-rules", {"until_reply": True}),
    "dm-rules.read": ("GET", "users/me/dm-rules", None),
    "dm-rules.clear": ("DELETE", "users/me/dm-rules", None),
    "account.tell": ("PUT", "accounts/me", {"minor": True}),
    "account.read": ("GET", "accounts/me", None),
    "account.forget": ("DELETE", "accounts/me", None),
    "circle.change": ("POST", "users/me/circle", {"add": ["friend"]}),
    "circle.trust": ("PUT", "users/me/circle/friend", {}),
    "circle.read": ("GET", "users/me/circle/friend", None),
    "circle.distrust": ("DELETE", "users/me/circle/friend", None),
    "room.own": ("PUT", "rooms/me", {"owner": "me"}),
    "room.read": ("GET", "rooms/me", None),
    "mode.set": ("PUT", "rooms/me/mode", {"mode": "slow"}),
    "mode.read": ("GET", "rooms/me/mode", None),
    "mode.clear": ("DELETE", "rooms/me/mode", None),
    "sanction.impose": ("PUT", "accounts/me/sanctions", {"measure": "mute", "duration": "1h", "reason": "r"}),
    "sanction.read": ("GET", "accounts/me/sanctions", None),
    "sanction.lift": ("DELETE", "accounts/me/sanctions", None),
    "limits.set": ("PUT", "limits", {"flood": "20/10s"}),
    "limits.read": ("GET", "limits", None),
    "limits.clear": ("DELETE", "limits", None),
    "case.list": ("GET", "cases", None),
    "verdict.ask": ("POST", "verdicts", QUESTION),
}
OWN = {name for name in CALLS if name.startswith(("protection.", "blocklist.", "circle.", "dm-rules."))}
# Written down here a second time, by role: the table of the code is what is tested.
MAY: dict[str, set[str]] = {
    "user": set(),
    "platform": set(CALLS) - {"case.list", "limits.set", "limits.clear"},
    "moderator": {n for n in CALLS if n.startswith(("mode.", "sanction."))}
    | {"case.list", "protection.read", "link.make"},
    "admin": set(CALLS),
}


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.req("P1", "P5", "O1")
async def test_each_role_may_do_what_the_table_says_and_nothing_else(name: str, role: str, api: Api) -> None:
    method, path, body = CALLS[name]
    for_others = await api.call(method, path, body, role=role, sub="somebody")
    assert for_others.status_code == (200 if name in MAY[role] else 403), for_others.text
    for_themselves = await api.call(method, path, body, role=role, sub="me")
    allowed = name in MAY[role] or (role == "user" and name in OWN)
    assert for_themselves.status_code == (200 if allowed else 403), for_themselves.text


@pytest.mark.req("P1")
async def test_nobody_is_taken_for_somebody_else_by_how_an_id_is_written(api: Api) -> None:
    await api.put("users/me/protection", role="user", sub="me")
    for disguise in ("me%2F", "ME", "me%20", "m%C3%A9", "%2e%2e%2fme", "me%2Fprotection%2F.."):
        status, message = await api.refusal("DELETE", f"users/{disguise}/protection", role="user", sub="me")
        assert (status, message) == (403, "a user may do this only for themselves")
    assert (await api.get("users/me/protection"))["active"]
    assert await api.delete("users/%6de/protection", role="user", sub="me")  # "me", written in another way


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "token-missing"),
        ("Basic c29tZWJvZHk6c2VjcmV0", "token-missing"),
        ("Bearer", "token-missing"),
        ("Bearer not.a.token", "token-invalid"),
        (bearer("admin", exp=int(time.time()) - 1)["Authorization"], "token-expired"),
        (bearer("emperor")["Authorization"], "token-invalid"),
        (bearer("user", sub="")["Authorization"], "token-invalid"),
        (bearer("user", sub="two\nlines")["Authorization"], "token-invalid"),
        ("Bearer " + jwt.encode({"role": "admin", "exp": 9_999_999_999}, SECRET), "token-invalid"),
        ("Bearer " + jwt.encode({"sub": "s", "role": "admin"}, SECRET), "token-invalid"),
        ("Bearer " + jwt.encode({"sub": "s", "role": "admin", "exp": 9_999_999_999}, SECRET[::-1]), "token-invalid"),
    ],
)
async def test_without_a_token_that_holds_nothing_is_done(authorization: str, code: str, api: Api) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for method, path, body in CALLS.values():
        response = await api.http.request(method, f"/shieldwire/v1/{path}", json=body, headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (401, code)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_scheme_of_the_authorization_header_is_written_in_any_case(api: Api) -> None:
    lower = bearer("admin")["Authorization"].replace("Bearer", "bearer")
    assert (await api.http.get("/shieldwire/v1/cases", headers={"Authorization": lower})).status_code == 200


async def test_without_a_key_to_verify_tokens_with_the_api_is_off_and_says_so(worker: Worker) -> None:
    off = Api(application(Worker(worker.state, settings=Settings(api=ApiSettings()))))
    async with off.http:
        for method, path, body in CALLS.values():
            status, message = await off.refusal(method, path, body)
            assert status == 503
            assert "[api]" in message
        assert (await off.http.get("/shieldwire/healthz")).status_code == 200
