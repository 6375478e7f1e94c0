"""The page about a check for drift, as text and in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from slipway.drift.page.render import render_page
from slipway.drift.report import Distribution, DriftReport, MovedRow, Statistic, TensorDrift
from slipway.drift.verdict import Comparison, DriftCheck, ReleaseDrift
from tests import chromium
from tests.drift.traffic import NOW

EVIL = "<script>alert(1)</script>\"'&"
WIDTHS = {"phone": 390, "desktop": 1280}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.launched() as launched:
        yield launched


def statistic(name: str, series: str, value: float, threshold: float) -> Statistic:
    return Statistic(name, series, value, threshold)


def tensor(name: str, *, moved: bool = True, label: str = "red") -> TensorDrift:
    """A tensor of a number and a value."""
    value = 2.0 if moved else 0.01
    return TensorDrift(
        name,
        "inputs",
        "numbers",
        {
            "size psi": statistic("psi", "size", value, 0.1),
            "colour psi": statistic("psi", "colour", 0.01, float("inf")),
        },
        {
            "colour": Distribution((label, "blue"), (0.5, 0.5), (0.4, 0.6)),
            "size": Distribution(("", "", ""), (0.3, 0.3, 0.4), (0.1, 0.1, 0.8), (1.0, 2.0)),
        },
        tuple(MovedRow(f"event-{n}", 0, "size", "above 2", 3.5) for n in range(7)) if moved else (),
    )


def check(*releases: ReleaseDrift, others: int = 0) -> DriftCheck:
    since = NOW - timedelta(days=1)
    other = {"old_1.0.0.tar.gz": others} if others else {}
    return DriftCheck("production", "production", since, NOW, "captured", releases, other)


def release(name: str, *tensors: TensorDrift, notes: tuple[str, ...] = ()) -> ReleaseDrift:
    report = DriftReport(list(tensors), 900, 800, 3000, "train.csv", None, None, 1e-5)
    comparison = Comparison("profile", report)
    return ReleaseDrift(name, f"{name}_1.0.0.tar.gz", 800, (comparison,), notes=notes)


def test_a_release_that_drifted_comes_first_and_its_tensor_before_the_others() -> None:
    page = render_page(
        check(
            release("calm", tensor("SIZE", moved=False)),
            release("moved", tensor("ALPHA", moved=False), tensor("OMEGA")),
            ReleaseDrift("silent", "silent_1.0.0.tar.gz", 0),
            others=30,
        )
    )
    assert (
        page.index('id="release-1"')
        < page.index('aria-label="OMEGA"')
        < page.index('aria-label="ALPHA"')
    )
    assert "Drift in 1 of 2 compared releases on production" in page
    assert "no requests: silent" in page and "30 requests to releases that no checked" in page


def test_a_picture_has_the_shares_of_both_and_says_what_it_shows() -> None:
    page = render_page(check(release("m", tensor("SIZE"))))
    heights = re.findall(
        r'rect class="(\w+)" x="[\d.]+" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', page
    )
    drawn = {kind: [float(h) for k, h in heights if k == kind] for kind in ("served", "candidate")}
    assert drawn["candidate"] == [12.0, 12.0, 96.0] and drawn["served"] == [36.0, 36.0, 48.0]
    assert 'aria-label="size: the share above 2 is 80.0%, in the reference 40.0%"' in page
    assert "50.0 % → 40.0 %" in page
    assert "too few rows to say" in page and "and 2 more: slipway drift m --json" in page


def test_whatever_a_tensor_is_called_the_page_shows_it_as_text(tmp_path: Path) -> None:
    page = render_page(check(release("m", tensor(EVIL, label=EVIL), notes=(EVIL,))))
    assert "<script" not in page and "&lt;script&gt;" in page


def test_the_page_loads_nothing() -> None:
    page = render_page(check(release("m", tensor("SIZE"))))

    class Addresses(HTMLParser):
        found: list[str] = []

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            self.found += [value or "" for name, value in attributes if name in ("src", "href")]

    parser = Addresses()
    parser.feed(page)
    assert {address[0:1] for address in parser.found} == {"#", "d"}, parser.found
    assert "url(" not in page and "@import" not in page and "default-src 'none'" in page


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_into_a_phone_and_a_desktop(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    long = "a_tensor_with_a_name_that_is_longer_than_the_screen_of_any_phone_is_wide" * 2
    page = tmp_path / "page.html"
    page.write_text(
        render_page(check(release("m", tensor(long, label=long), tensor(EVIL)))), encoding="utf-8"
    )
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    with context:
        shown = context.new_page()
        problems: list[str] = []
        shown.on("console", lambda message: problems.append(message.text))
        shown.on("pageerror", lambda error: problems.append(str(error)))
        shown.goto(page.as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        assert problems == []
        expect(shown.get_by_role("img", name="size: the share above 2").first).to_be_visible()
        ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(18, 22, 29)") == (scheme == "dark")
