"""Find the knee: the highest rate that an endpoint sustains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from slipway.loadtest.latencies import answers_needed
from slipway.units import format_milliseconds

# share of the offered rate that must be achieved, share of the requests that may fail
ACHIEVED, FAILED = 0.95, 0.01
# without a limit from the user: this multiple of the p99 at the lowest rate
TIMES_UNLOADED = 3.0


class Point(NamedTuple):
    """A measured rate.

    ``offered`` and ``achieved`` are in 1/s, ``p99`` in seconds (``None``: too few responses),
    ``failed`` is the share of requests that failed.
    """

    offered: float
    achieved: float
    p99: float | None
    failed: float = 0.0

    @property
    def saturated(self) -> bool:
        """Return whether requests arrived faster than they were answered."""
        return self.achieved < ACHIEVED * self.offered


@dataclass(frozen=True)
class Knee:
    """The highest ``rate`` (1/s) that was sustained, as all lower ones; ``None``: there is none.

    ``ended_by`` is why the next rate failed; ``None``: the highest rate measured was sustained, and
    the knee lies above it. ``limit`` is the required p99 (s).
    """

    rate: float | None
    p99: float | None
    limit: float
    ended_by: str | None


def find_knee(points: Sequence[Point], limit: float | None = None) -> Knee:
    """Return the knee of ``points``: the highest rate at which, as at every lower one measured,

    - at least 95 % of the offered rate was achieved,
    - at most 1 % of the requests failed, and
    - p99 was at most ``limit`` (s); without one, three times that of the lowest rate.

    A rate with too few responses for a p99 is skipped. For a server that answers one request after
    the other in random times, three times is at 70 % of its capacity: above, p99 grows faster than
    the rate.
    """
    ascending = sorted(points)
    measured = [point.p99 for point in ascending if point.p99 is not None]
    within = limit or TIMES_UNLOADED * (measured[0] if measured else 0.0)
    best: Point | None = None
    reason = (
        None if measured else f"no rate had the {answers_needed(0.99)} answers that a p99 needs"
    )
    for point in ascending:
        failure = _reason_it_failed(point, within)
        if failure:
            reason = failure
            break
        best = point if point.p99 is not None else best
    return Knee(best and best.offered, best and best.p99, within, reason)


def _reason_it_failed(point: Point, limit: float) -> str | None:
    at = f"at {point.offered:.4g}/s"
    if point.failed > FAILED:
        return f"{at}, {point.failed:.1%} of the requests failed"
    if point.saturated:
        return f"{at}, only {point.achieved:.4g}/s were answered"
    if point.p99 is not None and point.p99 > limit:
        p99, bound = (format_milliseconds(value, 4) for value in (point.p99, limit))
        return f"{at}, p99 was {p99}, above {bound}"
    return None
