"""The playground in a real browser, in front of a real endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from slipway.endpoint.http.pages import POLICY
from tests.endpoint.playground.browsing import Watched, ask_picture
from tests.endpoint.playground.conftest import BRIGHT, ECHO, SHADOW, Tried

EVIL = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A wide window."""
    watched = Watched(browser)
    yield watched
    watched.page.close()


def test_a_release_is_found_filled_and_asked_with_the_keyboard_alone(
    tried: Tried, watched: Watched
) -> None:
    page = watched.show(tried.url)
    box = page.get_by_role("combobox", name="Model or release")
    box.focus()
    page.keyboard.type("echo")
    expect(page.get_by_role("option", name="echo alias")).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") is not None
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_be_visible()
    expect(page).to_have_url(f"{tried.url}/playground?endpoint=local&model=echo")
    page.get_by_label("TEXT", exact=True).focus()
    page.keyboard.type("hello")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-output=TEXT_BACK] .said")).to_have_text("hello")
    expect(page.locator("#answer")).to_be_focused()
    expect(page.locator("#asking")).to_contain_text("Answered in")
    assert watched.complaints == []


def test_numbers_are_not_rounded_by_the_browser(tried: Tried, watched: Watched) -> None:
    page = watched.show(tried.url, f"release={ECHO}")
    page.get_by_label("WHOLE", exact=True).fill("[9007199254740993]")
    page.get_by_label("REAL", exact=True).fill("NaN, Infinity, 0.1")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("[data-output=WHOLE_BACK] pre")).to_have_text("9007199254740993")
    expect(page.locator("[data-output=REAL_BACK] pre")).to_have_text("NaN, Infinity, 0.1")
    expect(page.locator("#program pre")).to_contain_text("9007199254740993")


def test_a_picture_is_previewed_asked_and_shown_beside_its_shadows_answer(
    tried: Tried, watched: Watched
) -> None:
    page = watched.show(tried.url, "model=bright_middle")
    expect(page.get_by_role("combobox", name="Ask a second release")).to_have_value(SHADOW)
    ask_picture(page, tried)
    expect(page.locator(".said-by")).to_have_count(2)
    expect(page.locator(".differences li")).to_have_text(
        "LABEL[0, 0]: the first says b'bright', the second b'light'"
    )
    expect(page.locator("mark .said")).to_have_text(["bright", "light"])
    thumbnail = page.locator("[data-output=THUMBNAIL] img").first
    assert thumbnail.evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
    expect(page.locator("[data-output=PROBABILITY] .bars li").first).to_be_visible()
    assert watched.complaints == []


def test_a_file_can_be_dropped(tried: Tried, watched: Watched) -> None:
    page = watched.show(tried.url, "model=bright_middle")
    transfer = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
            return transfer;
        }""",
        list(tried.picture.read_bytes()),
    )
    page.locator("[data-input=IMAGE]").dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.locator("[data-input=IMAGE] .drop")).to_contain_text("dropped.png")
    expect(page.locator(".preview img")).to_be_visible()


def test_a_golden_case_fills_the_form(tried: Tried, watched: Watched) -> None:
    page = watched.show(tried.url, "model=bright_middle")
    page.get_by_label("Example").select_option(label="a_disc")
    expect(page.locator("[data-input=IMAGE] .drop")).to_contain_text("disc.png")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("[data-output=LABEL] .said").first).to_have_text("bright")


def test_the_answer_is_explained_over_the_picture(tried: Tried, watched: Watched) -> None:
    page = watched.show(tried.url, "model=bright_middle")
    ask_picture(page, tried)
    page.get_by_label("Requests").fill("60")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("img", name="Heat map")).to_be_visible()
    expect(page.locator("#explanation")).to_contain_text("occlusion")
    page.get_by_text("The parts as a list").click()
    expect(page.locator(".contributions li").first).to_be_visible()
    assert watched.complaints == []


def test_what_a_model_answers_is_text_and_runs_nothing(tried: Tried, watched: Watched) -> None:
    page = watched.show(tried.url, f"release={ECHO}")
    for words in (EVIL, f"fail{EVIL}"):
        page.get_by_label("TEXT", exact=True).fill(words)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator("#answers")).to_contain_text(EVIL)
    assert page.locator("#answers img, #answers script").count() == 0
    assert page.title() == "Playground – Slipway endpoint"
    assert watched.complaints == []
    assert "unsafe" not in POLICY


def test_the_size_is_said_before_anything_is_sent(
    tried: Tried, watched: Watched, tmp_path: Path
) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(7 * 2**20))
    page = watched.show(tried.url, f"release={ECHO}")
    page.get_by_label("Form of TEXT").select_option("file")
    page.get_by_label("File for TEXT").set_input_files(large)
    expect(page.locator("#size")).to_contain_text("more than the 6 MiB that a request may have")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()


def test_of_a_hundred_thousand_numbers_the_rest_can_be_saved(
    tried: Tried, watched: Watched, tmp_path: Path
) -> None:
    array = tmp_path / "many.npy"
    np.save(array, np.arange(100_000, dtype=np.float32))
    page = watched.show(tried.url, f"release={ECHO}")
    page.get_by_label("Form of REAL").select_option("file")
    page.get_by_label("File for REAL").set_input_files(array)
    page.get_by_role("button", name="Ask", exact=True).click()
    output = page.locator("[data-output=REAL_BACK]")
    expect(output).to_contain_text("and 99,600 more elements")
    with page.expect_download() as saving:
        output.get_by_role("link", name="Save all as .npy").click()
    saved = np.load(saving.value.path())
    np.testing.assert_array_equal(saved.ravel(), np.arange(100_000, dtype=np.float32))


def test_rows_are_added_and_removed_and_the_focus_stays(tried: Tried, watched: Watched) -> None:
    page = watched.show(tried.url, f"release={ECHO}")
    page.get_by_label("TEXT", exact=True).fill("one")
    page.get_by_role("button", name="Add a row").click()
    second = page.get_by_role("group", name="Row 2").get_by_label("TEXT", exact=True)
    expect(second).to_be_focused()
    second.fill("two")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("[data-output=TEXT_BACK] .said")).to_have_text(["one", "two"])
    page.get_by_role("button", name="Remove row 2").click()
    expect(page.get_by_role("button", name="Add a row")).to_be_focused()


def test_what_was_asked_before_is_shown_again(tried: Tried, watched: Watched) -> None:
    page = watched.show(tried.url, f"release={ECHO}")
    for words in ("first", "second"):
        page.get_by_label("TEXT", exact=True).fill(words)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator("[data-output=TEXT_BACK] .said")).to_have_text(words)
    expect(page.locator("#asked li")).to_have_count(2)
    page.locator("#asked li").last.get_by_role("button").click()
    expect(page.locator("[data-output=TEXT_BACK] .said")).to_have_text("first")
    expect(page.get_by_label("TEXT", exact=True)).to_have_value("first")
    page.reload()
    expect(page.locator("#history")).to_be_hidden()


def test_the_code_is_in_tabs_and_copied(tried: Tried, browser: Browser) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    watched = Watched(browser, permissions=permissions)
    page = watched.show(tried.url, f"release={ECHO}")
    page.get_by_label("TEXT", exact=True).fill("a")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="boto3")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="boto3")).to_contain_text("import boto3")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#copied")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#program pre").text_content()
    page.close()


def test_an_endpoint_that_goes_away_is_said_and_the_form_stays(
    tried: Tried, watched: Watched
) -> None:
    with tried.shop.up() as served:
        page = watched.show(served.url, f"release={ECHO}")
        page.get_by_label("TEXT", exact=True).fill("kept")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The endpoint does not answer.")
    expect(page.get_by_role("alert")).to_contain_text("What to do: See whether it still runs")
    expect(page.get_by_label("TEXT", exact=True)).to_have_value("kept")


def test_the_overview_leads_to_it_and_back(tried: Tried, watched: Watched) -> None:
    page = watched.page
    page.goto(tried.url)
    page.get_by_role("link", name="Playground").click()
    expect(page).to_have_url(f"{tried.url}/playground?endpoint=local")
    expect(page.locator("#chosen")).to_contain_text("can be chosen")
    page.get_by_role("link", name="Overview").click()
    expect(page.locator("#endpoint")).to_be_visible()
    assert watched.complaints == []


def test_drift_is_looked_for_and_its_absence_is_explained(tried: Tried, watched: Watched) -> None:
    page = watched.show(tried.url, "model=bright_middle")
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#drift-status")).to_have_text("Requests are not captured.")
    expect(page.locator("#drifts")).to_contain_text(BRIGHT)


@pytest.mark.parametrize("width", [360, 768])
def test_nothing_overflows_a_narrow_page(tried: Tried, browser: Browser, width: int) -> None:
    watched = Watched(browser, width)
    page = watched.show(tried.url, "model=bright_middle")
    ask_picture(page, tried)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_role("combobox", name="Model or release").click()
    expect(page.get_by_role("option").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_with_reduced_motion_nothing_moves(tried: Tried, browser: Browser) -> None:
    watched = Watched(browser, reduced_motion="reduce")
    page = watched.show(tried.url, f"release={ECHO}")
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    page.close()
