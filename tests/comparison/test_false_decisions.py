"""How often equal releases are called different, looked at after each request."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import beta

from slipway.comparison.decision import decide_better
from slipway.comparison.sequence import STAKES, Counted, bound_mean, log_capital
from slipway.triton.datatypes import Array

RISK = 0.05
LOOKS = 10_000


@cache
def crossings(looks: int) -> Array:
    """Return, for each number of pairs that differ, how many for B decide for B."""
    limit, needed = math.log(2 / RISK), 1
    crossing = np.full(looks + 1, looks + 1)
    for count in range(1, looks + 1):
        needed = max(needed, count // 2)
        while needed <= count and capital(count - needed, needed) < limit:
            needed += 1
        crossing[count] = needed
    return crossing


def capital(for_a: int, for_b: int) -> float:
    """Return the capital of a bet on B after so many differing pairs."""
    return log_capital(Counted(np.array([0.0, 1.0]), np.array([for_a, for_b], float)), 0.5)


def test_equal_releases_are_decided_at_most_as_often_as_the_risk_exactly() -> None:
    """No simulation: the probabilities of all ways of 3,000 pairs that differ by a fair coin."""
    looks = 3000
    crossing = crossings(looks)
    alive = np.zeros(looks + 2)  # by how many pairs were for B; symmetric for A
    alive[0] = 1.0
    decided = 0.0
    for count in range(1, looks + 1):
        alive[1 : count + 1] = (alive[1 : count + 1] + alive[:count]) / 2
        alive[0] /= 2
        for_b, for_a = slice(crossing[count], count + 1), slice(0, count - crossing[count] + 1)
        for side in (for_b, for_a):
            decided += alive[side].sum()
            alive[side] = 0.0
    assert decided <= RISK
    assert decided > RISK / 10  # it can fail: decisions do happen


@pytest.mark.parametrize("differ", [0.02, 0.3], ids=["few differ", "many differ"])
def test_equal_releases_are_seldom_decided_in_ten_thousand_looks(differ: float) -> None:
    runs, random = 400, np.random.default_rng(14)
    crossing = crossings(4000)
    decided = 0
    for _ in range(runs):
        signs = random.random(LOOKS)
        for_b = np.cumsum(signs < differ / 2)
        both = np.cumsum(signs < differ)
        decided += bool(
            ((for_b >= crossing[both]) | (both - for_b >= crossing[both]))[both > 0].any()
        )
    lowest = beta.ppf(0.001, decided, runs - decided + 1) if decided else 0.0
    assert lowest <= RISK, f"{decided} of {runs}"


def test_a_release_that_is_better_is_found() -> None:
    """The power: 3 of 100 pairs are for A, 7 for B."""
    random, found = np.random.default_rng(15), []
    crossing = crossings(4000)
    for _ in range(50):
        signs = random.random(LOOKS)
        for_b = np.cumsum(signs < 0.07)
        both = np.cumsum(signs < 0.10)
        assert not ((both - for_b) >= crossing[both])[both > 0].any(), "decided for A"
        found.append(int(np.argmax((for_b >= crossing[both]) & (both > 0))))
    assert 200 < np.median(found) < 2000


def test_the_interval_and_the_decision_are_of_one_bet() -> None:
    crossing = crossings(4000)
    for count in (50, 400, 2000):
        for for_b, expected in ((crossing[count], True), (crossing[count] - 1, False)):
            counts = np.array([count - for_b, 5000 - count, for_b], float)
            bounds = bound_mean(Counted(np.array([0.0, 0.5, 1.0]), counts), RISK).shifted(2, -1)
            assert (decide_better(bounds, 1e-9) == "b better") is expected


def test_a_bet_on_a_mean_that_is_right_is_fair() -> None:
    """The expected capital after one value is the capital before, for any stakes."""
    assert STAKES > 1
    for share in (0.1, 0.5, 0.9):
        after = [
            math.exp(log_capital(Counted(np.array([value]), np.array([1.0])), share))
            for value in (0.0, 1.0)
        ]
        assert (1 - share) * after[0] + share * after[1] == pytest.approx(1)
