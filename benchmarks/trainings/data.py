"""Tables to train on, where the environment has no package with data."""

from __future__ import annotations

from typing import Any

import numpy as np

type Array = np.ndarray[Any, Any]


def table(rows: int = 500) -> Array:
    """Return ``rows`` of ten columns, of different scales."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 10)) * np.logspace(-2, 3, 10) + np.arange(10)


def classes(x: Array, count: int = 2) -> Array:
    """Return a class of each row, from 0 on, which depends on most columns."""
    score = (x - x.mean(0)) / x.std(0) @ np.linspace(1, -1, x.shape[1])
    return np.digitize(score, np.quantile(score, np.arange(1, count) / count))


def amounts(x: Array) -> Array:
    """Return a number of each row, of some hundreds."""
    scaled = (x - x.mean(0)) / x.std(0)
    return 300 + 100 * scaled[:, 0] + 50 * scaled[:, 1] * scaled[:, 2]
