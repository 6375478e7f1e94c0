"""Thresholds against what chance does, drawn many times."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, wasserstein_distance

from slipway.drift import chance, numbers
from slipway.drift.bins import Binned, psi_of
from slipway.drift.dependence import effective_rows
from slipway.profile.make_sketch import sketch_numbers
from slipway.triton.datatypes import Array

COLUMNS = {
    "normal": lambda random, rows: random.normal(5, 2, rows),
    "skewed": lambda random, rows: random.lognormal(0, 1.5, rows),
    "heavy tails": lambda random, rows: random.standard_cauchy(rows),
    "discrete": lambda random, rows: random.poisson(1.2, rows).astype(float),
    "mostly zero": lambda random, rows: random.exponential(1, rows) * (random.random(rows) < 0.03),
}


@pytest.mark.parametrize("n", [1, 40, 300])
@pytest.mark.parametrize("above", [(1.0, 500.0), (2.0, 99.0), (31.0, 70.0)])
def test_the_share_that_chance_exceeds_is_that_of_the_beta_binomial_distribution(
    above: tuple[float, float], n: int
) -> None:
    for alpha in (1e-2, 1e-5):
        threshold = chance.share_threshold(*above, n, alpha)
        if threshold == math.inf:
            assert betabinom.sf(n - 1, n, *above) > alpha
            continue
        count = round(threshold * n)
        assert betabinom.sf(count, n, *above) <= alpha < betabinom.sf(count - 1, n, *above)


@pytest.mark.parametrize("column", COLUMNS)
def test_the_share_outside_of_the_range_needs_no_distribution(column: str) -> None:
    random = np.random.default_rng(3)
    beyond = 0
    for _ in range(500):
        rows = COLUMNS[column](random, 80)
        sketch = sketch_numbers(rows, 5)
        share = numbers.outside(sketch, COLUMNS[column](random, 120)).mean()
        beyond += share > chance.range_threshold(80, 120, 0.01)
    assert beyond <= 14  # 5 are expected where the numbers differ, and fewer where they repeat


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("m, n", [(400, 60), (400, 3000), (60, 400)])
def test_distances_of_the_same_column_are_within_what_chance_explains(
    column: str, m: int, n: int
) -> None:
    random = np.random.default_rng(4)
    beyond = {"psi": 0, "wasserstein": 0}
    for _ in range(300):
        sketch = sketch_numbers(COLUMNS[column](random, m), 5)
        window = COLUMNS[column](random, n)
        value, threshold = psi_of(numbers.bin_numbers(sketch, window), n, 0.01)
        beyond["psi"] += value > threshold
        found = numbers.distances(sketch, window).get("wasserstein", 0.0)
        beyond["wasserstein"] += found > chance.wasserstein_threshold(sketch, n, 0.01)
    assert beyond["psi"] <= 10 and beyond["wasserstein"] <= 6  # 3 are expected


def test_the_distance_is_scipys_between_the_rows_themselves() -> None:
    random = np.random.default_rng(5)
    reference, window = random.normal(0, 1, 5000), random.normal(0.4, 1.3, 2000)
    sketch = sketch_numbers(reference, 5)
    expected = wasserstein_distance(reference, window) / reference.std()
    assert numbers.distances(sketch, window)["wasserstein"] == pytest.approx(expected, rel=0.05)


def test_a_single_extreme_does_not_decide_the_distance() -> None:
    values = np.random.default_rng(6).normal(0, 1, 2000)
    sketch = sketch_numbers(values, 5)
    outlier = np.append(values[:1999], 1e12)
    assert numbers.distances(sketch, outlier)["wasserstein"] < 0.04


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=300))
def test_the_distance_to_itself_is_almost_nothing(values: list[float]) -> None:
    rows = np.array(values, np.float64)
    sketch = sketch_numbers(rows, 5)
    binned = numbers.bin_numbers(sketch, rows)
    assert psi_of(binned, len(rows), 1e-6)[0] == 0
    found = numbers.distances(sketch, rows)
    assert found["missing"] == found["out_of_range"] == 0
    # the groups of a sketch are as wide as a few rows
    assert found.get("wasserstein", 0.0) <= chance.wasserstein_threshold(sketch, len(rows), 1e-3)


def test_psi_is_the_textbooks() -> None:
    # Siddiqi, Credit Risk Scorecards: sum of (actual - expected) * ln(actual / expected)
    expected, actual = np.array([50, 30, 20]), np.array([40, 30, 30])
    assert chance.psi(expected, actual) == pytest.approx(
        (0.4 - 0.5) * math.log(0.4 / 0.5) + (0.3 - 0.2) * math.log(0.3 / 0.2)
    )
    assert chance.psi(expected, actual * 10) == pytest.approx(chance.psi(expected, actual))


def test_thresholds_fall_with_the_rows_and_are_the_same_each_time() -> None:
    bins = (100,) * 10
    found = [chance.psi_threshold(bins, n, 1e-7) for n in (50, 200, 1000, 100_000)]
    assert found == sorted(found, reverse=True)
    chance.psi_threshold.cache_clear()
    assert found == [chance.psi_threshold(bins, n, 1e-7) for n in (50, 200, 1000, 100_000)]


def test_bins_are_joined_by_the_reference_alone() -> None:
    reference = np.array([500, 300, 8, 4, 2, 0])
    labels = ("a", "b", "c", "d", "(other)", "(missing)")
    windows = [np.array([10, 5, 80, 2, 1, 2]), np.array([60, 40, 0, 0, 0, 0])]
    joined = [Binned(labels, reference, w, np.array([])).joined(100) for w in windows]
    assert joined[0][0].tolist() == joined[1][0].tolist()
    assert joined[0][1].sum() == 100 and len(joined[0][1]) == 2


def clustered(random: np.random.Generator, groups: int, size: int, alike: float) -> Array:
    """Bins of rows, of which a share is the same throughout each group."""
    own = random.integers(0, 4, groups * size)
    shared = np.repeat(random.integers(0, 4, groups), size)
    return np.asarray(np.where(random.random(groups * size) < alike, shared, own))


def test_rows_of_one_request_that_are_alike_count_as_one() -> None:
    random = np.random.default_rng(8)
    groups = np.repeat(np.arange(100), 20)
    found = [effective_rows(clustered(random, 100, 20, alike), groups) for alike in (0, 0.7, 1)]
    assert 1500 < found[0] <= 2000
    assert 100 <= found[1] < 400
    assert found[2] == 100


def test_single_rows_and_a_single_request_count_as_they_are() -> None:
    codes = np.random.default_rng(1).integers(0, 4, 50)
    assert effective_rows(codes, np.arange(50)) == 50
    assert effective_rows(codes, np.zeros(50, int)) == 50
    assert effective_rows(codes[:0], codes[:0]) == 0
