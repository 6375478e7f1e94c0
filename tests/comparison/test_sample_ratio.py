"""Whether a split gave each release its share."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, dirichlet_multinomial, multinomial

from slipway.comparison.sample_ratio import CONCENTRATION, RISK, check_sample_ratio


@pytest.mark.parametrize(
    ("counts", "weights"),
    [((480, 520), (50, 50)), ((870, 130), (90, 10)), ((300, 350, 380), (1, 1, 1))],
)
def test_the_evidence_is_the_ratio_of_scipys_two_laws(
    counts: tuple[int, ...], weights: tuple[float, ...]
) -> None:
    shares = np.array(weights) / sum(weights)
    total = sum(counts)
    evidence = dirichlet_multinomial.logpmf(
        np.array(counts), CONCENTRATION * shares, total
    ) - multinomial.logpmf(counts, total, shares)
    assert check_sample_ratio(counts, weights).p_value == pytest.approx(
        min(1.0, math.exp(-evidence))
    )


def test_a_split_that_is_not_that_of_its_weights_is_found() -> None:
    assert check_sample_ratio((5500, 4500), (50, 50)).broken
    assert not check_sample_ratio((5050, 4950), (50, 50)).broken
    assert not check_sample_ratio((0, 0), (50, 50)).broken


def test_a_right_split_is_doubted_in_few_of_ten_thousand_looks() -> None:
    random, doubted = np.random.default_rng(14), 0
    looks = np.unique(np.geomspace(1, 10_000, 150).astype(int))
    for _ in range(200):
        to_b = np.cumsum(random.random(10_000) < 0.1)
        doubted += any(
            check_sample_ratio((int(n - to_b[n - 1]), int(to_b[n - 1])), (90, 10)).broken
            for n in looks
        )
    assert binomtest(doubted, 200, RISK, alternative="greater").pvalue > 0.001
