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
MAJORITY = 2  # of three measurements


class Point(NamedTuple):
    """A measured rate.

    ``offered`` and ``achieved`` are in 1/s, ``p99`` in seconds (``None``: too few responses),
    ``failed`` is the share of requests that failed. Points with the same ``intended`` rate repeat
    one measurement; arrivals are random, so that what was offered differs from it.
    """

    offered: float
    achieved: float
    p99: float | None
    failed: float = 0.0
    intended: float | None = None

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

    A rate with too few responses for a p99 is skipped. One that was measured repeatedly counts as
    most of its measurements, so that a disturbance in one of them does not decide. For a server
    that answers one request after the other in random times, three times is at 70 % of its
    capacity: above, p99 grows faster than the rate.
    """
    ascending = sorted(points)
    measured = [point.p99 for point in ascending if point.p99 is not None]
    within = limit or TIMES_UNLOADED * (measured[0] if measured else 0.0)
    best: Point | None = None
    reason = (
        None if measured else f"no rate had the {answers_needed(0.99)} answers that a p99 needs"
    )
    for rate in _by_rate(ascending):
        passed, failures = _judge(rate, within)
        if len(failures) >= len(passed):
            reason = failures[0]
            break
        best = max((p for p in passed if p.p99 is not None), key=_p99, default=best)
    return Knee(best and best.offered, best and best.p99, within, reason)


def doubtful_rate(points: Sequence[Point], limit: float) -> float | None:
    """Return the lowest rate that failed although the next higher one passed, unless most of three
    measurements say so already; ``None`` if there is none. ``limit`` is the required p99 (s)."""
    rates = _by_rate(sorted(points))
    for rate, above in zip(rates, rates[1:], strict=False):
        passed, failures = _judge(rate, limit)
        passed_above, failures_above = _judge(above, limit)
        undecided = len(failures) < MAJORITY and len(passed) < MAJORITY
        if failures and undecided and len(passed_above) > len(failures_above):
            return rate[0].intended
    return None


def _by_rate(points: Sequence[Point]) -> list[list[Point]]:
    """Return the measurements of each rate, the lowest rate first."""
    rates: dict[float, list[Point]] = {}
    for point in points:
        rates.setdefault(point.offered if point.intended is None else point.intended, []).append(
            point
        )
    return [rates[rate] for rate in sorted(rates)]


def _judge(rate: Sequence[Point], limit: float) -> tuple[list[Point], list[str]]:
    """Return the measurements of a rate that passed, and the reasons why the others failed."""
    reasons = [_reason_it_failed(point, limit) for point in rate]
    passed = [point for point, reason in zip(rate, reasons, strict=True) if reason is None]
    return passed, [reason for reason in reasons if reason is not None]


def _p99(point: Point) -> float:
    return point.p99 or 0.0


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
