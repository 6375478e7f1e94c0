"""The knee of curves whose true knee is known."""

from __future__ import annotations

import math

import pytest

from slipway.loadtest.knee import Point, doubtful_rate, find_knee
from tests.loadtest import queues


def points(capacity: float, rates: list[float]) -> list[Point]:
    """Return the true curve of an M/M/1 server."""
    return [
        Point(rate, min(rate, capacity), queues.p99(rate, capacity) if rate < capacity else 60.0)
        for rate in rates
    ]


def test_without_a_limit_the_knee_is_at_seventy_percent_of_one_worker() -> None:
    result = find_knee(points(100, [10, 30, 50, 65, 69, 71, 75, 90, 110]))
    assert result.rate == 69 and result.limit == pytest.approx(3 * math.log(100) / 90)
    assert result.ended_by and result.ended_by.startswith("at 71/s, p99 was")


@pytest.mark.parametrize(("limit", "rate"), [(0.1, 53), (0.2, 76), (1.0, 95)])
def test_with_a_limit_the_knee_is_the_highest_rate_within_it(limit: float, rate: float) -> None:
    # ln(100) / (100 - rate) = limit
    assert find_knee(points(100, [float(r) for r in range(1, 120)]), limit).rate == rate


def test_a_saturated_rate_lies_above_the_knee_whatever_the_limit() -> None:
    result = find_knee(points(100, [50, 90, 120]), limit=1000)
    assert result.rate == 90 and result.ended_by == "at 120/s, only 100/s were answered"


def test_a_rate_with_failures_lies_above_the_knee() -> None:
    result = find_knee([Point(10, 10, 0.1), Point(20, 19.6, 0.1, failed=0.02)], 1.0)
    assert result.rate == 10 and result.ended_by == "at 20/s, 2.0% of the requests failed"


def test_a_rate_above_one_that_failed_is_not_the_knee() -> None:
    assert find_knee([Point(10, 10, 0.1), Point(20, 20, 0.5), Point(30, 30, 0.1)], 0.2).rate == 10


def test_most_of_the_measurements_of_a_rate_decide() -> None:
    good, bad = Point(20, 20, 0.1, intended=20), Point(20.4, 15, 0.9, intended=20)
    around = [Point(10, 10, 0.1, intended=10), Point(30, 30, 0.15, intended=30)]
    assert find_knee([*around, bad], 0.2).rate == 10
    assert doubtful_rate([*around, bad], 0.2) == 20
    assert find_knee([*around, bad, good], 0.2).rate == 10  # not decided yet
    assert doubtful_rate([*around, bad, good], 0.2) == 20
    assert find_knee([*around, bad, good, good], 0.2).rate == 30
    assert doubtful_rate([*around, bad, good, good], 0.2) is None
    failed = find_knee([*around, bad, good, bad], 0.2)
    assert failed.rate == 10 and failed.ended_by == "at 20.4/s, only 15/s were answered"
    assert doubtful_rate([*around, bad, bad], 0.2) is None


def test_a_failure_above_the_knee_is_not_doubtful() -> None:
    points = [Point(10, 10, 0.1, intended=10), Point(20, 15, 0.9, intended=20)]
    assert doubtful_rate(points, 0.2) is None


def test_a_rate_with_too_few_answers_is_skipped() -> None:
    result = find_knee([Point(1, 1, None), Point(30, 30, 0.1), Point(40, 40, 0.4)], 0.2)
    assert result.rate == 30
    nothing = find_knee([Point(1, 1, None), Point(2, 2, None)], 0.2)
    assert nothing.rate is None
    assert nothing.ended_by == "no rate had the 299 answers that a p99 needs"


def test_if_the_highest_rate_is_sustained_nothing_ended_the_knee() -> None:
    result = find_knee([Point(10, 10, 0.1), Point(20, 20, 0.1)], 0.2)
    assert result.rate == 20 and result.ended_by is None


def test_without_points_there_is_no_knee() -> None:
    assert find_knee([]).rate is None
