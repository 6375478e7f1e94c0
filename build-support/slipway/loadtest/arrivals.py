"""Arrival times of requests (Poisson), and the popularity of releases (Zipf)."""

from __future__ import annotations

import numpy as np

from slipway.triton.datatypes import Array


def poisson(rate: float, seconds: float, random: np.random.Generator) -> Array:
    """Return the times (s, ascending, below ``seconds``) of a Poisson process of ``rate`` a second.

    Independent users do not wait for each other: the gaps between their requests are exponential,
    and some requests come close together. Equal gaps would show shorter queues than real traffic.
    """
    # for a fixed number of them, the times of a Poisson process are independent and uniform
    return np.sort(random.uniform(0.0, seconds, random.poisson(rate * seconds)))


def zipf(count: int, exponent: float) -> Array:
    """Return the traffic share of each of ``count`` releases, the most popular first; the sum is 1.

    The k-th share is proportional to 1 / k**exponent; with 0, all shares are equal.
    """
    weights = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())
