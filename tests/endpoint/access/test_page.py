"""The page of a guarded endpoint in a real browser: it asks once, and a link lets it in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Request, expect

from slipway.endpoint.access.guard import Guard
from slipway.endpoint.access.opening import Opening
from slipway.endpoint.access.principal import Place
from slipway.endpoint.access.tokens.keys import create_key
from slipway.endpoint.access.tokens.reader import TokenReader
from slipway.endpoint.access.tokens.token import issue
from tests import chromium
from tests.endpoint.access import guarded

PLACE = Place("us-east-1", "000000000000", {"local": "local"})


def test_a_link_lets_the_page_in_and_leaves_the_address(tmp_path: Path) -> None:
    create_key(tmp_path)
    guard = Guard(TokenReader(tmp_path), None, None, PLACE)
    asked: list[str | None] = []

    def noted(request: Request) -> None:
        if request.url.endswith("/state"):
            asked.append(request.headers.get("authorization"))

    with guarded.serve(Opening(guard=guard)) as up, chromium.launched() as browser:
        page = browser.new_page()
        page.on("request", noted)
        page.goto(up.url)
        expect(page.locator("#notice")).to_contain_text("needs a token", timeout=60_000)
        assert asked == [None]
        token, _ = issue(tmp_path, "alice", timedelta(hours=1))
        with page.expect_request("**/state", timeout=60_000):
            page.goto(f"{up.url}/#token={token}")
        assert asked[1:] and set(asked[1:]) == {f"Bearer {token}"}
        assert page.url == f"{up.url}/"
        # the tab remembers, and its history does not
        with page.expect_request("**/state", timeout=60_000):
            page.reload()
        assert asked[-1] == f"Bearer {token}"
        assert token not in page.evaluate("document.documentElement.outerHTML")
