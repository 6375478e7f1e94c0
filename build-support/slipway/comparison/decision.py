"""Decide by bounds, and estimate how many requests an open decision still needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from slipway.comparison.sequence import Bounds

Decision = Literal["b better", "a better", "equivalent", "different", "undecided"]
FARTHEST = 2.0**12  # as many times today's requests are not waited for
STEPS = 24


def decide_better(bounds: Bounds, margin: float) -> Decision:
    """Decide about a difference B - A of a quality. Both sides within ``margin`` is equivalent."""
    if -margin < bounds.lower and bounds.upper < margin:
        return "equivalent"
    if bounds.lower > 0:
        return "b better"
    return "a better" if bounds.upper < 0 else "undecided"


def decide_agreement(bounds: Bounds, margin: float) -> Decision:
    """Decide about the share of equal answers, without knowing which are right."""
    if bounds.lower > 1 - margin:
        return "equivalent"
    return "different" if bounds.upper < 1 - margin else "undecided"


def decide_differences(bounds: Sequence[Bounds], margin: float) -> Decision:
    """Decide about several differences at once, without knowing which direction is better."""
    if all(-margin < each.lower and each.upper < margin for each in bounds):
        return "equivalent" if bounds else "undecided"
    beyond = any(each.lower > margin or each.upper < -margin for each in bounds)
    return "different" if beyond else "undecided"


def estimate_more(decide: Callable[[float], Decision], count: int) -> int | None:
    """Return about how many more requests a decision needs if they are like those so far.

    ``decide`` gets a factor of today's requests. ``None``: more than is worth waiting for, as
    where the truth lies at the margin itself.
    """
    low, high = 1.0, 2.0
    while decide(high) == "undecided":
        low, high = high, high * 2
        if high > FARTHEST:
            return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        if decide(middle) == "undecided":
            low = middle
        else:
            high = middle
        if high - low < 0.01 * high:
            break
    return math.ceil(count * (high - 1))
