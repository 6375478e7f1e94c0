"""Compare a series of names with its sketch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from slipway.drift import chance
from slipway.drift.bins import MISSING_LABEL, OTHER_LABEL, Binned
from slipway.drift.floors import MISSING, UNSEEN
from slipway.profile.make_sketch import EMPTY
from slipway.profile.sketch import CategorySketch
from slipway.triton.datatypes import Array


def bin_names(sketch: CategorySketch, names: Array) -> Binned:
    """Count a window's names by the reference's; the last two bins are other and missing ones."""
    labels = (*sketch.values, OTHER_LABEL, MISSING_LABEL)
    positions: Mapping[str, int] = {name: at for at, name in enumerate(sketch.values)}
    other = len(positions)
    codes = np.fromiter(
        (other + 1 if name == EMPTY else positions.get(name, other) for name in names.tolist()),
        np.int64,
        len(names),
    )
    window = np.bincount(codes, minlength=len(labels))
    reference = np.array([*sketch.values.values(), sketch.other, sketch.missing])
    return Binned(labels, reference, window, codes)


def shares(sketch: CategorySketch, binned: Binned) -> dict[str, float]:
    """Return the shares of missing values, and of those that the reference does not name."""
    rows = max(1, len(binned.codes))
    result = {MISSING: float(binned.window[-1]) / rows}
    if sketch.values:
        result[UNSEEN] = float(binned.window[-2]) / rows
    return result


def reference_shares(sketch: CategorySketch) -> dict[str, float]:
    """Return the same shares of the reference."""
    rows = max(1, sketch.rows)
    return {MISSING: sketch.missing / rows, UNSEEN: sketch.unseen / rows}


def thresholds(sketch: CategorySketch, rows: int, least: int, alpha: float) -> dict[str, float]:
    """Return what chance explains of ``rows`` rows, by statistic.

    Whether a rare value is named decides about ``least`` rows at once, so rows of rare values are
    worth a part of one.
    """
    seen = sketch.rows - sketch.unseen
    return {
        MISSING: chance.share_threshold(
            sketch.missing + 1.0, float(sketch.rows - sketch.missing), rows, alpha
        ),
        UNSEEN: chance.share_threshold(sketch.unseen / least + 1.0, seen / least, rows, alpha),
    }
