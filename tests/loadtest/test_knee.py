"""The knee of curves whose knee is known."""

from __future__ import annotations

import math

import pytest

from slipway.loadtest import knee
from slipway.loadtest.knee import Point
from tests.loadtest import queues


def points(capacity: float, rates: list[float]) -> list[Point]:
    """An M/M/1 server's true curve."""
    return [
        Point(rate, min(rate, capacity), queues.p99(rate, capacity) if rate < capacity else 60.0)
        for rate in rates
    ]


def test_without_a_limit_it_is_at_seventy_percent_of_one_worker() -> None:
    found = knee.find(points(100, [10, 30, 50, 65, 69, 71, 75, 90, 110]))
    assert found.rate == 69 and found.limit == pytest.approx(3 * math.log(100) / 90)
    assert found.ended_by and found.ended_by.startswith("at 71/s, p99 was")


@pytest.mark.parametrize(("limit", "rate"), [(0.1, 53), (0.2, 76), (1.0, 95)])
def test_with_a_limit_it_is_the_highest_rate_within(limit: float, rate: float) -> None:
    # ln(100) / (100 - rate) = limit
    assert knee.find(points(100, [float(r) for r in range(1, 120)]), limit).rate == rate


def test_saturation_ends_it_however_long_one_may_wait() -> None:
    found = knee.find(points(100, [50, 90, 120]), limit=1000)
    assert found.rate == 90 and found.ended_by == "at 120/s, only 100/s were answered"


def test_failures_end_it() -> None:
    found = knee.find([Point(10, 10, 0.1), Point(20, 19.6, 0.1, failed=0.02)], 1.0)
    assert found.rate == 10 and found.ended_by == "at 20/s, 2.0% of the requests failed"


def test_a_rate_above_one_that_did_not_hold_is_not_trusted() -> None:
    assert knee.find([Point(10, 10, 0.1), Point(20, 20, 0.5), Point(30, 30, 0.1)], 0.2).rate == 10


def test_a_rate_with_too_few_answers_is_passed_over() -> None:
    found = knee.find([Point(1, 1, None), Point(30, 30, 0.1), Point(40, 40, 0.4)], 0.2)
    assert found.rate == 30
    nothing = knee.find([Point(1, 1, None), Point(2, 2, None)], 0.2)
    assert nothing.rate is None
    assert nothing.ended_by == "no rate had the 299 answers that a p99 needs"


def test_the_highest_rate_may_hold_still() -> None:
    found = knee.find([Point(10, 10, 0.1), Point(20, 20, 0.1)], 0.2)
    assert found.rate == 20 and found.ended_by is None


def test_without_points_there_is_no_knee() -> None:
    assert knee.find([]).rate is None
