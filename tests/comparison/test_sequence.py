"""Bounds of a mean: laws, the mixture against its integral, and confseq on equal values."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from slipway.comparison.sequence import Counted, bound_mean, count_values, log_capital

CONFSEQ = Path(__file__).parent / "fixtures/confseq/bounds.json"
VALUES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=60)


@given(VALUES, st.sampled_from([0.01, 0.05, 0.2]))
def test_the_bounds_hold_the_mean_and_stay_in_its_range(values: list[float], risk: float) -> None:
    bounds = bound_mean(count_values(values), risk)
    assert 0 <= bounds.lower <= bounds.mean <= bounds.upper <= 1


@given(VALUES)
def test_the_mirrored_values_have_the_mirrored_bounds(values: list[float]) -> None:
    bounds = bound_mean(count_values(values), 0.05)
    mirrored = bound_mean(count_values(1 - value for value in values), 0.05)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((1 - bounds.upper, 1 - bounds.lower))


@given(VALUES)
def test_a_smaller_risk_has_wider_bounds_and_more_of_the_same_narrower_ones(
    values: list[float],
) -> None:
    counted = count_values(values)
    bounds, careful = bound_mean(counted, 0.05), bound_mean(counted, 0.005)
    more = bound_mean(counted.times(50), 0.05)
    assert careful.lower <= bounds.lower and bounds.upper <= careful.upper
    assert more.upper - more.lower < bounds.upper - bounds.lower


def test_without_a_value_the_bounds_are_the_range() -> None:
    bounds = bound_mean(count_values([]), 0.05)
    assert (bounds.lower, bounds.upper) == (0, 1) and math.isnan(bounds.mean)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_a_value_outside_is_refused(value: float) -> None:
    with pytest.raises(ValueError):
        count_values([0.5, value])


def test_the_mixed_stakes_are_the_integral_over_the_arcsine_law() -> None:
    counted, mean = Counted(np.array([0.0, 0.5, 1.0]), np.array([3.0, 40.0, 9.0])), 0.5

    def capital(angle: float) -> float:
        stake = math.sin(angle) ** 2
        gains = np.log1p(stake * (counted.values / mean - 1))
        return math.exp(float(gains @ counted.counts))

    integral, _ = quad(capital, 0, math.pi / 2)
    assert log_capital(counted, mean) == pytest.approx(math.log(integral * 2 / math.pi), rel=1e-6)


def test_many_different_values_have_bounds_that_hold_those_of_the_exact_ones() -> None:
    values = np.random.default_rng(3).random(1500)
    near = count_values(np.round(values * 1000) / 1000)
    rounded, exact = bound_mean(count_values(values), 0.05), bound_mean(near, 0.05)
    assert rounded.lower <= exact.lower + 5e-4 and exact.upper - 5e-4 <= rounded.upper
    assert rounded.upper - rounded.lower < 1.1 * (exact.upper - exact.lower)


@pytest.mark.parametrize(
    "row", json.loads(CONFSEQ.read_text()), ids=lambda row: f"{row['method']} {row['counts']}"
)
def test_the_bounds_are_about_as_narrow_as_those_of_the_methods_authors(
    row: dict[str, list[float] | float],
) -> None:
    theirs = (row["lower"], row["upper"])
    ours = bound_mean(Counted(np.array(row["values"]), np.array(row["counts"], float)), 0.05)
    assert isinstance(theirs[0], float) and isinstance(theirs[1], float)
    assert max(theirs[0], ours.lower) < min(theirs[1], ours.upper)
    assert (ours.upper - ours.lower) / (theirs[1] - theirs[0]) < 1.17
