"""axe-core, which nobody here wrote, finds nothing on either page."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.endpoint.playground.browsing import Watched, ask_picture
from tests.endpoint.playground.conftest import BRIGHT, Tried

ROOT = Path(__file__).parents[3]


def axe() -> Path:
    """axe-core as ``.ci/run`` installs it, by the lock of ``ci/``."""
    lock = ROOT / "ci" / "package-lock.json"
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway" / "node"
    return cache / key / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.skipif(not axe().exists(), reason="ci/gitlab-ci-local --version installs axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_violation(tried: Tried, browser: Browser, width: int, scheme: str) -> None:
    watched = Watched(browser, width, color_scheme=scheme)
    page = watched.page
    for address in ("/", "/playground"):
        page.goto(f"{tried.url}{address}")
        expect(page.locator("main")).to_be_visible()
        assert violations(page) == []
    page = watched.show(tried.url, "model=bright_middle")
    assert violations(page) == []
    ask_picture(page, tried)
    page.get_by_label("Requests").fill("40")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("img", name="Heat map")).to_be_visible()
    page.get_by_text("The parts as a list").click()
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#drifts")).to_contain_text(BRIGHT)
    assert violations(page) == []
    page.get_by_role("combobox", name="Model or release").click()
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("[data-input=IMAGE] input[type=file]").set_input_files(
        {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#answers .error").first).to_contain_text("IMAGE is no picture")
    assert violations(page) == []
    page.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds, best practices included."""
    page.evaluate(axe().read_text(encoding="utf-8"))
    found = page.evaluate("axe.run().then(found => found.violations)")
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]
