"""Summarize latencies as percentiles, where there are enough answers for one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slipway.percentiles import nearest_rank

LEVELS = {"p50": 0.50, "p90": 0.90, "p99": 0.99}
# a percentile is reported if the largest answer lies above the true one in this share of tests
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Latencies:
    """Latencies of ``count`` answers (s). A percentile that needs more answers is ``None``."""

    count: int
    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    largest: float | None


def answers_needed(level: float) -> int:
    """Return the fewest answers that a percentile needs: 5, 29 and 299 for p50, p90 and p99.

    All of n answers lie below the true percentile in level**n of all tests; that must be rare.
    """
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(level))


def summarize_latencies(latencies: Sequence[float]) -> Latencies:
    """Return the percentiles of ``latencies`` (s) by the nearest rank: each is a measured value.

    p99 is the smallest latency that 99 % of the answers do not exceed.
    """
    if not latencies:
        return Latencies(0, None, None, None, None, None)
    ordered = sorted(latencies)
    percentiles = {
        name: nearest_rank(ordered, level)
        for name, level in LEVELS.items()
        if len(ordered) >= answers_needed(level)
    }
    return Latencies(
        len(ordered),
        float(np.mean(latencies)),
        percentiles.get("p50"),
        percentiles.get("p90"),
        percentiles.get("p99"),
        ordered[-1],
    )
