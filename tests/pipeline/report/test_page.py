"""The report's page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from slipway.pipeline.report import render
from tests import chromium
from tests.pipeline.report import sample_report
from tests.pipeline.report.sample_report import EVIL


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a real browser."""
    with chromium.launched() as browser:
        yield browser


class OpenedPage:
    """The page of a report, its console messages and its requests."""

    def __init__(self, browser: Browser, file: Path, width: int, scheme: str) -> None:
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page with something in every part."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render.render_html(sample_report.report()), encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_and_nothing_is_requested_from_the_network(
    browser: Browser, file: Path, width: int, scheme: str
) -> None:
    shown = OpenedPage(browser, file, width, scheme)
    assert shown.page.evaluate("document.documentElement.scrollWidth") == width
    assert shown.messages == []
    assert [url for url in shown.requests if not url.startswith("data:")] == [file.as_uri()]
    shown.page.close()


def test_markup_in_names_and_texts_is_text_and_runs_nothing(browser: Browser, file: Path) -> None:
    shown = OpenedPage(browser, file, 1280, "light")
    expect(shown.page.get_by_role("heading", name=EVIL).first).to_be_visible()
    assert shown.page.locator("img, script, iframe").count() == 0
    assert shown.messages == []
    shown.page.close()


def test_what_charts_show_can_be_read_without_seeing_them(browser: Browser, file: Path) -> None:
    page = OpenedPage(browser, file, 1280, "light").page
    interval = page.get_by_role("img", name="p50: +20 % (+10 % to +30 %)")
    expect(interval).to_be_visible()
    pair = page.locator(".pair").filter(has_text="latency p50").first
    for text in ("10 ms", "12 ms", "+20 %"):
        expect(pair).to_contain_text(text)
    production, branch = (
        pair.locator(f".{kind} rect").bounding_box() for kind in ("served", "candidate")
    )
    assert production and branch
    assert production["width"] / branch["width"] == pytest.approx(10 / 12, rel=0.02)
    page.close()


def test_each_model_of_the_overview_leads_to_its_details(browser: Browser, file: Path) -> None:
    page = OpenedPage(browser, file, 360, "light").page
    page.get_by_role("link", name="fresh").click()
    expect(page.locator("#model-3")).to_be_in_viewport()
    expect(page.locator("#model-3 h2")).to_contain_text("fresh")
    page.close()
