"""Make the sketch of one series of values. The order of the values does not matter."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from slipway.profile.groups import Distinct, rows_of, split
from slipway.profile.sketch import CategorySketch, NumberSketch
from slipway.triton.datatypes import Array

BINS = 10
ROWS_PER_BIN = 10  # at least, in a small reference
SMALLEST_BIN = 0.01  # of the rows
TOP = 50  # values that are named
LONGEST = 48  # characters of a value that is named as it is
EMPTY = ""
OTHER = "(other)"
# ends of the groups that distances are computed from: finer where the tails are
TAILS = (0.001, 0.0025, 0.005, 0.01, 0.015)
LEVELS = np.array([*TAILS, *np.arange(1, 50) / 50, *(1 - t for t in reversed(TAILS))])


def sketch_numbers(values: Array, least: int) -> NumberSketch:
    """Return the sketch of numbers; a group has ``least`` rows, if there are as many."""
    rows = len(values)
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return NumberSketch(rows, rows, None, None, (), (), (), ())
    distinct = Distinct(*np.unique(finite, return_counts=True))
    starts = split(distinct, LEVELS, least)
    counts = rows_of(distinct, starts)
    means = [
        _mean(distinct.values[start:end], distinct.counts[start:end])
        for start, end in pairwise(starts)
    ]
    bins = min(BINS, max(1, finite.size // ROWS_PER_BIN))
    cuts = split(distinct, np.arange(1, bins) / bins, max(2 * least, SMALLEST_BIN * finite.size))
    return NumberSketch(
        rows=rows,
        missing=rows - finite.size,
        low=float(distinct.values[0]),
        high=float(distinct.values[-1]),
        means=tuple(sorted(means)),
        counts=tuple(counts),
        edges=tuple(_between(distinct.values[cut - 1], distinct.values[cut]) for cut in cuts[1:-1]),
        bins=tuple(rows_of(distinct, cuts)),
    )


def sketch_categories(values: Iterable[str], least: int, top: int = TOP) -> CategorySketch:
    """Return the sketch of values' names; one is kept if at least ``least`` rows have it."""
    counts = Counter(values)
    rows = sum(counts.values())
    missing = counts.pop(EMPTY, 0)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = {name: count for name, count in ranked[:top] if count >= least}
    other = rows - missing - sum(kept.values())
    return CategorySketch(
        rows=rows,
        missing=missing,
        values=kept,
        other=other,
        unseen=other + sum(count for count in kept.values() if count == least),
        distinct=len(counts),
    )


def name_of(value: object) -> str:
    """Return how a profile names a value: short text as it is, anything else by its digest.

    Space around it is kept. Missing values are named by the empty text.
    """
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return _digest(value)
    else:
        text = "" if value is None or value != value else str(value)  # NaN is not itself
    if len(text) > LONGEST or not text.isprintable():
        return _digest(text.encode(errors="surrogatepass"))
    return text


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()[:16]}"


def _mean(values: Array, counts: Array) -> float:
    """Return the mean to nine digits, which is equal on every machine."""
    largest = float(np.abs(values).max()) or 1.0
    mean = float((values / largest * counts).sum() / counts.sum()) * largest
    return float(f"{min(max(mean, float(values[0])), float(values[-1])):.9g}")


def _between(low: float, high: float) -> float:
    """Return a number of few digits that is at least ``low`` and below ``high``."""
    middle = float(low) / 2 + float(high) / 2
    for digits in (4, 6, 9, 12):
        rounded = float(f"{middle:.{digits}g}")
        if low < rounded < high:
            return rounded
    return middle if low <= middle < high else float(low)
