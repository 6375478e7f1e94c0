"""The drift of the last hour, as the page shows it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from slipway.drift.check import check_drift
from slipway.endpoint.playground.api import _plain
from slipway.endpoint.playground.last_hour import describe_release
from tests.drift import traffic
from tests.drift.traffic import NOW, house_profile, houses
from tests.endpoint.playground.browsing import Watched
from tests.endpoint.playground.conftest import ECHO, Tried


@pytest.fixture
def drifted(tmp_path: Path) -> dict[str, Any]:
    """What the endpoint says of a release of which one column has moved."""
    made = traffic.make(tmp_path)
    made.capture(made.release("prices", house_profile()), *houses(800, 2, shift=2.0))
    checked = check_drift(
        made.settings, "production", ["prices"], since=timedelta(hours=1), now=NOW
    )
    value = _plain({"releases": [describe_release(release) for release in checked.releases]})
    return dict(json.loads(json.dumps(value, allow_nan=False)))


def test_the_most_moved_tensor_comes_first_with_its_statistics(drifted: dict[str, Any]) -> None:
    [release] = drifted["releases"]
    assert (release["verdict"], release["requests"]) == ("drift", 800)
    first = release["tensors"][0]
    assert first["moved"]
    assert any(statistic["moved"] for statistic in first["statistics"])
    scores = [tensor["score"] for tensor in release["tensors"]]
    assert scores == sorted(scores, reverse=True)


def test_what_moved_is_marked_on_the_page(
    tried: Tried, browser: Browser, drifted: dict[str, Any]
) -> None:
    watched = Watched(browser)
    watched.page.route("**/playground/drift?*", lambda route: route.fulfill(json=drifted))
    page = watched.show(tried.url, f"release={ECHO}")
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#drifts .bad")).to_have_text("drift")
    expect(page.locator("#drifts")).to_contain_text("800 requests.")
    expect(page.locator("#drifts mark").first).to_be_visible()
    assert watched.complaints == []
    page.close()
