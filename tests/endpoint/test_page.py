"""The live page in a real browser, in front of real endpoints."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import Browser, Page, expect

from slipway.endpoint import serving
from slipway.settings import EndpointSettings, Settings
from tests import chromium
from tests.endpoint import shelf as shelves
from tests.endpoint.shelf import Shelf, Up

PATIENCE_MS = 60_000  # for what the page shows in 2 s, on a machine that is busy
EVIL = "<img src=x onerror=alert(1)>.tar.gz"
REFUSED = np.array([-1], np.float32)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real one."""
    with chromium.launched() as browser:
        yield browser


class Watched:
    """A page, and what it complained of: the console, uncaught errors, dialogs that it opened."""

    def __init__(self, browser: Browser, width: int = 1280, **context: Any) -> None:
        expect.set_options(timeout=PATIENCE_MS)
        self.complaints: list[str] = []
        self.page: Page = browser.new_page(viewport={"width": width, "height": 800}, **context)
        self.page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self._opened(dialog.message))

    def _opened(self, message: str) -> None:
        self.complaints.append(f"dialog: {message}")
        raise AssertionError(message)

    def show(self, url: str) -> Page:
        """Open ``url``, and wait for its first figures."""
        self.page.goto(url)
        expect(self.page.locator("#endpoint")).to_be_visible()
        return self.page


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A wide window."""
    watched = Watched(browser)
    yield watched
    watched.page.close()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """An endpoint with room for one model, which has seen everything: answers, an eviction,
    failures, a request for nothing, a name made to hurt, an overwritten object."""
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    first, second = shelf.put(1), shelf.put(2)
    shelf.write("broken.tar.gz", b"no artifact")
    with shelves.up(tmp_path_factory.mktemp("root"), shelf, models=1, memory=2**30) as up:
        for target in (first, first, second, first):
            up.ask(target)
        for target in (first, "broken.tar.gz", "none.tar.gz", EVIL):
            with pytest.raises(ClientError):
                up.ask(target, REFUSED)
        # a row of that name, too, though Triton's Python backend gives names to a shell
        up.inside.observer.loaded(EVIL, 1.0)
        shelf.put(4, first)
        shelves.until(lambda: first in up.inside.overwritten)
        shelves.until(lambda: up.loaded() == [first] and len(up.inside.models.table) == 1)
        yield up


def state(url: str, name: str = "local") -> dict[str, Any]:
    """What the endpoint says of itself."""
    with urllib.request.urlopen(f"{url}/state", timeout=60) as answer:
        endpoint: dict[str, Any] = json.load(answer)["endpoints"][name]
    return endpoint


def value(page: Page, selector: str) -> float | None:
    """The number that a figure on the page stands for."""
    said = page.locator(f"{selector} data").first.get_attribute("value")
    return float(said) if said else None


def row(target: str) -> str:
    """A selector of a target's row."""
    return f"tbody tr:has(th bdi:text-is({json.dumps(target)}))"


def test_the_totals_are_those_of_the_state(busy: Up, watched: Watched) -> None:
    page = watched.show(busy.url)

    def agree() -> bool:
        said = state(busy.url)
        figures = {
            "invocations": said["invocations"],
            "errors": said["errors"],
            "hits": said["hits"] / said["invocations"],
            "loaded": sum(model["state"] == "loaded" for model in said["models"]),
            "memory": sum(model["memory"] for model in said["models"]),
            "disk": said["disk"],
            "evict": said["counts"]["evict"],
            "restart": 0,
        }
        return figures == {key: value(page, f"[data-total={key}]") for key in figures}

    shelves.until(agree)  # memory is measured anew now and then
    assert value(page, "[data-total=invocations]") == 5
    assert value(page, "[data-total=errors]") == 1
    assert value(page, "[data-total=evict]") == 2
    expect(page.locator("[data-total=loaded] small")).to_have_text("of 1")
    expect(page.locator("[data-total=errors] small")).to_have_text("20 %, 3 refused")
    expect(page.locator("#server")).to_contain_text(state(busy.url)["source"])


def test_each_model_has_a_row_with_the_figures_of_the_state(busy: Up, watched: Watched) -> None:
    page = watched.show(busy.url)
    keys = "in_use memory disk invocations hits errors loads p50 p99 last".split()

    def agree() -> bool:
        return all(
            model[key] == value(page, f"{row(model['target'])} [data-key={key}]")
            for model in state(busy.url)["models"]
            for key in keys
        )

    shelves.until(agree)
    models = state(busy.url)["models"]
    expect(page.locator("tbody tr")).to_have_count(3)
    assert {model["target"]: model["state"] for model in models} == {
        target: page.locator(f"{row(target)} .state").text_content()
        for target in ("scripted_1.tar.gz", "scripted_2.tar.gz", EVIL)
    }


def test_a_stale_model_is_marked_and_explained(busy: Up, watched: Watched) -> None:
    page = watched.show(busy.url)
    expect(page.locator(".stale")).to_have_count(1)
    expect(page.locator(f"{row('scripted_1.tar.gz')} .stale")).to_be_visible()
    expect(page.locator("#stale")).to_contain_text("One target model is stale")


def test_events_are_listed_and_their_kinds_can_be_chosen(busy: Up, watched: Watched) -> None:
    page, said = watched.show(busy.url), state(busy.url)
    events = page.locator("#events li")
    refused = events.filter(has_text="none.tar.gz").filter(has_text="400 ValidationError")
    expect(refused).to_have_count(1)
    expect(events.filter(has_text="refused as asked")).to_have_count(1)
    expect(page.locator("#events li[data-kind=evict]")).to_have_count(2)
    loads = page.locator("#events li[data-kind=load]")
    expect(loads).to_have_count(0)
    page.get_by_role("checkbox", name=f"load {said['counts']['load']}", exact=True).check()
    expect(loads).to_have_count(said["counts"]["load"])


def test_the_charts_tell_their_values_to_pointer_and_keys(busy: Up, watched: Watched) -> None:
    page = watched.show(busy.url)
    shelves.until(lambda: any(one["requests"] for one in state(busy.url)["series"]))
    chart = page.get_by_role("slider", name="Requests per second")
    expect(page.locator("#rate svg path.requests").nth(1)).to_be_attached()
    expect(page.locator("#latency svg circle.p99, #latency svg path.p99").nth(1)).to_be_attached()
    chart.focus()
    page.keyboard.press("Home")
    first = chart.get_attribute("aria-valuetext") or ""
    assert re.fullmatch(r"\d\d:\d\d:\d\d: all \S+, cold \S+, failed \S+", first)
    expect(page.locator("#latency .at")).to_have_text(f"at {first[:8]}")
    page.keyboard.press("Escape")
    expect(page.locator("#latency .at")).to_have_text("latest")
    chart.hover()
    expect(page.locator("#latency .at")).to_contain_text("at ")
    assert watched.complaints == []


def test_a_name_that_is_markup_is_text_and_runs_nothing(busy: Up, watched: Watched) -> None:
    page = watched.show(busy.url)
    expect(page.locator(f"{row(EVIL)} th bdi")).to_have_text(EVIL)
    expect(page.locator("#events").get_by_text(EVIL, exact=True).first).to_be_visible()
    assert page.locator("img").count() == 0
    assert watched.complaints == []


def test_no_script_or_style_but_its_own_files_may_run(busy: Up, watched: Watched) -> None:
    page = watched.show(busy.url)
    with urllib.request.urlopen(f"{busy.url}/", timeout=60) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    page.evaluate(
        "const script = document.createElement('script'); script.text = 'ran = true';"
        " document.body.append(script)"
    )
    assert "Content Security Policy" in watched.complaints[0]
    assert page.evaluate("window.ran") is None


@pytest.mark.parametrize("width", [360, 390, 768, 1024])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_a_narrow_page(
    busy: Up, browser: Browser, width: int, scheme: str
) -> None:
    watched = Watched(browser, width, color_scheme=scheme)
    page = watched.show(busy.url)
    for summary in page.locator("#events summary").all():
        summary.click()
    expect(page.locator("#events pre").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert watched.complaints == []
    page.close()


def test_the_models_are_a_table_with_headings_for_screen_readers(
    busy: Up, browser: Browser
) -> None:
    for width in (360, 1280):
        page = Watched(browser, width).show(busy.url)
        table = page.get_by_role("table", name="Models")
        expect(table.get_by_role("columnheader")).to_have_count(12)
        expect(table.get_by_role("rowheader", name="scripted_2.tar.gz")).to_be_visible()
        expect(page.get_by_role("heading", level=2)).to_have_count(5)
        expect(page.get_by_role("status")).to_have_text("Live")
        page.close()


def test_a_click_on_a_heading_sorts(busy: Up, watched: Watched) -> None:
    page = watched.show(busy.url)
    said = sorted(state(busy.url)["models"], key=lambda model: (-model["disk"], model["target"]))
    page.get_by_role("button", name="Disk").click()
    expect(page.get_by_role("columnheader", name="Disk")).to_have_attribute(
        "aria-sort", "descending"
    )
    expect(page.locator("tbody th bdi")).to_have_text([model["target"] for model in said])


def test_with_several_endpoints_the_address_says_which_is_shown(
    tmp_path: Path, watched: Watched
) -> None:
    shelf = Shelf(tmp_path / "shelf")
    target = shelf.put(1)
    both = [EndpointSettings(name, store=str(shelf.folder)) for name in ("blue", "green & co")]
    with serving.serve_in_thread(Settings(root=tmp_path), both) as served:
        shelves.Caller(served.url, "blue").ask(target)
        page = watched.show(served.url)
        expect(page.locator("#name")).to_have_text("blue")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("link", name="green & co").click()
        expect(page.locator("#name")).to_have_text("green & co")
        expect(page.locator("tbody tr")).to_have_count(0)
        expect(page).to_have_url(f"{served.url}/?endpoint=green%20%26%20co")
        page.reload()
        expect(page.get_by_role("link", name="green & co")).to_have_attribute(
            "aria-current", "page"
        )
        page.go_back()
        expect(page.locator("#name")).to_have_text("blue")
    assert watched.complaints == []


def test_it_says_that_the_endpoint_is_gone_and_recovers(tmp_path: Path, watched: Watched) -> None:
    shelf = Shelf(tmp_path / "shelf")
    target, settings = shelf.put(1), Settings(root=tmp_path)
    local = [EndpointSettings("local", store=str(shelf.folder))]
    with serving.serve_in_thread(settings, local) as served:
        shelves.Caller(served.url).ask(target)
        page = watched.show(served.url)
        expect(page.locator("[data-total=invocations] data")).to_have_text("1")
        expect(page.get_by_role("status")).to_have_text("Live")
    expect(page.get_by_role("status")).to_have_text("Gone")
    expect(page.get_by_role("alert")).to_contain_text("The endpoint does not answer.")
    expect(page).to_have_title("Gone: local – Slipway endpoint")
    # what it was stays readable
    expect(page.locator("[data-total=invocations] data")).to_have_text("1")
    with serving.serve_in_thread(settings, local, port=urlsplit(served.url).port or 0) as again:
        assert again.url == served.url
        expect(page.get_by_role("status")).to_have_text("Live")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.locator("[data-total=invocations] data")).to_have_text("0")
        expect(page.locator("#no-models")).to_be_visible()
    refusals = [said for said in watched.complaints if "ERR_CONNECTION_REFUSED" not in said]
    assert refusals == []


HIDE = """hidden => {
    Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_hidden_page_asks_nothing_until_it_is_seen_again(busy: Up, watched: Watched) -> None:
    watched.page.clock.install()
    page = watched.show(busy.url)
    with page.expect_request("**/state"):
        page.clock.run_for(10_000)
    page.evaluate(HIDE, True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(600_000)
    assert asked == []
    with page.expect_request("**/state"):
        page.evaluate(HIDE, False)
    expect(page.get_by_role("status")).to_have_text("Live")
