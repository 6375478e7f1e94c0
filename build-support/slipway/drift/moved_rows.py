"""Which rows the drift of a series is due to."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from slipway.drift import numbers
from slipway.drift.bins import MISSING_LABEL, OTHER_LABEL, Binned
from slipway.drift.floors import MISSING, OUT_OF_RANGE, PSI, UNSEEN, WASSERSTEIN
from slipway.profile.sketch import NumberSketch, Sketch
from slipway.triton.datatypes import Array


def find_rows(
    sketch: Sketch, values: Array, binned: Binned, moved: Collection[str], most: int
) -> list[tuple[int, str]]:
    """Return positions of rows and why, those first that say most.

    ``moved`` are the statistics. Missing, unseen and out-of-range values come first, in the order
    of the window; then rows of the bins that grew most, and the farthest numbers.
    """
    reasons: dict[int, str] = {}
    if MISSING in moved:
        _add(reasons, _where(binned, MISSING_LABEL), "missing", most)
    if isinstance(sketch, NumberSketch):
        if OUT_OF_RANGE in moved or WASSERSTEIN in moved:
            _add(reasons, _farthest(sketch, values), "out of range", most)
    elif UNSEEN in moved:
        _add(reasons, _where(binned, OTHER_LABEL), "unseen value", most)
    if (PSI in moved or WASSERSTEIN in moved) and len(reasons) < most:
        growth = binned.growth
        for grown in np.argsort(-growth, kind="stable"):
            if growth[grown] <= 0.1 * growth.max(initial=0):
                break
            text = f"{binned.labels[grown]}: {_shares(binned, int(grown))}"
            _add(reasons, np.flatnonzero(binned.codes == grown), text, most)
    return list(reasons.items())


def _farthest(sketch: NumberSketch, values: Array) -> Array:
    """Return the rows outside of the reference's range, the farthest first."""
    finite = np.isfinite(values)
    rows = np.flatnonzero(finite & numbers.outside(sketch, np.where(finite, values, 0.0)))
    if sketch.low is None or sketch.high is None:
        return rows
    middle = sketch.low / 2 + sketch.high / 2
    return np.asarray(rows[np.argsort(-np.abs(values[rows] - middle), kind="stable")])


def _where(binned: Binned, label: str) -> Array:
    return np.flatnonzero(binned.codes == binned.labels.index(label))


def _shares(binned: Binned, position: int) -> str:
    before = binned.reference[position] / max(1, binned.reference.sum())
    now = binned.window[position] / max(1, binned.window.sum())
    return f"{now:.1%} of the rows, {before:.1%} in the reference"


def _add(reasons: dict[int, str], rows: Array, text: str, most: int) -> None:
    for row in rows[: max(0, most - len(reasons))].tolist():
        reasons.setdefault(row, text)
