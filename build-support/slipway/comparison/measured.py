"""One measure of a comparison: its values in the order of time, and the bounds of their mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from slipway.comparison.report import Look, MeasureLine
from slipway.comparison.sequence import Bounds, Counted, bound_mean, count_values

LOOKS = 60  # of a picture


@dataclass(frozen=True)
class Measured:
    """The ``values`` of pairs or blocks: differences between -1 and 1, or shares if ``is_share``.

    ``a`` and ``b`` are the releases' own means, if they have some. All are times ``scale``.
    """

    title: str
    values: Sequence[float]
    risk: float
    a: float | None = None
    b: float | None = None
    is_share: bool = False
    scale: float = 1.0
    is_error: bool = False

    def bounds(self, factor: float = 1.0) -> Bounds:
        """Return the bounds now, or if each value had occurred ``factor`` times as often."""
        return self._bound(self._counted.times(factor))

    def line(self) -> MeasureLine:
        """Return the line of the report."""
        bounds, count = self.bounds(), len(self.values)
        return MeasureLine(self.title, self.a, self.b, bounds, count, self.risk, not self.is_error)

    def path(self) -> tuple[Look, ...]:
        """Return the bounds after growing numbers of values, evenly spaced by their logarithm."""
        total = len(self.values)
        looks = (
            {math.ceil(total ** (look / LOOKS)) for look in range(1, LOOKS + 1)} if total else ()
        )
        return tuple(
            Look(count, self._bound(self._count(self.values[:count])))
            for count in sorted(min(look, total) for look in looks)
        )

    @cached_property
    def _counted(self) -> Counted:
        return self._count(self.values)

    def _count(self, values: Sequence[float]) -> Counted:
        return count_values(values if self.is_share else ((value + 1) / 2 for value in values))

    def _bound(self, counted: Counted) -> Bounds:
        bounds = bound_mean(counted, self.risk)
        return bounds if self.is_share else bounds.shifted(2 * self.scale, -self.scale)
