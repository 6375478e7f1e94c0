"""Whether one release is slower than another: ratios of latencies, with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from slipway.errors import SlipwayError
from slipway.loadtest.latencies import answers_needed
from slipway.triton.datatypes import Array

# both intervals together, of median and p99: each has to err half as often (Bonferroni)
CONFIDENCE = 0.95
RESAMPLES = 2000
FEWEST_ROUNDS = 10
AT_ONCE = 100  # resamples in memory

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
        """What the interval leaves possible."""
        if self.low > 1:
            return "slower"
        return "faster" if self.high < 1 else "no difference"

    def slower_by(self, share: float) -> bool:
        """Whether the second is slower by more than ``share``, of which 0.05 is 5 %, for sure."""
        return self.low > 1 + share


@dataclass(frozen=True)
class Comparison:
    """``p99`` is ``None`` where the answers are too few. ``rounds`` of a block each, of ``block``
    requests; both intervals hold together with ``confidence``."""

    rounds: int
    block: int
    confidence: float
    median: Ratio
    p99: Ratio | None

    @property
    def verdict(self) -> Verdict:
        """Slower if the median or p99 is; faster if one is and none is slower."""
        said = {ratio.verdict for ratio in (self.median, self.p99) if ratio}
        if "slower" in said:
            return "slower"
        return "faster" if "faster" in said else "no difference"

    def slower_by(self, share: float) -> bool:
        """Whether the median or p99 is slower by more than ``share``, for sure."""
        return any(ratio.slower_by(share) for ratio in (self.median, self.p99) if ratio)


def compare(
    first: Sequence[Sequence[float]] | Array,
    second: Sequence[Sequence[float]] | Array,
    seed: int = 0,
) -> Comparison:
    """Compare two releases by their latencies (s): of each round, a block of the first and one of
    the second that were measured one after the other.

    The machine is now faster, now slower; requests near each other in time are alike, and are no
    independent evidence. So the bootstrap resamples rounds as a whole, not single
    requests, and what changes from round to round cancels within each.

    Raises:
        SlipwayError: there are fewer than 10 rounds.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(a) < FEWEST_ROUNDS:
        raise SlipwayError(
            f"{len(a)} rounds without failures or loads are too few to compare,"
            f" which needs {FEWEST_ROUNDS}",
            fix="give the comparison more time with --seconds, and see that both stay loaded",
        )
    each = 1 - (1 - CONFIDENCE) / 2
    enough = a.size >= answers_needed(0.99)
    return Comparison(
        rounds=len(a),
        block=a.shape[1],
        confidence=CONFIDENCE,
        median=_ratio(a, b, 0.5, each, seed),
        p99=_ratio(a, b, 0.99, each, seed) if enough else None,
    )


def _ratio(first: Array, second: Array, level: float, confidence: float, seed: int) -> Ratio:
    """Return the ratio of two quantiles, with its interval by the percentile bootstrap.

    The other bootstraps (BCa, basic) held less often in simulations of such blocks.
    """
    random = np.random.default_rng(seed)
    count = len(first)
    ratios = []
    for begin in range(0, RESAMPLES, AT_ONCE):
        size = min(AT_ONCE, RESAMPLES - begin)
        rounds = random.integers(0, count, (size, count))
        pooled = [block[rounds].reshape(size, -1) for block in (first, second)]
        a, b = (np.quantile(values, level, axis=-1) for values in pooled)
        ratios.append(b / a)
    outside = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(ratios), [outside, 1 - outside])
    of_first, of_second = float(np.quantile(first, level)), float(np.quantile(second, level))
    return Ratio(of_first, of_second, of_second / of_first, float(low), float(high))


def as_json(compared: Comparison) -> dict[str, Any]:
    """Everything, for machines; latencies in seconds."""
    said = asdict(compared) | {"verdict": compared.verdict}
    for name, ratio in (("median", compared.median), ("p99", compared.p99)):
        if ratio:
            said[name]["verdict"] = ratio.verdict
    return said
