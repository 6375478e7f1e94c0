"""What a comparison says: its text, its picture, and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from slipway.catalog.alias import Alias, Variant, single_target
from slipway.comparison import picture
from slipway.comparison.advice import advise
from slipway.comparison.compare import compare
from slipway.comparison.text import format_comparison
from slipway.errors import SlipwayError
from slipway.figure_file import check_figure_file
from tests.comparison.captures import A, B, question, shadowed
from tests.comparison.test_compare import EQUAL, FLIP, labels, split

TRAFFIC = shadowed([*EQUAL * 4, FLIP] * 50)
AGAIN = f"slipway compare fares {A} {B}"


def test_the_text_has_the_decision_its_bounds_the_examples_and_a_command() -> None:
    result = compare(TRAFFIC, question(), labels(TRAFFIC))
    text = format_comparison(result, advise(result, "staging", None))
    head, decided, table, flips, _ = text.split("\n\n")
    assert "450 labelled requests that both answered; answer: label" in head
    assert decided == "a better: right answers: −11.1 % for B, between −16.7 % and −7.2 %"
    assert table.splitlines()[1].split("  ")[0] == "right answers"
    assert "only A is right: 50 requests; only B: 0" in flips
    assert "50 × A says survived, B says died, such as\n    e8\n    e17\n    e26" in flips
    assert text.endswith(f"what to do:\n  slipway alias fares {A} --stage staging")


def test_without_labels_the_text_never_says_worse() -> None:
    text = format_comparison(compare(TRAFFIC, question()), [])
    assert "worse" not in text and "better" not in text
    assert "which of the two is right is not known without labels" in text


def test_redacted_tensors_are_named_where_events_are_listed() -> None:
    traffic = [replace(each, redacted={"name": "drop"}) for each in TRAFFIC]
    text = format_comparison(compare(traffic, question()), [])
    assert "the captures hold these events without: name (drop)" in text


def test_a_split_says_whether_it_fits_its_weights() -> None:
    text = format_comparison(compare(split(0.4, 0.6), question(weights=(50, 50))), [])
    assert "the split fits its weights of 50% and 50% (p = 1)" in text


@pytest.mark.parametrize(
    ("pairs", "stage", "alias", "lines"),
    [
        (EQUAL * 400, "staging", None, [f"slipway alias fares {B} --stage staging",
            "slipway promote fares", "A serves as well: nothing has to change"]),
        (EQUAL * 400, "production", single_target(B), [f"nothing: production serves {B} already",
            "A serves as well: nothing has to change"]),
        ([FLIP] * 99, "production", None, ["without labels nothing says which release is right:"
            " look at the examples, or pass ground truth", f"{AGAIN} --labels FILE"]),
    ],
)  # fmt: skip
def test_the_advice_is_a_command(
    pairs: list[tuple[str, str]], stage: str, alias: Alias | None, lines: list[str]
) -> None:
    result = compare(shadowed(pairs), question())
    assert advise(result, stage, alias) == lines  # type: ignore[arg-type]


def test_a_split_that_is_decided_is_ended() -> None:
    result = compare(TRAFFIC, question(), labels(TRAFFIC))
    alias = Alias((Variant(A, 50), Variant(B, 50)))
    assert advise(result, "production", alias) == [f"slipway alias fares {A} --stage production"]


def test_an_open_comparison_says_how_many_more_requests_or_that_it_never_ends() -> None:
    open_ = compare(shadowed(EQUAL * 20), question())
    more, again = advise(open_, "staging", None)
    assert more.startswith("about ") and again == AGAIN
    (never,) = advise(replace(open_, more=None), "staging", None)
    assert "would hardly decide it" in never


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_picture_is_of_the_kind_of_its_name_and_equal_for_equal_comparisons(
    tmp_path: Path, suffix: str
) -> None:
    files = [tmp_path / f"{name}{suffix}" for name in ("first", "second")]
    for file in files:
        picture.draw(compare(TRAFFIC, question()), file)
    assert files[0].read_bytes() == files[1].read_bytes()
    if suffix == ".png":
        with Image.open(files[0]) as image:
            assert image.format == "PNG" and len(image.convert("RGB").getcolors(1 << 20) or []) > 20
    else:
        assert "equal answers, %" in files[0].read_text()


def test_a_picture_of_another_kind_or_in_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match=r"--output bounds\.svg"):
        check_figure_file(tmp_path / "bounds.pdf", "comparison")
    with pytest.raises(SlipwayError, match="no such folder"):
        check_figure_file(tmp_path / "missing/bounds.png", "comparison")
