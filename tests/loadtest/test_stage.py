"""A stage's numbers from its answers."""

from __future__ import annotations

import numpy as np
import pytest

from slipway.loadtest import stage
from slipway.loadtest.answer import Answer
from tests.loadtest import queues


def answered(intended: float, done: float, **more: object) -> Answer:
    return Answer("m", intended, intended, done)._replace(**more)  # type: ignore[arg-type]


def test_a_request_that_waited_for_its_turn_has_waited() -> None:
    assert Answer("m", intended=1.0, sent=3.0, done=3.5).latency == 2.5


def test_failed_requests_are_counted_by_kind_and_in_no_latency() -> None:
    good = [answered(1 + i / 100, 1.1 + i / 100) for i in range(300)]
    bad = [answered(2, 60, error="no answer in 60 s"), answered(2, 2, error="424 ModelError")]
    made = stage.open_loop([*good, *bad, bad[1]], 10)
    assert made.errors == {"no answer in 60 s": 1, "424 ModelError": 2}
    assert made.failed == pytest.approx(3 / 303)
    assert made.warm.count == 300 and made.warm.largest == pytest.approx(0.1)


def test_what_came_before_the_queues_had_settled_is_not_measured() -> None:
    made = stage.open_loop([answered(0.5, 0.9), answered(1.5, 1.6)], 10)
    assert made.requests == 2 and made.warm.count == 1


def test_late_answers_are_measured_but_not_as_achieved() -> None:
    made = stage.open_loop([answered(9, 12), answered(5, 5.1)], 10)
    assert made.warm.count == 2 and made.warm.largest == 3
    assert made.offered == pytest.approx(2 / 9) and made.achieved == pytest.approx(1 / 9)
    assert made.saturated


def test_cold_starts_are_apart() -> None:
    cold = [answered(2, 5, cold=True)] * 6
    made = stage.open_loop([*cold, *[answered(3, 3.1, cold=False)] * 6, answered(4, 4.1)], 10)
    assert (made.cold.count, made.cold.p50) == (6, 3)
    assert made.warm.count == 7 and made.warm.largest == pytest.approx(0.1)
    assert made.targets == {"m": {"requests": 13, "failed": 0, "cold": 6}}


def test_a_generator_that_was_late_says_so() -> None:
    made = stage.open_loop(
        [Answer("m", 1 + i / 10, 1.05 + i / 10, 1.06 + i / 10) for i in range(80)], 10
    )
    assert made.late and made.lag_p99 == pytest.approx(0.05)  # of a latency of 0.06
    slow = [Answer("m", 1 + i / 10, 1.05 + i / 10, 1.5 + i / 10) for i in range(80)]
    assert not stage.open_loop(slow, 10).late  # of 0.5


def test_a_queue_answers_as_the_theory_of_queues_says() -> None:
    random = np.random.default_rng(0)
    made = stage.open_loop(queues.answers(60, 100, 600, random), 600)
    assert made.achieved == pytest.approx(60, rel=0.03) and not made.saturated
    assert made.warm.p50 == pytest.approx(np.log(2) / 40, rel=0.15)
    assert made.warm.p99 == pytest.approx(queues.p99(60, 100), rel=0.2)


def test_an_overrun_queue_is_saturated_at_its_capacity() -> None:
    made = stage.open_loop(queues.answers(150, 100, 60, np.random.default_rng(0)), 60)
    assert made.saturated and made.achieved == pytest.approx(100, rel=0.05)


def test_a_closed_loop_counts_what_was_answered_in_its_time() -> None:
    made = stage.closed_loop([answered(i / 10, (i + 1) / 10) for i in range(100)], 1, 10)
    assert made.concurrency == 1 and made.achieved == pytest.approx(10, rel=0.02)
