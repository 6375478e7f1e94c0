"""How large a statistic gets by chance, with nothing moved.

Both sides are samples: the reference of ``m`` rows, the window of ``n``. A threshold is exceeded by
chance with a probability of at most ``alpha``, which is about 1e-7: a bootstrap's draws themselves
would have to be ten millions. So each threshold is the limit of a bootstrap from the sketch:

- a share: the exact prediction of a share from another sample, which is beta-binomial
- PSI: a gamma distribution with the mean and the variance of seeded bootstrap draws
- Wasserstein: the mean of the Brownian bridge's integral and its Gaussian tail (Borell, Tsirelson,
  Ibragimov and Sudakov), and Bernstein's term for few rows
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from slipway.profile.sketch import NumberSketch
from slipway.triton.datatypes import Array

DRAWS = 1_000  # of a bootstrap
SEED = 7
HEAVIER = 1.25  # power of alpha: counts have heavier tails than the gamma distribution (simulated)
NEVER = math.inf
SPREAD = 3.29  # standard deviations between the 5 % and the 95 % quantiles, if it is normal
BEYOND = 4  # spreads behind the 1 % and 99 % quantiles to which numbers are clipped


@lru_cache(maxsize=65_536)
def share_threshold(above: float, below: float, n: int, alpha: float) -> float:
    """Return the share of ``n`` rows that chance exceeds with at most ``alpha``.

    ``above`` and ``below`` are the parameters of the share's beta distribution: with ``x`` of ``m``
    rows in the reference ``x + 1`` and ``m - x``, which is the exact upper limit of a prediction.
    """
    from scipy.special import betaln, gammaln

    if below <= 0:
        return NEVER
    counts = np.arange(n + 1)
    choose = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    log = choose + betaln(counts + above, n - counts + below) - betaln(above, below)
    tail = np.cumsum(np.exp(log)[::-1])[::-1]  # of at least that many rows
    beyond = np.flatnonzero(tail <= alpha)
    return (int(beyond[0]) - 1) / n if beyond.size else NEVER


def range_threshold(m: int, n: int, alpha: float) -> float:
    """Return the share outside of the range of ``m`` numbers, whatever their distribution.

    It is the share of two of the ``m + 1`` gaps between them.
    """
    return share_threshold(2.0, float(m - 1), n, alpha) if m > 1 else NEVER


@lru_cache(maxsize=65_536)
def psi_threshold(bins: tuple[int, ...], n: int, alpha: float) -> float:
    """Return the PSI of a window of ``n`` rows that chance exceeds with at most ``alpha``.

    ``bins`` are the rows of the reference. What other samples of it would be like is a Dirichlet
    distribution.
    """
    from scipy.stats import gamma

    if len(bins) < 2 or n < 1:
        return NEVER
    random = np.random.default_rng([SEED, n, *bins])
    reference = np.array(bins, np.float64)
    weights = random.standard_gamma(np.maximum(reference, 0.5), (DRAWS, len(bins)))
    drawn = random.multinomial(n, weights / weights.sum(axis=1, keepdims=True))
    values = psi(reference, drawn)
    mean, variance = float(values.mean()), float(values.var())
    # never lighter than the chi-squared limit
    limit = (len(bins) - 1) * (1 / n + 1 / reference.sum())
    scale = max(variance / mean, 2 * (1 / n + 1 / reference.sum())) if mean > 0 else 1.0
    return float(gamma.isf(alpha**HEAVIER, max(mean, limit) / scale, scale=scale))


def psi(reference: Array, window: Array) -> Array:
    """Return the population stability index of counts, over the last axis.

    A bin that one side lacks counts as half a row there.
    """
    p = _shares(np.asarray(reference, np.float64))
    q = _shares(np.asarray(window, np.float64))
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def _shares(counts: Array) -> Array:
    total = np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    return np.asarray(np.where(counts > 0, counts, 0.5) / total)


def spread_of(sketch: NumberSketch) -> float:
    """Return the spread of a reference's numbers; 0 if all are equal.

    A standard deviation by quantiles, which a few extremes do not move.
    """
    means, shares = sketch.points
    if len(means) < 2:
        return 0.0
    low, high = _quantiles(sketch, 0.05, 0.95)
    if high > low:
        return (high - low) / SPREAD
    mean = float((means * shares).sum())
    return math.sqrt(float(((means - mean) ** 2 * shares).sum()))


def clip_range(sketch: NumberSketch) -> tuple[float, float]:
    """Return the range to which numbers are clipped, so that a single one cannot decide."""
    low, high = _quantiles(sketch, 0.01, 0.99)
    spread = spread_of(sketch)
    return low - BEYOND * spread, high + BEYOND * spread


def wasserstein_threshold(sketch: NumberSketch, n: int, alpha: float) -> float:
    """Return the distance in spreads that chance exceeds with at most ``alpha``."""
    spread = spread_of(sketch)
    if spread == 0 or n < 1:
        return NEVER
    means, shares = sketch.points
    low, high = clip_range(sketch)
    points = np.clip(means, low, high)
    below = np.cumsum(shares)[:-1]
    gaps = np.diff(points)
    usual = math.sqrt(2 / math.pi) * float((np.sqrt(below * (1 - below).clip(0)) * gaps).sum())
    mean = float((points * shares).sum())
    deviation = math.sqrt(float(((points - mean) ** 2 * shares).sum()))
    noise = math.sqrt(1 / n + 1 / sketch.numbers)
    sure = -math.log(alpha)
    bernstein = float(points[-1] - points[0]) * sure / 3 / min(n, sketch.numbers)
    return (noise * (usual + deviation * math.sqrt(2 * sure)) + bernstein) / spread


def _quantiles(sketch: NumberSketch, *levels: float) -> list[float]:
    means, shares = sketch.points
    ends = np.cumsum(shares)
    return [float(means[min(int(np.searchsorted(ends, q)), len(means) - 1)]) for q in levels]
