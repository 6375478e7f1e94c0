"""The knee: the highest rate that an endpoint carries well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from slipway.loadtest.latencies import answers_needed
from slipway.units import format_milliseconds

# of the offered rate that has to be achieved, of the requests that may fail
ACHIEVED, FAILED = 0.95, 0.01
# without a limit from the user: so many times the p99 of the lowest rate
TIMES_UNLOADED = 3.0


class Point(NamedTuple):
    """A measured rate (1/s), what was achieved of it, its p99 (s; None: too few answers) and the
    share of requests that failed."""

    offered: float
    achieved: float
    p99: float | None
    failed: float = 0.0

    @property
    def saturated(self) -> bool:
        """Whether requests came faster than they were answered."""
        return self.achieved < ACHIEVED * self.offered


@dataclass(frozen=True)
class Knee:
    """``rate`` (1/s) held, as every lower one did; ``None``: not even the lowest.

    ``ended_by`` is why the next one did not; ``None``: the highest rate measured still held, and
    the knee lies above it. ``limit`` is the p99 (s) asked for.
    """

    rate: float | None
    p99: float | None
    limit: float
    ended_by: str | None


def find(points: Sequence[Point], limit: float | None = None) -> Knee:
    """The knee of ``points``: the highest rate at which, as at every lower one measured,

    - at least 95 % of the offered rate was achieved,
    - at most 1 % of the requests failed, and
    - p99 was at most ``limit`` (s); without one, three times that of the lowest rate.

    A rate with too few answers for a p99 is passed over. For a server that answers one after the
    other in random times, three times is at 70 % of what it can do: above, p99 grows faster than
    the rate.
    """
    ascending = sorted(points)
    known = [point.p99 for point in ascending if point.p99 is not None]
    within = limit or TIMES_UNLOADED * (known[0] if known else 0.0)
    best: Point | None = None
    reason = None if known else f"no rate had the {answers_needed(0.99)} answers that a p99 needs"
    for point in ascending:
        wrong = _why_not(point, within)
        if wrong:
            reason = wrong
            break
        best = point if point.p99 is not None else best
    return Knee(best and best.offered, best and best.p99, within, reason)


def _why_not(point: Point, limit: float) -> str | None:
    at = f"at {point.offered:.4g}/s"
    if point.failed > FAILED:
        return f"{at}, {point.failed:.1%} of the requests failed"
    if point.saturated:
        return f"{at}, only {point.achieved:.4g}/s were answered"
    if point.p99 is not None and point.p99 > limit:
        p99, bound = (format_milliseconds(value, 4) for value in (point.p99, limit))
        return f"{at}, p99 was {p99}, above {bound}"
    return None
