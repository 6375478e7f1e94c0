"""Bound the mean of bounded values, at every number of values at once.

The bounds are a *confidence sequence*: with the probability 1 - risk, all of them hold, however
often and whenever they are looked at. They are found by betting (Waudby-Smith and Ramdas 2024,
"Estimating means of bounded random variables by betting"): who bets against a mean that is right
wins a factor of 1 / risk with at most this probability (Ville's inequality). The bets are mixed by
the arcsine law over all fixed stakes, a universal portfolio (Cover 1991; Orabona and Jun 2024).
For values of 0 and 1 that is the mixture of binomials by a beta law, and for differences of -1, 0
and 1 against 0 McNemar's test as a sequential one. The bet needs the values' counts only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.triton.datatypes import Array

STAKES = 256
# values are counted by their place on this grid once there are more different ones
LEVELS = 1024
HALVINGS = 32
# equal weights at these stakes are the arcsine law on (0, 1)
_STAKES: Array = np.sin((2 * np.arange(1, STAKES + 1) - 1) * math.pi / (4 * STAKES)) ** 2


@dataclass(frozen=True)
class Bounds:
    """``lower`` and ``upper`` hold with the probability 1 - risk; ``mean`` is of the values."""

    mean: float
    lower: float
    upper: float

    def shifted(self, scale: float, offset: float) -> Bounds:
        """Return the bounds of ``scale`` (positive) times the mean, plus ``offset``."""
        return Bounds(*(scale * each + offset for each in (self.mean, self.lower, self.upper)))


@dataclass(frozen=True)
class Counted:
    """Different ``values`` between 0 and 1, and how often each occurred; counts may be parts."""

    values: Array
    counts: Array

    @property
    def total(self) -> float:
        """The number of values."""
        return float(self.counts.sum())

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return float(self.values @ self.counts / self.counts.sum())

    def times(self, factor: float) -> Counted:
        """Return the values, each occurring ``factor`` times as often."""
        return Counted(self.values, self.counts * factor)


def count_values(values: Iterable[float]) -> Counted:
    """Count ``values``, each between 0 and 1.

    Raises:
        ValueError: one is outside, or is not a number.
    """
    array = np.fromiter(values, dtype=np.float64)
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError("a value is not between 0 and 1")
    different, counts = np.unique(array, return_counts=True)
    return Counted(different, counts.astype(np.float64))


def bound_mean(counted: Counted, risk: float) -> Bounds:
    """Return the bounds of the mean after these values: two sides, half of ``risk`` each.

    They do not depend on the order of the values. Without a value they are 0 and 1.
    """
    if not counted.total:
        return Bounds(math.nan, 0.0, 1.0)
    limit = math.log(2 / risk)
    lower = _lower(_coarse(counted), limit)
    mirrored = Counted(1 - counted.values, counted.counts)
    return Bounds(counted.mean, lower, 1 - _lower(_coarse(mirrored), limit))


def log_capital(counted: Counted, mean: float) -> float:
    """Return the logarithm of what betting on a mean above ``mean`` has made of 1.

    If the mean of each value, given those before it, is at most ``mean``, the capital is a
    nonnegative supermartingale. It falls with ``mean``.
    """
    gains = np.log1p(_STAKES[:, None] * (counted.values / mean - 1))
    logarithms: Any = gains @ counted.counts
    peak = float(logarithms.max())
    return peak + math.log(float(np.exp(logarithms - peak).mean()))


def _lower(counted: Counted, limit: float) -> float:
    low, high = 0.0, counted.mean  # at the mean itself no stake has won
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle <= 0:
            return 0.0
        if log_capital(counted, middle) < limit:
            high = middle
        else:
            low = middle
    return low


def _coarse(counted: Counted) -> Counted:
    """Return the values rounded down to a grid if they are many: the lower bound only falls."""
    if len(counted.values) <= LEVELS:
        return counted
    places = np.floor(counted.values * LEVELS)
    different, index = np.unique(places, return_inverse=True)
    return Counted(different / LEVELS, np.bincount(index, weights=counted.counts))
