"""A page of the playground in a real browser, and what it complained of."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.endpoint.playground.conftest import Tried

PATIENCE_MS = 60_000


class Watched:
    """A page, and what it complained of."""

    def __init__(self, browser: Browser, width: int = 1280, **context: Any) -> None:
        expect.set_options(timeout=PATIENCE_MS)
        self.complaints: list[str] = []
        self.page: Page = browser.new_page(viewport={"width": width, "height": 800}, **context)
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def show(self, url: str, release: str = "") -> Page:
        """Open the playground, and wait for the form where ``release`` is in the address."""
        self.page.goto(f"{url}/playground?{release}")
        if release:
            expect(self.page.locator("#question")).to_be_visible()
        return self.page


def ask_picture(page: Page, tried: Tried) -> None:
    """Choose the picture, ask, and wait for the answer."""
    page.get_by_label("Form of IMAGE").select_option("file")
    page.get_by_label("File for IMAGE").set_input_files(tried.picture)
    expect(page.locator(".preview img")).to_be_visible()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#answers [data-output=LABEL]").first).to_be_visible()
