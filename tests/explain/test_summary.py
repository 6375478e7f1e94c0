"""A summary of many explanations."""

from __future__ import annotations

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.explain.explain import explain
from slipway.explain.explanation import Explanation
from slipway.explain.render.summary import draw_summary, render_summary
from slipway.explain.summary import summarize
from tests.explain.asked import Asked, counts, table, table_interface, text, text_interface

WEIGHTS = np.array([0.5, -3.0, 1.0, 0.0])


def explained(rows: int) -> list[Explanation]:
    generator = np.random.default_rng(0)
    usual = table(np.zeros((1, 4)))
    return [
        explain(
            Asked(lambda values: values @ WEIGHTS),
            table_interface(),
            table(generator.normal(size=4)),
            background=usual,
        )
        for _ in range(rows)
    ]


def test_columns_are_ranked_by_the_mean_size_with_its_interval() -> None:
    found = explained(40)
    summary = summarize(found)
    assert [part.name for part in summary.parts] == ["b", "c", "a", "d"]
    sizes = [abs(each.parts[1].contribution) for each in found]
    best = summary.parts[0]
    assert best.mean_size == pytest.approx(np.mean(sizes))
    half = 1.96 * np.std(sizes, ddof=1) / np.sqrt(40)
    assert best.high - best.mean_size == pytest.approx(half)
    assert summary.parts[-1].mean_size == pytest.approx(0, abs=1e-12)
    assert summary.rows == sum(each.rows for each in found)


def test_words_are_counted_in_any_case_and_those_of_one_text_are_left_out() -> None:
    asks = counts({"good": 1.0, "Good": 1.0, "bad": -2.0})
    texts = ("good film", "Good end bad", "bad film", "once")
    found = [explain(asks, text_interface(), text(each)) for each in texts]
    summary = summarize(found)
    by_name = {part.name: part for part in summary.parts}
    assert by_name["good"].rows == 2 and by_name["good"].mean == pytest.approx(1)
    assert by_name["bad"].mean == pytest.approx(-2)
    assert "once" not in by_name
    assert any("words of a single text" in statement for statement in summary.statements)


def test_nothing_explained_is_an_error_with_the_reasons() -> None:
    with pytest.raises(SlipwayError, match="the model refuses it"):
        summarize([], ["row 1: the model refuses it"])


def test_it_is_shown_as_text_and_drawn_with_equal_bytes() -> None:
    summary = summarize(explained(5), ["case 3: refused"])
    shown = render_summary(summary, "m")
    assert shown.splitlines()[0] == "m: what score rests on, in 5 rows"
    assert shown.index("  b ") < shown.index("  c ") < shown.index("  a ")
    assert "left out: case 3: refused" in shown
    assert draw_summary(summary, "m", "svg") == draw_summary(summary, "m", "svg")
    assert draw_summary(summary, "m", "png").startswith(b"\x89PNG")
