"""Describe a sketch in one line."""

from __future__ import annotations

from slipway.profile.sketch import NumberSketch, Sketch

SHOWN = 3  # values
LONGEST = 20  # characters of a value


def describe_sketch(sketch: Sketch) -> str:
    """Return a line such as ``0 to 72, median 29; 3 missing``."""
    parts = []
    if isinstance(sketch, NumberSketch):
        if sketch.low is None or sketch.high is None:
            return "no number"
        parts.append(f"{sketch.low:.4g} to {sketch.high:.4g}")
        parts[0] += f", median {_median(sketch):.4g}"
    else:
        values = [
            f"{value[:LONGEST]} {count / max(1, sketch.rows):.0%}"
            for value, count in list(sketch.values.items())[:SHOWN]
        ]
        parts.append(", ".join(values) or "no frequent value")
        parts[0] += f" ({sketch.distinct} different)" if sketch.distinct > SHOWN else ""
    if sketch.missing:
        parts.append(f"{sketch.missing / sketch.rows:.1%} missing")
    return "; ".join(parts)


def _median(sketch: NumberSketch) -> float:
    below = 0
    for mean, count in zip(sketch.means, sketch.counts, strict=True):
        below += count
        if 2 * below >= sketch.numbers:
            return mean
    return sketch.means[-1]
