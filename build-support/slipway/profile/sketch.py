"""Sketches of one series of values: what is kept of a reference, instead of its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slipway.triton.datatypes import Array


@dataclass(frozen=True)
class NumberSketch:
    """Numbers of ``rows`` rows, of which ``missing`` are NaN or infinite.

    ``means`` and ``counts`` are groups of sorted numbers, few at the ends; ``edges`` separate the
    bins of ``bins`` rows each. A bin holds what is above its lower edge and at most its upper one.
    Without a single number ``low`` and ``high`` are ``None``.
    """

    rows: int
    missing: int
    low: float | None
    high: float | None
    means: tuple[float, ...]
    counts: tuple[int, ...]
    edges: tuple[float, ...]
    bins: tuple[int, ...]

    @property
    def numbers(self) -> int:
        """Return how many rows have a number."""
        return self.rows - self.missing

    @cached_property
    def points(self) -> tuple[Array, Array]:
        """Return the groups' means and their shares of the numbers, as arrays."""
        import numpy as np  # not for the check, which only loads profiles

        return np.array(self.means), np.array(self.counts) / max(1, sum(self.counts))

    def dump(self) -> dict[str, Any]:
        """Return the sketch as JSON values."""
        return {
            "rows": self.rows,
            "missing": self.missing,
            "low": self.low,
            "high": self.high,
            "means": list(self.means),
            "counts": list(self.counts),
            "edges": list(self.edges),
            "bins": list(self.bins),
        }


@dataclass(frozen=True)
class CategorySketch:
    """Values of ``rows`` rows, of which ``missing`` are empty.

    ``values`` are the frequent ones and their rows. ``other`` rows have rarer values, which are not
    kept; for ``unseen`` rows the value would be as rare without the row itself. ``distinct`` is
    the number of different values.
    """

    rows: int
    missing: int
    values: Mapping[str, int]
    other: int
    unseen: int
    distinct: int

    def dump(self) -> dict[str, Any]:
        """Return the sketch as JSON values."""
        return {
            "rows": self.rows,
            "missing": self.missing,
            "values": dict(self.values),
            "other": self.other,
            "unseen": self.unseen,
            "distinct": self.distinct,
        }


type Sketch = NumberSketch | CategorySketch


def parse_sketch(values: Any) -> Sketch:
    """Return the sketch that ``dump`` wrote.

    Raises:
        ValueError, KeyError, TypeError: it is not a sketch, or its counts contradict each other.
    """
    if "values" in values:
        return _parse_categories(values)
    return _parse_numbers(values)


def _parse_categories(values: Any) -> CategorySketch:
    sketch = CategorySketch(
        rows=_count(values["rows"]),
        missing=_count(values["missing"]),
        values={str(value): _count(count) for value, count in values["values"].items()},
        other=_count(values["other"]),
        unseen=_count(values["unseen"]),
        distinct=_count(values["distinct"]),
    )
    if sketch.missing + sum(sketch.values.values()) + sketch.other != sketch.rows:
        raise ValueError("the counts of values do not add up to the rows")
    return sketch


def _parse_numbers(values: Any) -> NumberSketch:
    sketch = NumberSketch(
        rows=_count(values["rows"]),
        missing=_count(values["missing"]),
        low=_number(values["low"]),
        high=_number(values["high"]),
        means=_ascending(values["means"]),
        counts=tuple(map(_count, values["counts"])),
        edges=_ascending(values["edges"]),
        bins=tuple(map(_count, values["bins"])),
    )
    if not sum(sketch.counts) == sum(sketch.bins) == sketch.numbers:
        raise ValueError("the counts of numbers do not add up to the rows")
    if len(sketch.means) != len(sketch.counts):
        raise ValueError("means and counts differ in length")
    if sketch.numbers and len(sketch.bins) != len(sketch.edges) + 1:
        raise ValueError("there has to be one bin more than edges")
    if (sketch.low is None) != (sketch.numbers == 0) or (sketch.high is None) != (
        sketch.low is None
    ):
        raise ValueError("low and high are those of numbers")
    return sketch


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _ascending(values: Any) -> tuple[float, ...]:
    numbers = tuple(float(n) for n in map(_number, values) if n is not None)
    if len(numbers) != len(values) or list(numbers) != sorted(numbers):
        raise ValueError("numbers are not sorted")
    return numbers
