"""Percentiles of latencies, and how many answers they need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVELS = {"p50": 0.50, "p90": 0.90, "p99": 0.99}
# a percentile is given if the largest answer lies above the true one in this share of tests
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Latencies:
    """Of ``count`` answers, in seconds. A percentile is ``None`` where the answers are too few."""

    count: int
    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    largest: float | None


def needed(level: float) -> int:
    """The fewest answers for which a percentile means something: 5, 29 and 299 for p50, p90, p99.

    All of n answers lie below the true percentile in level**n of all tests; that has to be rare.
    """
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(level))


def of(latencies: Sequence[float]) -> Latencies:
    """The percentiles of ``latencies`` (s): each one that occurred, by the nearest rank.

    p99 is the smallest latency that 99 % of the answers do not exceed.
    """
    if not latencies:
        return Latencies(0, None, None, None, None, None)
    values = np.asarray(latencies)
    found = {
        name: float(np.quantile(values, level, method="inverted_cdf"))
        for name, level in LEVELS.items()
        if len(values) >= needed(level)
    }
    return Latencies(
        len(values),
        float(values.mean()),
        found.get("p50"),
        found.get("p90"),
        found.get("p99"),
        float(values.max()),
    )
