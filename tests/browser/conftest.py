"""A Chromium to drive, and the seats of the demo as its pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Headless, and quiet: it talks to the demo and to nobody else.
OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 15_000


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser; without one the test is skipped, but under CI it fails."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium is installed, and under CI the browser tests must run")
        pytest.skip("no Chromium is installed")
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield running
        await running.close()


class SeatPage:
    """One seat of the demo in a window of its own."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def find(self, testid: str, **data: str) -> Locator:
        """The elements with this test id and these data attributes."""
        attributes = "".join(f'[data-{name}="{value}"]' for name, value in {"testid": testid, **data}.items())
        return self.page.locator(attributes)

    async def send(self, where: str, text: str) -> None:
        """Write ``text`` as a barrage, a comment or a dm, and press the button."""
        await self.find(f"{where}-input").fill(text)
        await self.find(f"{where}-send").click()

    async def expect_fate(self, text: str, state: str, reason: str = "") -> None:
        """The latest message of this page is ``text``, and this is what the page says became of it."""
        latest = self.find("outbox-entry").last
        await expect(latest).to_contain_text(text)
        await expect(latest).to_have_attribute("data-state", state)
        await expect(latest).to_have_attribute("data-reason", reason)

    async def expect_seen(self, testid: str, user: str, text: str) -> None:
        """A barrage, comment or dm of ``user`` has arrived on this page."""
        await expect(self.find(testid, user=user).filter(has_text=text).first).to_be_attached()


async def take_seat(browser: Browser, base_url: str, seat: str) -> SeatPage:
    """Open the page of a seat and wait until it is connected to the room."""
    page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
    opened = SeatPage(page)
    await page.goto(f"{base_url}/?seat={seat}")
    await expect(opened.find("link")).to_have_attribute("data-state", "open")
    return opened
