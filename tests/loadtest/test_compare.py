"""Comparisons of blocks whose true ratio is known."""

from __future__ import annotations

import numpy as np
import pytest

import slipway.loadtest.compare
from slipway.errors import SlipwayError
from slipway.loadtest.compare import Ratio, compare, comparison_as_json
from slipway.triton.datatypes import Array

ROUNDS, BLOCK = 40, 25


def blocks(random: np.random.Generator, slower: float) -> tuple[Array, Array]:
    """Return latencies on a machine of changing speed; the second's are ``slower`` times longer."""
    machine = random.lognormal(0, 0.3, (ROUNDS, 1))
    latencies = []
    for factor in (1.0, slower):
        own = random.lognormal(0, 0.05, (ROUNDS, 1))
        latencies.append(0.01 * factor * machine * own * random.lognormal(0, 0.4, (ROUNDS, BLOCK)))
    return latencies[0], latencies[1]


def test_equal_releases_are_called_different_as_rarely_as_the_confidence_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slipway.loadtest.compare, "RESAMPLES", 500)
    random = np.random.default_rng(7)
    tests = 120
    verdicts = [compare(*blocks(random, 1.0), seed).verdict for seed in range(tests)]
    # nominal: 5 %; the number of errors among so many tests is binomial
    assert tests - verdicts.count("no difference") <= 13
    assert verdicts.count("slower") <= 9 and verdicts.count("faster") <= 9


def test_ten_percent_slower_is_found() -> None:
    random = np.random.default_rng(8)
    comparisons = [compare(*blocks(random, 1.1), seed) for seed in range(10)]
    assert [comparison.verdict for comparison in comparisons] == ["slower"] * 10
    assert np.mean([comparison.median.ratio for comparison in comparisons]) == pytest.approx(
        1.1, rel=0.02
    )
    assert (
        sum(comparison.median.low < 1.1 < comparison.median.high for comparison in comparisons) >= 9
    )


def test_faster_is_found_too() -> None:
    assert compare(*blocks(np.random.default_rng(9), 0.8)).verdict == "faster"


def test_a_slower_tail_is_slower_though_the_median_is_not() -> None:
    first, second = blocks(np.random.default_rng(10), 1.0)
    second[:, :2] *= 8  # 8 % of its requests
    comparison = compare(first, second)
    assert comparison.p99 and comparison.p99.verdict == "slower" and comparison.verdict == "slower"


def test_a_p99_of_too_few_answers_is_not_compared() -> None:
    first, second = blocks(np.random.default_rng(11), 1.0)
    assert compare(first[:, :5], second[:, :5]).p99 is None
    assert comparison_as_json(compare(first[:, :5], second[:, :5]))["p99"] is None


def test_a_seed_gives_the_same_interval_again() -> None:
    pair = blocks(np.random.default_rng(12), 1.0)
    assert compare(*pair, 3) == compare(*pair, 3)


def test_too_few_rounds_are_refused() -> None:
    with pytest.raises(SlipwayError, match="9 rounds .* too few") as refused:
        compare([[0.1] * 5] * 9, [[0.1] * 5] * 9)
    assert refused.value.fix


def test_only_a_complete_interval_above_the_share_is_slower() -> None:
    ratio = Ratio(0.1, 0.11, 1.1, 1.04, 1.16)
    assert ratio.verdict == "slower"
    assert ratio.slower_by(0.03) and not ratio.slower_by(0.05)


def test_intervals_are_those_of_scipys_bootstrap() -> None:
    """The expected values are of scipy.stats.bootstrap 1.17.1: method="percentile", 2,000 resamples
    of the rounds in batches of 100, confidence 0.975, rng=numpy.random.default_rng(seed)."""
    random = np.random.default_rng(7)
    first = random.lognormal(-4, 0.3, (24, 20))
    second = first * random.normal(1.04, 0.02, (24, 20))
    expected = {
        0: ((1.0269344195104673, 1.049088233659198), (1.021040808805023, 1.055625225331071)),
        1: ((1.0284627150746195, 1.0494762259071622), (1.021040808805023, 1.056168191861646)),
    }
    for seed, (median, p99) in expected.items():
        compared = compare(first, second, seed)
        assert compared.p99 is not None
        assert (compared.median.low, compared.median.high) == pytest.approx(median, rel=1e-12)
        assert (compared.p99.low, compared.p99.high) == pytest.approx(p99, rel=1e-12)
