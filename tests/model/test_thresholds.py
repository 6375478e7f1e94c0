"""evaluation.toml: what it may say, and when a metric keeps to it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.model import thresholds
from slipway.model.thresholds import Threshold, Thresholds

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
MARGINS = st.floats(0, 1e6) | st.decimals(0, 100, places=2).map(lambda share: f"{share} %")
BETTER = st.sampled_from(["higher", "lower"])


def write(folder: Path, text: str) -> Path:
    (folder / thresholds.FILE_NAME).write_text(text, encoding="utf-8")
    return folder


def test_a_file_says_which_metrics_and_how_far_each_may_fall_behind(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        files = ["training/metrics.json"]
        [metric."test.auc"]
        better = "higher"
        margin = 0.005
        at_least = 0.95
        [metric.loss]
        better = "lower"
        margin = "2 %"
        [metric.latency_ms]
        better = "lower"
        at_most = 40
        """,
    )
    assert thresholds.load_thresholds(tmp_path) == Thresholds(
        {
            "test.auc": Threshold("higher", 0.005, at_least=0.95),
            "loss": Threshold("lower", "2 %"),
            "latency_ms": Threshold("lower", at_most=40),
        },
        ("training/metrics.json",),
    )


def test_a_model_without_the_file_has_no_thresholds(tmp_path: Path) -> None:
    assert thresholds.load_thresholds(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metric = [", "not valid TOML"),
        ("metrics = 1", "unknown key 'metrics'"),
        ('files = "metrics.json"', "files is not a list of names"),
        ("metric = 1", "metric is not a table"),
        ("[metric.auc]", r'\[metric."auc"\]: better is None: "higher" or "lower"'),
        ('[metric.auc]\nbetter = "bigger"', "better is 'bigger'"),
        ('[metric.auc]\nbetter = "higher"\nmargins = 1', "unknown key 'margins'"),
        ('[metric.auc]\nbetter = "higher"\nmargin = -1', "margin is -1"),
        ('[metric.auc]\nbetter = "higher"\nmargin = true', "margin is True"),
        ('[metric.auc]\nbetter = "higher"\nmargin = nan', "margin is nan"),
        ('[metric.auc]\nbetter = "higher"\nmargin = "2"', "margin is '2'"),
        ('[metric.auc]\nbetter = "higher"\nmargin = "-2 %"', "margin is '-2 %'"),
        ('[metric.auc]\nbetter = "higher"\nmargin = "much %"', "margin is 'much %'"),
        ('[metric.auc]\nbetter = "higher"\nat_least = "0.9"', "at_least is '0.9'"),
        (
            '[metric.auc]\nbetter = "higher"\nat_least = 2\nat_most = 1',
            "at_least is 2, above at_most, which is 1",
        ),
        ('[metric.test.auc]\nbetter = "higher"', "put a name with dots in quotes"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_metric(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SlipwayError, match=said) as caught:
        thresholds.load_thresholds(write(tmp_path, text))
    assert caught.value.where == str(tmp_path / thresholds.FILE_NAME)


def test_a_margin_is_meant_as_it_is_written() -> None:
    # as floats, 0.9791 - 0.9741 is more than 0.005
    assert 0.9791 - 0.9741 > 0.005
    exact = Threshold("higher", 0.005)
    assert exact.worsening(0.9741, 0.9791) <= exact.allowed(0.9791)


def test_a_share_is_of_the_served_value() -> None:
    share = Threshold("lower", "2 %")
    assert float(share.allowed(0.5)) == 0.01
    assert float(share.allowed(-0.5)) == 0.01
    assert share.allowed(0) == 0


@given(BETTER, MARGINS, NUMBERS, st.none() | NUMBERS)
def test_a_threshold_is_read_as_it_was_written(
    better: thresholds.Better, margin: float | str, bound: float, other: float | None
) -> None:
    low, high = (bound, other) if other is None or bound <= other else (other, bound)
    threshold = Threshold(better, margin, low, high)
    assert thresholds.parse_threshold(threshold.dump()) == threshold


@given(BETTER, MARGINS, NUMBERS, NUMBERS, NUMBERS)
def test_what_is_better_than_something_allowed_is_allowed(
    better: thresholds.Better, margin: float | str, served: float, one: float, other: float
) -> None:
    threshold = Threshold(better, margin)
    good, bad = (one, other) if (one > other) is (better == "higher") else (other, one)
    if threshold.worsening(bad, served) <= threshold.allowed(served):
        assert threshold.worsening(good, served) <= threshold.allowed(served)


@given(BETTER, MARGINS, NUMBERS)
def test_the_served_value_itself_is_always_allowed(
    better: thresholds.Better, margin: float | str, served: float
) -> None:
    threshold = Threshold(better, margin)
    assert threshold.worsening(served, served) <= threshold.allowed(served)


@pytest.mark.parametrize("value", [None, math.nan, 0.94, -math.inf])
def test_a_bound_refuses_what_is_beyond_it_and_what_is_no_number(value: float | None) -> None:
    assert Threshold("higher", at_least=0.95).beyond(value)


def test_a_bound_is_allowed_itself() -> None:
    assert Threshold("higher", at_least=0.95, at_most=1).beyond(0.95) is None
    assert Threshold("higher", at_least=0.95, at_most=1).beyond(1.0) is None
    assert "at most 1" in str(Threshold("higher", at_most=1).beyond(1.01))


def test_without_a_bound_nothing_is_beyond_it() -> None:
    assert Threshold("higher").beyond(None) is None
    assert Threshold("higher").beyond(math.nan) is None


@pytest.mark.parametrize(
    ("rule", "was", "said"),
    [
        (Threshold("higher", 0.05), Threshold("higher", 0.005), "margin was 0.005, is 0.05"),
        (Threshold("higher", "5 %"), Threshold("higher", "2 %"), "margin was 2 %, is 5 %"),
        (Threshold("higher", "5 %"), Threshold("higher", 0.005), "margin was 0.005, is 5 %"),
        (Threshold("lower"), Threshold("higher"), "better was 'higher', is 'lower'"),
        (Threshold("higher"), Threshold("higher", at_least=0.9), "at_least was 0.9, is gone"),
        (
            Threshold("higher", at_least=0.8),
            Threshold("higher", at_least=0.9),
            "at_least was 0.9, is 0.8",
        ),
        (Threshold("lower", at_most=9), Threshold("lower", at_most=8), "at_most was 8, is 9"),
    ],
)
def test_a_loosened_rule_is_named(rule: Threshold, was: Threshold, said: str) -> None:
    assert rule.looser_than(was) == [said]
    assert was.looser_than(was) == rule.looser_than(rule) == []


@given(st.floats(0, 10), st.floats(0, 10), NUMBERS, NUMBERS)
def test_of_two_rules_one_at_most_is_looser(
    margin: float, other: float, low: float, high: float
) -> None:
    assume(margin != other and low != high)
    one, two = Threshold("higher", margin, at_least=low), Threshold("higher", other, at_least=high)
    said = [*one.looser_than(two), *two.looser_than(one)]
    assert len(said) == 2
