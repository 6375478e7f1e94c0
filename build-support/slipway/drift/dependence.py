"""How many independent rows a window is worth.

Rows of one request, or of a burst, resemble each other: a hundred rows of one caller say less than
a hundred rows of a hundred callers. The intraclass correlation of the bins measures how much less.
"""

from __future__ import annotations

import numpy as np

from slipway.triton.datatypes import Array


def effective_rows(codes: Array, groups: Array) -> int:
    """Return the number of independent rows: between the number of groups and of rows.

    ``codes`` are the bin of each row, ``groups`` the request or block that it is part of, both
    counted from 0. A single group tells nothing, and its rows count as they are.
    """
    rows = len(codes)
    if not rows:
        return 0
    sizes = np.bincount(groups)
    sizes = sizes[sizes > 0]
    if len(sizes) < 2 or len(sizes) == rows:
        return rows
    correlation = _correlation(codes, groups, sizes)
    size = float((sizes.astype(np.float64) ** 2).sum() / rows)  # of the group of a usual row
    return max(len(sizes), round(rows / (1 + (size - 1) * correlation)))


def _correlation(codes: Array, groups: Array, sizes: Array) -> float:
    """Return the intraclass correlation by analysis of variance, pooled over the bins."""
    rows, count = len(codes), len(sizes)
    bins = int(codes.max()) + 1
    _, groups = np.unique(groups, return_inverse=True)
    table = np.bincount(groups * bins + codes, minlength=count * bins).reshape(count, bins)
    shares = table.sum(axis=0) / rows
    within_groups = table / sizes[:, np.newaxis]
    between = float((sizes[:, np.newaxis] * (within_groups - shares) ** 2).sum()) / (count - 1)
    within = float((table * (1 - within_groups)).sum()) / max(1, rows - count)
    usual = (rows - float((sizes.astype(np.float64) ** 2).sum()) / rows) / (count - 1)
    total = between + (usual - 1) * within
    return min(1.0, max(0.0, (between - within) / total)) if total > 0 else 0.0
