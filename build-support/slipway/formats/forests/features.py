"""What the columns of a forest's rows may hold, from its thresholds and categories."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.formats.format import Feature

MARGIN = 0.1  # of the range beyond the outermost thresholds, so that each side is drawn


def numbers(
    name: str, thresholds: Sequence[float], integer: bool = False, missing: bool = True
) -> Feature:
    """Return a column of numbers that fall on both sides of each threshold."""
    finite = [value for value in thresholds if abs(value) < 1e30]
    if not finite:
        return Feature(name, missing=missing, integer=integer)
    low, high = min(finite), max(finite)
    margin = (high - low) * MARGIN or max(abs(low), 1.0) * 0.5
    if integer:
        margin = max(round(margin), 1)
    return Feature(name, low - margin, high + margin, integer=integer, missing=missing)


def categories(name: str, count: int, missing: bool = True) -> Feature:
    """Return a column of integer codes from 0 to below ``count``."""
    return Feature(name, 0, count - 1, tuple(range(count)), integer=True, missing=missing)
