"""The demo as people see it: several seats in a real browser, the real gateway in between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import SeatPage, take_seat
from tests.gateway.demo.running import Demo, demo, processes_of, unfinished_files

pytestmark = pytest.mark.browser

ABUSE = "你这个贱人怎么还不去死"
HARMLESS = "晚上好，唱得真好听"
SCREENSHOT = "SHIELDWIRE_SCREENSHOT"


@pytest.fixture
def base_url(tmp_path: Path) -> Iterator[str]:
    """A demo of the test's own."""
    with demo(tmp_path) as (_, address):
        yield address


@pytest.fixture(scope="module")
def shared_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One demo for all the tests that change nothing but add messages."""
    with demo(tmp_path_factory.mktemp("shared")) as (_, address):
        yield address


async def seats(browser: Browser, base_url: str, *names: str) -> list[SeatPage]:
    return await asyncio.gather(*(take_seat(browser, base_url, name) for name in names))


@pytest.mark.req("S3", "P4", "D3")
async def test_a_strangers_abusive_barrage_is_not_seen_and_the_stranger_is_told(
    browser: Browser, shared_url: str
) -> None:
    viewer, stranger = await seats(browser, shared_url, "viewer", "stranger")
    await stranger.send("barrage", ABUSE)
    await stranger.expect_fate(ABUSE, "refused", "insult")
    await expect(stranger.find("outbox-why")).to_contain_text("not delivered")
    await expect(stranger.find("count-refused")).to_have_text("1")
    await stranger.send("barrage", HARMLESS)
    await stranger.expect_fate(HARMLESS, "delivered")
    await viewer.expect_seen("barrage", "stranger", HARMLESS)  # order is kept: the abuse would have come before it
    await expect(viewer.page.get_by_text(ABUSE)).to_have_count(0)


@pytest.mark.req("P1", "P6")
async def test_one_key_closes_the_streamer_to_strangers_but_not_to_friends(browser: Browser, base_url: str) -> None:
    viewer, streamer, stranger, friend = await seats(browser, base_url, "viewer", "streamer", "stranger", "friend")
    await stranger.send("comment", HARMLESS)
    await stranger.expect_fate(HARMLESS, "delivered")

    await streamer.find("onekey").click()
    await expect(streamer.find("onekey")).to_have_attribute("aria-pressed", "true")
    await expect(streamer.find("protection-status")).to_contain_text("In force on 1 of 1")
    await stranger.send("comment", "又是我，很好听")
    await stranger.expect_fate("又是我，很好听", "refused", "protected")
    await stranger.send("barrage", HARMLESS)
    await stranger.expect_fate(HARMLESS, "refused", "protected")
    await open_drawer(stranger)
    await stranger.send("dm", HARMLESS)
    await stranger.expect_fate(HARMLESS, "refused", "protected")
    await friend.send("comment", "我在，别怕")
    await friend.expect_fate("我在，别怕", "delivered")
    await viewer.expect_seen("comment", "friend", "我在，别怕")
    await expect(viewer.find("comment", user="stranger")).to_have_count(1)

    await streamer.find("onekey").click()
    await expect(streamer.find("onekey")).to_have_attribute("aria-pressed", "false")
    await stranger.send("comment", "再见，晚安")
    await stranger.expect_fate("再见，晚安", "delivered")


@pytest.mark.req("P1")
async def test_each_switch_closes_its_own_channel_alone(browser: Browser, base_url: str) -> None:
    streamer, stranger = await seats(browser, base_url, "streamer", "stranger")
    await streamer.find("switch-comment").click()
    await expect(streamer.find("protection-status")).to_contain_text("In force on 1 of 1")
    for kind, on in {"comment": "true", "dm": "false", "barrage": "false"}.items():
        await expect(streamer.find(f"switch-{kind}")).to_have_attribute("aria-checked", on)
    await stranger.send("comment", HARMLESS)
    await stranger.expect_fate(HARMLESS, "refused", "protected")
    await stranger.send("barrage", HARMLESS)
    await stranger.expect_fate(HARMLESS, "delivered")
    await streamer.find("switch-comment").click()
    await expect(streamer.find("protection-status")).to_contain_text("Off")


@pytest.mark.req("W6", "S3", "D2")
async def test_the_moderator_sees_the_case_live_and_shuts_the_room_or_mutes_the_sender(
    browser: Browser, base_url: str
) -> None:
    moderator, viewer, stranger = await seats(browser, base_url, "moderator", "viewer", "stranger")
    await expect(moderator.find("case-count")).to_have_text("0")
    await stranger.send("barrage", ABUSE)
    case = moderator.find("case", subject="streamer")
    await expect(case).to_contain_text(ABUSE)
    await expect(moderator.find("incident", sender="stranger")).to_have_count(1)

    await moderator.find("shut-room").click()
    await expect(viewer.find("room-shut")).to_be_visible()
    await expect(moderator.find("mode")).to_have_attribute("data-mode", "shut")
    await stranger.send("comment", HARMLESS)
    await stranger.expect_fate(HARMLESS, "refused", "room-shut")
    await moderator.find("reopen-room").click()
    await expect(viewer.find("room-shut")).to_be_hidden()
    await expect(stranger.find("link")).to_have_attribute("data-state", "open")

    await moderator.find("mute", sender="stranger").click()
    await expect(moderator.find("case")).to_contain_text("Stranger is muted")
    await stranger.send("barrage", HARMLESS)
    await stranger.expect_fate(HARMLESS, "refused", "muted")


@pytest.mark.req("D1")
async def test_a_reminder_can_be_insisted_on_or_heeded(browser: Browser, shared_url: str) -> None:
    viewer, stranger = await seats(browser, shared_url, "viewer", "stranger")
    await stranger.send("comment", "you suck, first try")
    await stranger.expect_fate("you suck, first try", "nudge", "insult")
    await stranger.find("nudge-drop").click()
    await stranger.expect_fate("you suck, first try", "dropped")
    for where in ("comment", "barrage"):
        await stranger.send(where, f"you suck as a {where}")
        await stranger.expect_fate(f"you suck as a {where}", "nudge", "insult")
        await stranger.find("nudge-insist").click()
        await stranger.expect_fate(f"you suck as a {where}", "delivered")
        await viewer.expect_seen(where, "stranger", f"you suck as a {where}")
    await expect(viewer.page.get_by_text("first try")).to_have_count(0)


async def test_a_direct_message_arrives_and_is_there_again_after_a_reload(browser: Browser, shared_url: str) -> None:
    streamer, friend = await seats(browser, shared_url, "streamer", "friend")
    await open_drawer(friend)
    await friend.send("dm", "明天见")
    await friend.expect_fate("明天见", "delivered")
    await expect(streamer.find("dm-toggle")).to_contain_text("1")
    await streamer.page.reload()
    await open_drawer(streamer)
    await streamer.find("dm-people-friend").click()
    await streamer.expect_seen("dm", "friend", "明天见")


async def test_a_page_speaks_both_languages(browser: Browser, shared_url: str) -> None:
    (viewer,) = await seats(browser, shared_url, "viewer")
    await expect(viewer.find("onekey")).to_contain_text("One-key protection")
    await viewer.find("language").click()
    await expect(viewer.find("onekey")).to_contain_text("一键防护")
    await viewer.page.reload()
    await expect(viewer.find("barrage-send")).to_have_text("发送")


async def test_words_are_never_markup(browser: Browser, shared_url: str) -> None:
    viewer, friend = await seats(browser, shared_url, "viewer", "friend")
    script = "<img src=x onerror=\"document.title='broken'\"><b>hi</b>"
    for where in ("barrage", "comment"):
        await friend.send(where, script)
        await viewer.expect_seen(where, "friend", script)
    assert await viewer.page.title() == "Shieldwire demo"


@pytest.mark.req("P1")
async def test_ctrl_c_leaves_nothing_and_a_second_start_finds_the_protection(browser: Browser, tmp_path: Path) -> None:
    with demo(tmp_path) as (running, address):
        (streamer,) = await seats(browser, address, "streamer")
        await streamer.find("onekey").click()
        await expect(streamer.find("protection-status")).to_contain_text("In force on 1 of 1")
        await streamer.send("comment", "明晚八点见")
        await streamer.expect_fate("明晚八点见", "delivered")
        assert running.interrupt() == 0  # with the page's sockets still open
        await expect(streamer.find("link")).to_have_attribute("data-state", "connecting")
    assert processes_of(tmp_path) == {}
    assert unfinished_files(tmp_path) == []
    with demo(tmp_path) as (_, address):
        streamer, stranger = await seats(browser, address, "streamer", "stranger")
        await expect(streamer.find("onekey")).to_have_attribute("aria-pressed", "true")
        await streamer.expect_seen("comment", "streamer", "明晚八点见")
        await stranger.send("comment", HARMLESS)
        await stranger.expect_fate(HARMLESS, "refused", "protected")


async def test_a_page_finds_its_way_back_to_a_gateway_that_was_started_again(browser: Browser, tmp_path: Path) -> None:
    with demo(tmp_path) as (running, address):
        (viewer,) = await seats(browser, address, "viewer")
        assert running.interrupt() == 0
    port = address.rpartition(":")[2]
    with Demo(tmp_path, "--port", port) as again:
        again.ready()
        await expect(viewer.find("link")).to_have_attribute("data-state", "open")
        await viewer.send("barrage", HARMLESS)
        await viewer.expect_fate(HARMLESS, "delivered")


@pytest.mark.req("P1", "S3")
async def test_a_crowd_comes_down_and_one_key_keeps_it_out(browser: Browser, base_url: str, tmp_path: Path) -> None:
    """Ends with a picture: the crowd at its work, the streamer protected, her friends around her."""
    streamer, friend = await seats(browser, base_url, "streamer", "friend")
    await streamer.find("intensity-high").click()
    await streamer.find("crowd").click()
    await expect(streamer.find("crowd")).to_have_attribute("aria-checked", "true")
    await expect(streamer.page.locator('[data-testid="barrage"][data-user^="stranger-"]').first).to_be_attached()
    await streamer.find("onekey").click()
    await expect(streamer.find("protection-status")).to_contain_text("In force on 1 of 1")

    delivered = int(await streamer.find("crowd-delivered").inner_text())
    refused = int(await streamer.find("crowd-refused").inner_text())
    await expect(streamer.find("crowd-refused")).not_to_have_text(str(refused))
    await streamer.page.mouse.move(0, 0)
    await streamer.send("comment", "谢谢大家陪着我，今晚继续唱")
    await friend.send("comment", "刚才那些话都没送到，放心唱吧")
    await friend.send("comment", "none of it got through. next song?")
    await streamer.send("comment", "下一首，送给你们")
    for line in ("我们都在 ❤", "大家冷静一点，先听歌", "the next song, please!", "唱得真好", "we love this one"):
        await friend.send("barrage", line)
        await friend.expect_fate(line, "delivered")
        await streamer.expect_seen("barrage", "friend", line)
    await streamer.page.wait_for_function(
        "least => Number(document.getElementById('crowd-refused').textContent) > least", arg=refused + 60
    )
    # What was on its way when the key was pressed may still have come; the crowd went on for seconds after that.
    assert int(await streamer.find("crowd-delivered").inner_text()) <= delivered + 20

    picture = await streamer.page.screenshot(path=os.environ.get(SCREENSHOT) or tmp_path / "demo.png")
    assert picture.startswith(b"\x89PNG")
    await streamer.find("crowd").click()
    await expect(streamer.find("crowd")).to_have_attribute("aria-checked", "false")


async def open_drawer(seat: SeatPage) -> None:
    await seat.find("dm-toggle").click()
    await expect(seat.find("dm-drawer")).to_be_visible()
