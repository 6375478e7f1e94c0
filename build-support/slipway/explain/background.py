"""Background rows: what is usual, in place of what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from slipway.explain.columns import MOST_BACKGROUNDS
from slipway.profile.profile import Profile
from slipway.profile.sketch import NumberSketch, Sketch
from slipway.triton.datatypes import Array

VALUE = "value"  # the series of a tensor of one column
Rows = Mapping[str, Array]


def stack_rows(requests: Iterable[Rows], row: Rows) -> Rows | None:
    """Return the rows of several requests that have the inputs of ``row``; ``None`` if none has.

    The requests have the batch dimension, ``row`` has none. Equal rows stay: they are as usual.
    """
    kept = [
        request
        for request in requests
        if all(
            name in request and request[name].shape[1:] == array.shape
            for name, array in row.items()
        )
    ]
    if not kept:
        return None
    return {name: np.concatenate([request[name] for request in kept]) for name in row}


def background_of_profile(
    profile: Profile, row: Rows, *, seed: int, count: int = MOST_BACKGROUNDS
) -> Rows | None:
    """Return ``count`` rows with the quantiles and the frequent values of a reference profile.

    A profile has no rows: each column is drawn by itself, so that unusual pairs may come of it.
    ``None`` if it does not have every column of ``row``.
    """
    generator = np.random.default_rng(seed)
    shares = (np.arange(count) + 0.5) / count
    tensors = {}
    for name, array in row.items():
        known = profile.inputs.get(name)
        if known is None or known.kind not in ("numbers", "categories"):
            return None
        # a profile's file sorts its series by name: those of named columns have no order here
        names = [VALUE] if array.size == 1 else [str(number) for number in range(array.size)]
        if set(names) != set(known.series):
            return None
        columns = [_values(known.series[each], shares) for each in names]
        if any(column is None for column in columns):
            return None
        drawn = np.empty((count, array.size), dtype=array.dtype)
        for position, column in enumerate(columns):
            values = np.array(column, dtype=object)[generator.permutation(count)]
            drawn[:, position] = _cast(values, array)
        tensors[name] = drawn.reshape(count, *array.shape)
    return tensors


def _values(sketch: Sketch, shares: Array) -> list[object] | None:
    """Return the values at ``shares`` of the rows, missing ones (``None``) first."""
    values: list[object]
    if isinstance(sketch, NumberSketch):
        values, weights = list(sketch.means), np.array(sketch.counts, dtype=np.float64)
    else:
        values = [name.encode() for name in sorted(sketch.values)]
        weights = np.array([sketch.values[name] for name in sorted(sketch.values)], np.float64)
    if not values:
        return None
    missing = sketch.missing / max(1, sketch.rows)
    ends = missing + np.cumsum(weights) / weights.sum() * (1 - missing)
    places = np.minimum(np.searchsorted(ends, shares), len(values) - 1)
    return [
        None if share < missing else values[place]
        for share, place in zip(shares, places, strict=True)
    ]


def _cast(values: Array, array: Array) -> Array:
    if array.dtype == object:
        return np.array([b"" if value is None else value for value in values], dtype=object)
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if array.dtype.kind in "iub":
        numbers = np.rint(np.nan_to_num(numbers))
    return numbers.astype(array.dtype)
