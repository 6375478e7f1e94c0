"""The playground of an endpoint that asks for tokens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from slipway.endpoint.access.guard import Guard
from slipway.endpoint.access.opening import open_endpoint_to
from slipway.endpoint.access.principal import Place
from slipway.endpoint.access.tokens.keys import tokens_folder
from slipway.endpoint.access.tokens.reader import TokenReader
from slipway.endpoint.access.tokens.token import issue
from tests.endpoint.playground.browsing import Watched
from tests.endpoint.playground.conftest import BRIGHT, ECHO, Tried
from tests.endpoint.playground.shop import Asked, text
from tests.endpoint.playground.test_paste import KINDS, run


@dataclass(frozen=True)
class Guarded:
    """An endpoint with a guard, and a token for one of its models."""

    url: str
    token: str


@pytest.fixture(scope="module")
def guarded(tried: Tried) -> Iterator[Guarded]:
    """The shared store behind a guard."""
    folder = tokens_folder(tried.shop.root)
    token, _ = issue(folder, "ann", timedelta(hours=1), targets=("echo_*",))
    place = Place("us-east-1", "000000000000", {"local": "local"})
    guard = Guard(TokenReader(folder), None, None, place)
    with tried.shop.up(opening=open_endpoint_to("127.0.0.1", guard)) as served:
        yield Guarded(served.url, token)


def test_without_a_token_nothing_is_said(guarded: Guarded) -> None:
    for operation in ("releases", f"release?target={ECHO}", "drift"):
        assert Asked(guarded.url, operation).status == 401
    body = {"target": ECHO, "rows": [{"TEXT": text("a")}]}
    assert Asked(guarded.url, "ask", body).status == 401
    assert Asked(guarded.url, "explain", body).status == 401


def test_a_token_for_one_model_asks_for_no_other(guarded: Guarded) -> None:
    token = {"Authorization": f"Bearer {guarded.token}"}
    echo, other = {"target": ECHO, "rows": [{"TEXT": text("a")}]}, {"rows": [{"IMAGE": text("a")}]}
    assert Asked(guarded.url, "ask", echo, token).status == 200
    assert Asked(guarded.url, "ask", {**other, "target": BRIGHT}, token).status == 403
    assert Asked(guarded.url, "ask", {**echo, "second": BRIGHT}, token).status == 403
    assert Asked(guarded.url, "explain", {**other, "target": BRIGHT}, token).status == 403


def test_the_page_asks_for_a_token_and_keeps_it_in_the_tab(
    guarded: Guarded, browser: Browser
) -> None:
    page = Watched(browser).show(guarded.url)
    expect(page.get_by_role("heading", name="asks for a token")).to_be_visible()
    page.get_by_label("Token", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("the token is not accepted")
    page.get_by_label("Token", exact=True).fill(guarded.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#chosen")).to_contain_text("can be chosen")
    page.reload()
    expect(page.locator("#chosen")).to_contain_text("can be chosen")
    expect(page.locator("#sign-in")).to_be_hidden()
    page.close()


def test_the_links_token_leaves_the_address_at_once(guarded: Guarded, browser: Browser) -> None:
    page = Watched(browser).show(guarded.url, f"release={ECHO}#token={guarded.token}")
    assert guarded.token not in page.url
    assert page.evaluate("history.length") <= 2
    page.get_by_label("TEXT", exact=True).fill("hello")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("[data-output=TEXT_BACK] .said")).to_have_text("hello")
    assert guarded.token not in page.content()
    page.close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_the_code_takes_the_token_from_the_environment(
    guarded: Guarded, tried: Tried, tmp_path: Path, kind: str
) -> None:
    body = {"target": ECHO, "rows": [{"TEXT": text("hello")}]}
    token = {"Authorization": f"Bearer {guarded.token}"}
    code = Asked(guarded.url, "ask", body, token).json["answer"]["code"][kind]
    assert guarded.token not in code
    shutil.copy(tried.shop.root / "slipway.toml", tmp_path)
    assert "hello" in run(kind, code, tmp_path, {"SLIPWAY_TOKEN": guarded.token})
