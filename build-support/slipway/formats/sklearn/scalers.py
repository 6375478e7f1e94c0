"""What fitted scalers tell about the ranges of the columns that reach them."""

from __future__ import annotations

from typing import Any

import numpy as np

from slipway.formats.sklearn.column import Column

Columns = list[Column | None]  # None: not a column of the table any more
SPREAD = 2.5  # standard deviations


def standard(step: Any, columns: Columns) -> Columns:
    means = step.mean_ if step.mean_ is not None else np.zeros(len(columns))
    spreads = step.scale_ if step.scale_ is not None else np.ones(len(columns))
    set_range(columns, means - SPREAD * spreads, means + SPREAD * spreads)
    return [None] * len(columns)


def robust(step: Any, columns: Columns) -> Columns:
    middle = step.center_ if step.center_ is not None else np.zeros(len(columns))
    spread = step.scale_ if step.scale_ is not None else np.ones(len(columns))
    set_range(columns, middle - 2 * spread, middle + 2 * spread)
    return [None] * len(columns)


def min_max(step: Any, columns: Columns) -> Columns:
    set_range(columns, step.data_min_, step.data_max_)
    return [None] * len(columns)


def max_abs(step: Any, columns: Columns) -> Columns:
    set_range(columns, -step.max_abs_, step.max_abs_)
    return [None] * len(columns)


def quantiles(step: Any, columns: Columns) -> Columns:
    set_range(columns, step.quantiles_[0], step.quantiles_[-1])
    return [None] * len(columns)


def function(step: Any, columns: Columns) -> Columns:
    if getattr(step.func, "__name__", "").startswith(("log", "sqrt")):
        set_range(columns, np.full(len(columns), 0.01), np.full(len(columns), 100.0))
    return columns if step.func is None else [None] * len(columns)


def power(step: Any, columns: Columns) -> Columns:
    if step.standardize:
        ends = step.inverse_transform(np.outer([-2.0, 2.0], np.ones(len(columns))))
        set_range(columns, ends[0], ends[1])
    return [None] * len(columns)


def bins(step: Any, columns: Columns) -> Columns:
    edges = step.bin_edges_
    set_range(columns, [e[0] for e in edges], [e[-1] for e in edges])
    return []


def set_range(columns: Columns, low: Any, high: Any) -> None:
    for column, least, most in zip(columns, low, high, strict=False):
        if column is not None and np.isfinite(least) and np.isfinite(most):
            column.low, column.high = float(least), float(most)
            column.kind = column.kind or "number"
