"""Arrival times and popularity follow Poisson's and Zipf's laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.loadtest import arrivals


def test_the_number_of_requests_follows_the_rate() -> None:
    random = np.random.default_rng(1)
    counts = [len(arrivals.poisson(50, 2, random)) for _ in range(400)]
    # mean and variance of a Poisson distribution are equal; five standard errors
    assert abs(np.mean(counts) - 100) < 5 * 10 / math.sqrt(400)
    assert abs(np.var(counts) / 100 - 1) < 5 * math.sqrt(2 / 400)


def test_gaps_are_exponential() -> None:
    gaps = np.sort(np.diff(arrivals.poisson(100, 100, np.random.default_rng(2))))
    share = 1 - np.exp(-100 * gaps)
    steps = np.arange(len(gaps) + 1) / len(gaps)
    distance = max((steps[1:] - share).max(), (share - steps[:-1]).max())
    # Kolmogorov and Smirnov's test; 1.628 is its critical value for 1 % of many samples
    assert distance < 1.628 / math.sqrt(len(gaps))


@given(st.floats(0.1, 1000), st.floats(0.1, 10), st.integers(0, 1000))
def test_times_ascend_and_end_before_the_stage_does(rate: float, seconds: float, seed: int) -> None:
    times = arrivals.poisson(rate, seconds, np.random.default_rng(seed))
    assert np.all(np.diff(times) >= 0)
    assert np.all((times >= 0) & (times < seconds))


def test_a_seed_gives_the_same_times_again() -> None:
    first, second = (arrivals.poisson(20, 5, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@given(st.integers(1, 200), st.floats(0, 3))
def test_the_popularity_of_the_kth_release_follows_zipfs_law(count: int, exponent: float) -> None:
    shares = arrivals.zipf(count, exponent)
    assert shares.sum() == pytest.approx(1)
    for k in (1, 2, count):
        if k <= count:
            assert shares[0] / shares[k - 1] == pytest.approx(k**exponent)


def test_with_an_exponent_of_zero_all_shares_are_equal() -> None:
    np.testing.assert_allclose(arrivals.zipf(4, 0), 0.25)
