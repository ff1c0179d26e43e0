"""One-click links: made by the platform, shown by GET, used once by POST (requirements P1, P2)."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from gateway.links import Link, LinkError, LinkFault, Links
from gateway.settings import ApiSettings, Settings, StateSettings
from gateway.state.engine import Engine
from gateway.state.replica import Change, Noun
from gateway.state.state import open_state
from protection.notices import Notice, Topic
from protection.policy import Policy
from protection.protections import ONE_KEY
from tests.gateway.api.client import SECRET, Api, Worker, application

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.req("P1", "P2")]

HTML = {"Accept": "text/html"}
DAY_S = 86_400


async def made(api: Api, person: str, **body: Any) -> str:
    answer = await api.post(f"users/{person}/protection/link", body, role="platform")
    link: str = answer["link"]
    return link


def code(response: httpx.Response) -> str:
    found: str = response.json()["error"]["code"]
    return found


async def test_a_link_shows_by_get_acts_by_post_and_acts_once(api: Api, worker: Worker, person: str) -> None:
    link = await made(api, person, duration="2d")
    for _ in range(3):
        shown = await api.http.get(link, headers=HTML)
        assert shown.status_code == 200
        assert worker.state.protection_of(person) is None, "to look at it changes nothing"
    assert "开启防护" in shown.text
    assert "Protect me" in shown.text
    assert "2 天" in shown.text
    assert "2 days" in shown.text
    before = worker.state.now()
    pressed = await api.http.post(link)
    assert pressed.status_code == 200
    answer = pressed.json()
    assert answer.keys() == {"epoch", "applied", "of", "durable", "until"}
    assert before + 2 * DAY_S <= answer["until"] <= worker.state.now() + 2 * DAY_S
    protection = worker.state.protection_of(person)
    assert protection is not None
    assert (protection.kinds, protection.preset) == (ONE_KEY, "one-key")
    await api.delete(f"users/{person}/protection")
    for request in (api.http.post, api.http.get):
        replayed = await request(link)
        assert (replayed.status_code, code(replayed)) == (410, "link-used")
        assert worker.state.protection_of(person) is None
    replayed = await api.http.post(link, headers=HTML)
    assert replayed.status_code == 410
    assert "此链接已使用过" in replayed.text
    assert "This link has been used" in replayed.text


async def test_a_link_pressed_on_many_workers_at_once_acts_on_one(
    api: Api, engine: Engine, worker: Worker, person: str
) -> None:
    link = await made(api, person)
    async with open_state(StateSettings(data_dir=str(engine.data_dir)), Policy, "other", engine.url) as state:
        await state.loaded()
        other = Api(application(Worker(state)))
        async with other.http:
            pressed = await asyncio.gather(*(each.http.post(link) for each in (api, other) * 5))
    assert sorted(response.status_code for response in pressed) == [200] + [410] * 9


async def test_a_link_that_was_changed_or_is_not_ours_is_refused(api: Api, worker: Worker, person: str) -> None:
    link = await made(api, person)
    (token,) = parse_qs(urlsplit(link).query)["token"]
    middle = len(token) // 3
    forged = Links(b"another key").sign(Link(person, "one-key", 60, worker.state.now() + 60))
    bad = [
        "",
        "x",
        token[:-1],
        token + "A",
        token[:middle] + ("a" if token[middle] != "a" else "b") + token[middle + 1 :],
        forged,
    ]
    for each in bad:
        for request in (api.http.get, api.http.post):
            response = await request("/shieldwire/one-click", params={"token": each})
            assert (response.status_code, code(response)) == (400, "link-invalid")
    response = await api.http.get("/shieldwire/one-click", headers=HTML)
    assert response.status_code == 400
    assert "此链接无效" in response.text
    assert worker.state.protection_of(person) is None


async def test_a_link_that_has_expired_is_refused(api: Api, worker: Worker, person: str) -> None:
    links = Links(await worker.state.secret("one-click"))
    now = worker.state.now()
    token = links.sign(Link(person, "one-key", 60, now - 1))
    for request in (api.http.get, api.http.post):
        response = await request("/shieldwire/one-click", params={"token": token})
        assert (response.status_code, code(response)) == (410, "link-expired")
    with pytest.raises(LinkError) as refused:
        links.read(token, now)
    assert refused.value.fault is LinkFault.EXPIRED
    assert links.read(token, now - 2).person == person


async def test_the_page_runs_nothing_is_kept_nowhere_and_shows_an_id_as_text(api: Api) -> None:
    link = await made(api, "%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    page = await api.http.get(link, headers=HTML)
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_a_link_can_be_sent_to_the_persons_sockets(api: Api, worker: Worker, person: str) -> None:
    told: list[Change] = []
    stop = worker.state.subscribe(told.append)
    answer = await api.post(f"users/{person}/protection/link", {"tell": True}, role="moderator")
    stop()
    assert (answer["told"]["applied"], answer["told"]["of"]) == (1, 1)
    (change,) = told
    assert (change.noun, change.id) == (Noun.NOTICE, person)
    assert change.value is not None
    notice = msgspec.json.decode(change.value, type=Notice)
    assert (notice.topic, notice.link, notice.until) == (Topic.PROTECT, answer["link"], answer["expires"])
    silent = await api.post(f"users/{person}/protection/link", {}, role="moderator")
    assert silent["told"] is None


async def test_links_lead_to_the_address_that_people_know(worker: Worker, person: str) -> None:
    api_settings = ApiSettings(secret=SECRET, public_url="https://live.example/")
    public = Api(application(Worker(worker.state, settings=Settings(api=api_settings))))
    async with public.http:
        assert (await made(public, person)).startswith("https://live.example/shieldwire/one-click?token=")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"expires": "0s"}, "expires"),
        ({"expires": "-1h"}, "expires"),
        ({"expires": "9999999d"}, "expires"),
        ({"duration": -7}, "duration"),
        ({"duration": 10**12}, "duration"),
        ({"preset": "none"}, "preset"),
        ({"tell": "yes"}, "tell"),
        ({"person": "me"}, "person"),
    ],
)
async def test_a_link_that_makes_no_sense_is_refused_by_name(api: Api, body: object, complaint: str) -> None:
    status, message = await api.refusal("POST", "users/unharmed/protection/link", body)
    assert status == 400
    assert complaint in message
