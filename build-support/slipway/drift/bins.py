"""Rows by bin, of the reference and of a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slipway.drift import chance
from slipway.drift.report import Distribution
from slipway.triton.datatypes import Array

SMALLEST = 15  # rows that a bin should have on either side: with fewer, chance has heavy tails
MISSING_LABEL = "(missing)"
OTHER_LABEL = "(other)"


@dataclass(frozen=True)
class Binned:
    """Rows of both sides by bin, and the bin of each row of the window.

    ``labels`` name the bins; ``edges`` are those between bins of numbers, and empty for names. The
    last bin is of missing values.
    """

    labels: tuple[str, ...]
    reference: Array
    window: Array
    codes: Array
    edges: tuple[float, ...] = ()

    @property
    def growth(self) -> Array:
        """Return by how much each bin's share has grown, in its part of the PSI; else 0."""
        p = np.where(self.reference > 0, self.reference, 0.5) / max(1, self.reference.sum())
        q = np.where(self.window > 0, self.window, 0.5) / max(1, self.window.sum())
        return np.asarray(np.where(q > p, (q - p) * np.log(q / p), 0.0))

    def distribution(self) -> Distribution:
        """Return the shares of both sides; a last bin that nothing is in is left out."""
        kept = [
            position
            for position, label in enumerate(self.labels)
            if label not in (MISSING_LABEL, OTHER_LABEL)
            or self.reference[position] + self.window[position] > 0
        ]
        shares = [side / max(1, side.sum()) for side in (self.reference, self.window)]
        reference, window = ([round(float(side[k]), 6) for k in kept] for side in shares)
        labels = tuple(self.labels[k] for k in kept)
        return Distribution(labels, tuple(reference), tuple(window), self.edges)

    def joined(self, rows: int) -> tuple[Array, Array]:
        """Return the rows of both sides, with bins joined that ``rows`` rows would hardly fill.

        Which bins are joined does not depend on the window. Bins of numbers are joined to a
        neighbour, names to the smallest ones.
        """
        expected = self.reference * min(1.0, rows / max(1, self.reference.sum()))
        order = np.arange(len(expected))
        if not self.edges:
            order = np.argsort(-expected, kind="stable")
        target = np.zeros(len(expected), dtype=np.int64)
        total = 0.0
        current = 0
        for position in order:
            if total >= SMALLEST:
                current, total = current + 1, 0.0
            target[position] = current
            total += float(expected[position])
        if total < SMALLEST and current > 0:  # what is left is not enough for one of its own
            target[target == current] = current - 1
        sides = (np.bincount(target, weights=side) for side in (self.reference, self.window))
        reference, window = sides
        return reference, window


def psi_of(binned: Binned, rows: int, alpha: float) -> tuple[float, float]:
    """Return the PSI of a window, and what chance explains of ``rows`` independent rows."""
    reference, window = binned.joined(rows)
    counts = tuple(int(count) for count in reference)
    return float(chance.psi(reference, window)), chance.psi_threshold(counts, rows, alpha)
