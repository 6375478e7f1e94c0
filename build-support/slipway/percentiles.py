"""Percentiles by the nearest rank: each is one of the values."""

from __future__ import annotations

import math
from collections.abc import Sequence


def nearest_rank(ordered: Sequence[float], level: float) -> float | None:
    """Return the smallest of the sorted values that a share of ``level`` does not exceed.

    ``level`` is 0.99 for p99. Without values, the result is ``None``.
    """
    return ordered[max(0, math.ceil(level * len(ordered)) - 1)] if ordered else None
