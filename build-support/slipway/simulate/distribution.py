"""How long something takes, or how large it is: a number, two percentiles, or what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from slipway.errors import SlipwayError
from slipway.triton.datatypes import Array

# of the normal distribution: 99 % of it lies below
Z99 = 2.3263478740408408


@dataclass(frozen=True)
class Distribution:
    """``samples`` are drawn from, each as likely as any other, if there are any. Otherwise values
    are lognormal with the median ``p50`` and the 99th percentile ``p99``, or always ``p50`` where
    the two are equal."""

    p50: float
    p99: float
    samples: tuple[float, ...] = ()

    @property
    def mean(self) -> float:
        """Return the mean."""
        if self.samples:
            return sum(self.samples) / len(self.samples)
        return self.p50 * math.exp(self._sigma**2 / 2)

    @property
    def _sigma(self) -> float:
        return math.log(self.p99 / self.p50) / Z99 if self.p99 > self.p50 > 0 else 0.0

    def draw(self, count: int, random: np.random.Generator) -> Array:
        """Return ``count`` values."""
        if self.samples:
            return random.choice(np.asarray(self.samples, dtype=np.float64), size=count)
        if not self._sigma:
            return np.full(count, self.p50)
        return np.asarray(random.lognormal(math.log(self.p50), self._sigma, count))


def constant(value: float) -> Distribution:
    """Return what always is ``value``."""
    return Distribution(value, value)


def measured(samples: list[float]) -> Distribution:
    """Return what has the values that were measured, at least one."""
    ordered = sorted(samples)
    return Distribution(
        ordered[len(ordered) // 2], ordered[math.ceil(0.99 * len(ordered)) - 1], tuple(samples)
    )


def parse(text: str, option: str, parse_one: Callable[[str], float]) -> Distribution:
    """Return the distribution of ``2s``, or of ``2s,5s``: the median and the 99th percentile.

    Raises:
        SlipwayError: it is neither, or the percentile is less than the median.
    """
    parts = [parse_one(part) for part in text.split(",")]
    if len(parts) > 2 or parts[-1] < parts[0]:
        raise SlipwayError(
            f"{option} {text!r} is not understood",
            fix=f"give {option} one value, or the median and the 99th percentile, with a comma",
        )
    return Distribution(parts[0], parts[-1])
