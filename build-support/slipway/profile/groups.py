"""Divide sorted numbers into groups that are never parts of one value."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from slipway.triton.datatypes import Array


@dataclass(frozen=True)
class Distinct:
    """Distinct numbers, ascending, and the rows of each."""

    values: Array
    counts: Array

    @property
    def total(self) -> int:
        """Return the rows of all numbers."""
        return int(self.counts.sum())


def split(distinct: Distinct, levels: Array, smallest: float) -> list[int]:
    """Return where groups begin, as positions in ``distinct.values``, with 0 and the end.

    ``levels`` are shares of the rows at which a group should end. A value with as many rows as the
    usual group has one of its own. No group but a single one has fewer rows than ``smallest``.
    """
    ends = np.cumsum(distinct.counts)
    total = int(ends[-1])
    positions = set(_nearest(ends, levels * total).tolist())
    usual = total / (len(levels) + 1)
    for atom in np.flatnonzero(distinct.counts >= usual):
        positions |= {int(atom), int(atom) + 1}
    starts = sorted({0, len(ends)} | {p for p in positions if 0 < p < len(ends)})
    return _merge(starts, np.concatenate([[0], ends]), smallest)


def rows_of(distinct: Distinct, starts: list[int]) -> list[int]:
    """Return the rows of each group."""
    before = np.concatenate([[0], np.cumsum(distinct.counts)])
    return [int(before[end] - before[start]) for start, end in pairwise(starts)]


def _nearest(ends: Array, rows: Array) -> Array:
    """Return after how many values about ``rows`` rows have passed."""
    above = np.searchsorted(ends, rows)
    below = np.maximum(above - 1, 0)
    last = len(ends) - 1
    closer = np.abs(ends[below] - rows) <= np.abs(ends[np.minimum(above, last)] - rows)
    return np.asarray(np.where(closer, below, above) + 1)


def _merge(starts: list[int], before: Array, smallest: float) -> list[int]:
    """Join groups that are too small to the smaller of their neighbours."""
    starts = list(starts)
    while len(starts) > 2:
        rows = [int(before[end] - before[start]) for start, end in pairwise(starts)]
        least = min(range(len(rows)), key=lambda group: rows[group])
        if rows[least] >= smallest:
            break
        left = rows[least - 1] if least > 0 else None
        right = rows[least + 1] if least + 1 < len(rows) else None
        to_left = right is None or (left is not None and left <= right)
        del starts[least if to_left else least + 1]
    return starts
