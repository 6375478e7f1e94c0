"""Test whether one release is slower than another: ratios of latencies, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from slipway.errors import SlipwayError
from slipway.loadtest.latencies import answers_needed
from slipway.triton.datatypes import Array

# of both intervals together, median and p99: each may err half as often (Bonferroni)
CONFIDENCE = 0.95
RESAMPLES = 2000
MIN_ROUNDS = 10
RESAMPLES_IN_MEMORY = 100  # resamples in memory

Verdict = Literal["slower", "faster", "no difference"]


@dataclass(frozen=True)
class Ratio:
    """The second's latency divided by the first's: as measured, and from ``low`` to ``high``.

    ``first`` and ``second`` are in seconds.
    """

    first: float
    second: float
    ratio: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """Return what the interval proves."""
        if self.low > 1:
            return "slower"
        return "faster" if self.high < 1 else "no difference"

    def slower_by(self, share: float) -> bool:
        """Return whether the complete interval lies above ``share``, of which 0.05 is 5 %."""
        return self.low > 1 + share


@dataclass(frozen=True)
class Comparison:
    """The ratios of two releases, from ``rounds`` of one block each, of ``block`` requests.

    ``p99`` is ``None`` if there are too few responses. Both intervals hold together with
    ``confidence``.
    """

    rounds: int
    block: int
    confidence: float
    median: Ratio
    p99: Ratio | None

    @property
    def verdict(self) -> Verdict:
        """Return "slower" if the median or p99 is; "faster" if one is faster and none is slower."""
        verdicts = {ratio.verdict for ratio in (self.median, self.p99) if ratio}
        if "slower" in verdicts:
            return "slower"
        return "faster" if "faster" in verdicts else "no difference"

    def slower_by(self, share: float) -> bool:
        """Return whether the interval of the median or of p99 lies above ``share``."""
        return any(ratio.slower_by(share) for ratio in (self.median, self.p99) if ratio)


def compare(
    first: Sequence[Sequence[float]] | Array,
    second: Sequence[Sequence[float]] | Array,
    seed: int = 0,
) -> Comparison:
    """Compare two releases by their latencies (s).

    Each round has a block of the first release and one of the second, measured one after the other.
    The machine's speed varies, and requests near each other in time are alike, so that they are
    not independent evidence. Therefore the bootstrap resamples complete rounds, not requests, and
    whatever changes between rounds cancels within each round.

    Raises:
        SlipwayError: there are fewer than 10 rounds.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(a) < MIN_ROUNDS:
        raise SlipwayError(
            f"{len(a)} rounds without failures or loads are too few to compare,"
            f" which needs {MIN_ROUNDS}",
            fix="raise --seconds, and keep both releases loaded",
        )
    confidence = 1 - (1 - CONFIDENCE) / 2
    enough = a.size >= answers_needed(0.99)
    return Comparison(
        rounds=len(a),
        block=a.shape[1],
        confidence=CONFIDENCE,
        median=_ratio(a, b, 0.5, confidence, seed),
        p99=_ratio(a, b, 0.99, confidence, seed) if enough else None,
    )


def _ratio(first: Array, second: Array, level: float, confidence: float, seed: int) -> Ratio:
    """Return the ratio of two quantiles, with its interval by the percentile bootstrap.

    The other bootstraps (BCa, basic) held less often in simulations of such blocks.
    """
    random = np.random.default_rng(seed)
    count = len(first)
    ratios = []
    for begin in range(0, RESAMPLES, RESAMPLES_IN_MEMORY):
        size = min(RESAMPLES_IN_MEMORY, RESAMPLES - begin)
        rounds = random.integers(0, count, (size, count))
        pooled = [block[rounds].reshape(size, -1) for block in (first, second)]
        a, b = (np.quantile(values, level, axis=-1) for values in pooled)
        ratios.append(b / a)
    outside = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(ratios), [outside, 1 - outside])
    of_first, of_second = float(np.quantile(first, level)), float(np.quantile(second, level))
    return Ratio(of_first, of_second, of_second / of_first, float(low), float(high))


def comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    """Return all fields and the verdicts as JSON; latencies in seconds."""
    fields = asdict(comparison) | {"verdict": comparison.verdict}
    for name, ratio in (("median", comparison.median), ("p99", comparison.p99)):
        if ratio:
            fields[name]["verdict"] = ratio.verdict
    return fields
