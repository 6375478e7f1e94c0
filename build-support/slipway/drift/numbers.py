"""Compare a series of numbers with its sketch."""

from __future__ import annotations

import numpy as np

from slipway.drift import chance
from slipway.drift.bins import MISSING_LABEL, Binned
from slipway.drift.floors import MISSING, OUT_OF_RANGE, WASSERSTEIN
from slipway.profile.sketch import NumberSketch
from slipway.triton.datatypes import Array

TOLERANCE = 1e-6  # of the range: what rounding to FP32 adds to its ends


def bin_numbers(sketch: NumberSketch, values: Array) -> Binned:
    """Count a window's numbers in the bins of the reference; the last bin is of missing ones."""
    edges = np.array(sketch.edges)
    missing = ~np.isfinite(values)
    bins = sketch.bins or (0,)
    codes = np.where(missing, len(bins), np.searchsorted(edges, values, side="left"))
    window = np.bincount(codes, minlength=len(bins) + 1)
    reference = np.array([*bins, sketch.missing])
    return Binned((*_labels(sketch), MISSING_LABEL), reference, window, codes, sketch.edges)


def distances(sketch: NumberSketch, values: Array) -> dict[str, float]:
    """Return the values of the statistics that only numbers have."""
    if not len(values):
        return {}
    finite = values[np.isfinite(values)]
    result = {MISSING: 1 - finite.size / len(values)}
    if sketch.numbers and finite.size:
        result[OUT_OF_RANGE] = float(outside(sketch, finite).mean())
        spread = chance.spread_of(sketch)
        if spread > 0:
            result[WASSERSTEIN] = _distance(sketch, finite) / spread
    return result


def outside(sketch: NumberSketch, values: Array) -> Array:
    """Return for each number whether it is outside of the reference's range."""
    if sketch.low is None or sketch.high is None:
        return np.isfinite(values)
    slack = TOLERANCE * max(sketch.high - sketch.low, abs(sketch.low), abs(sketch.high))
    return np.asarray((values < sketch.low - slack) | (values > sketch.high + slack))


def thresholds(sketch: NumberSketch, rows: int, numbers: int, alpha: float) -> dict[str, float]:
    """Return what chance explains of ``rows`` rows with ``numbers`` numbers, by statistic."""
    share = chance.share_threshold(sketch.missing + 1.0, float(sketch.numbers), rows, alpha)
    if not numbers:
        return {MISSING: share}
    return {
        MISSING: share,
        OUT_OF_RANGE: chance.range_threshold(sketch.numbers, numbers, alpha),
        WASSERSTEIN: chance.wasserstein_threshold(sketch, numbers, alpha),
    }


def _distance(sketch: NumberSketch, finite: Array) -> float:
    from scipy.stats import wasserstein_distance

    low, high = chance.clip_range(sketch)
    means, shares = sketch.points
    points, weights = np.clip(means, low, high), shares
    return float(wasserstein_distance(points, np.clip(finite, low, high), u_weights=weights))


def _labels(sketch: NumberSketch) -> list[str]:
    if not sketch.edges:
        return ["all"]
    texts = [f"{edge:.4g}" for edge in sketch.edges]
    between = [f"{low} to {high}" for low, high in zip(texts, texts[1:], strict=False)]
    return [f"up to {texts[0]}", *between, f"above {texts[-1]}"]
