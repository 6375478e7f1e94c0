"""When requests come, and for which release: Poisson and Zipf."""

from __future__ import annotations

import numpy as np

from slipway.triton.datatypes import Array


def poisson(rate: float, seconds: float, random: np.random.Generator) -> Array:
    """The times (s, ascending, below ``seconds``) of a Poisson process of ``rate`` a second.

    Independent users do not wait for each other: the gaps between their requests are exponential,
    and some come close together. Even gaps would show shorter queues than there will be.
    """
    # given their number, the times of a Poisson process are independent and uniform
    return np.sort(random.uniform(0.0, seconds, random.poisson(rate * seconds)))


def zipf(count: int, exponent: float) -> Array:
    """The share of traffic of each of ``count`` releases, the most popular first; their sum is 1.

    The k-th gets a share in proportion to 1 / k**exponent; 0 makes all alike.
    """
    weights = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())
