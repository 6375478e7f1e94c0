"""Explanations as text, pictures and pages."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from slipway.explain.explain import Options, explain, one_row
from slipway.explain.explanation import Explanation
from slipway.explain.render.figure import draw, heat_picture
from slipway.explain.render.page import render_page
from slipway.explain.render.text import render_text
from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import Array
from tests.explain.asked import Asked, counts, table, table_interface, text, text_interface
from tests.explain.test_pictures import FILE, as_input, asks_files, encoded, scene, stripes

Explained = tuple[Explanation, dict[str, Array]]
HOSTILE = "good <script>alert(1)</script> $x^2$ bad"


def row() -> Explained:
    names = ("sex", "<b>age</b>")
    inputs = table(np.array([2.0, 1.0]), names)
    found = explain(
        Asked(lambda values: values[:, 0] - 3 * values[:, 1]),
        table_interface(names),
        inputs,
        background=table(np.zeros((1, 2)), names),
    )
    return found, dict(one_row(table_interface(names), inputs))


def words(sentence: str = HOSTILE) -> Explained:
    found = explain(counts({"good": 2.0, "bad": -1.0}), text_interface(), text(sentence))
    return found, dict(one_row(text_interface(), text(sentence)))


def picture() -> Explained:
    inputs = as_input(encoded(scene()))
    return explain(asks_files(stripes), FILE, inputs), dict(one_row(FILE, inputs))


def recording() -> Explained:
    interface = Interface(0, {"AUDIO": Tensor("FP32", (-1,))}, {"P": Tensor("FP32", (1,))})
    samples = np.zeros(3200, np.float32)
    samples[800:1600] = 0.5
    inputs = {"AUDIO": samples}
    found = explain(lambda asked: {"P": asked["AUDIO"].max()[None]}, interface, inputs)
    return found, inputs


KINDS: dict[str, Callable[[], Explained]] = {
    "row": row,
    "text": words,
    "image": picture,
    "audio": recording,
}


class Links(HTMLParser):
    """Collects tags, and what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_text_of_a_row_has_the_largest_first_and_the_sum() -> None:
    found, _ = row()
    lines = render_text(found, "m").splitlines()
    assert lines[0] == "m: score is -1"
    assert lines[2].split()[:3] == ["<b>age</b>", "1", "-3.0000"]
    assert lines[3].split()[:3] == ["sex", "2", "+2.0000"]
    assert "0 without any part − 1 = -1" in lines
    assert any(line.startswith("Shapley values, exact") for line in lines)


def test_colours_are_there_only_when_asked_for() -> None:
    found, inputs = words()
    plain = render_text(found, "m", text=HOSTILE)
    assert "\x1b" not in plain and HOSTILE in plain
    coloured = render_text(found, "m", text=HOSTILE, color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert "\x1b[48;2;178;24;43mgood\x1b[0m" in coloured


def test_control_characters_of_an_input_do_not_reach_the_terminal() -> None:
    sentence = "good \x1b[2Jbad\x07 end"
    found, _ = words(sentence)
    shown = render_text(found, "m\x1b[31m", text=sentence)
    assert all(unicodedata.category(c) != "Cc" or c == "\n" for c in shown)


def test_the_heat_map_of_a_picture_is_shown_in_the_terminal() -> None:
    found, _ = picture()
    rows = [line for line in render_text(found, "m").splitlines() if line.startswith("  │")]
    assert len(rows) == 16 and {len(line) for line in rows} == {2 + 1 + 32 + 1}
    assert "█" in rows[3] and "█" not in "".join(rows[8:])


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("format", ["png", "svg"])
def test_pictures_of_equal_explanations_are_equal(kind: str, format: str) -> None:
    found, inputs = KINDS[kind]()
    first = draw(found, "model $x", inputs, format)
    assert first == draw(found, "model $x", inputs, format)
    if format == "png":
        assert Image.open(io.BytesIO(first)).width > 1000


def test_the_heat_over_the_picture_is_opaque_on_the_object_only() -> None:
    found, _ = picture()
    heat = heat_picture(found, 96)
    assert heat.shape == (64, 96, 4)
    assert heat[8:24, 60:84, 3].mean() > 100
    assert heat[40:, :, 3].mean() < 5
    assert heat[16, 72, :3].tolist() == [178, 24, 43]


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_page_is_one_file_and_everything_in_it_is_escaped(kind: str) -> None:
    found, inputs = KINDS[kind]()
    page = render_page(found, "<i>m</i>", inputs)
    parser = Links()
    parser.feed(page)
    assert "script" not in parser.tags and "i" not in set(parser.tags) - {"i"}
    assert "<i>m</i>" not in page and "<b>age" not in page and "<script" not in page
    assert all(link.startswith("data:image/png;base64,") for link in parser.loaded)
    assert page == render_page(found, "<i>m</i>", inputs)
    assert ("mark" in parser.tags) == (kind == "text")
    assert parser.tags.count("img") == {"image": 2, "audio": 1}.get(kind, 0)


def test_marked_words_are_the_text_itself() -> None:
    found, inputs = words("good film,\nbad end")
    page = render_page(found, "m", inputs)
    text_of_page = re.search(r'<p class="text">(.*?)</p>', page, re.DOTALL)
    assert text_of_page is not None
    assert re.sub(r"<[^>]+>", "", text_of_page[1]) == "good film,\nbad end"


def test_an_explanation_without_any_difference_is_shown_too() -> None:
    inputs = table(np.ones(4))
    found = explain(Asked(lambda v: v[:, 0] * 0), table_interface(), inputs, background=inputs)
    parts = dict(one_row(table_interface(), inputs))
    assert render_text(found, "m")
    assert draw(found, "m", parts, "png")
    assert render_page(found, "m", parts)


def test_scores_of_regions_are_drawn_too() -> None:
    inputs = as_input(encoded(scene()))
    options = Options(method="shapley", requests=30)
    found = explain(asks_files(stripes), FILE, inputs, options=options)
    assert draw(found, "m", dict(one_row(FILE, inputs)), "png")
    assert "without any part" in render_text(found, "m")
