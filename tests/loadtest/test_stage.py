"""The measurements of a stage, from its responses."""

from __future__ import annotations

import numpy as np
import pytest

from slipway.loadtest.exchange import LoadResponse
from slipway.loadtest.stage import summarize_closed_loop, summarize_open_loop
from tests.loadtest import queues


def response(intended: float, done: float, **more: object) -> LoadResponse:
    return LoadResponse("m", intended, intended, done)._replace(**more)  # type: ignore[arg-type]


def test_a_request_that_was_sent_late_has_waited() -> None:
    assert LoadResponse("m", intended=1.0, sent=3.0, done=3.5).latency == 2.5


def test_failed_requests_are_counted_by_kind_and_in_no_latency() -> None:
    good = [response(1 + i / 100, 1.1 + i / 100) for i in range(300)]
    bad = [response(2, 60, error="no answer in 60 s"), response(2, 2, error="424 ModelError")]
    stage = summarize_open_loop([*good, *bad, bad[1]], 10)
    assert stage.errors == {"no answer in 60 s": 1, "424 ModelError": 2}
    assert stage.failed == pytest.approx(3 / 303)
    assert stage.warm.count == 300 and stage.warm.largest == pytest.approx(0.1)


def test_requests_before_the_queues_have_settled_are_not_measured() -> None:
    stage = summarize_open_loop([response(0.5, 0.9), response(1.5, 1.6)], 10)
    assert stage.requests == 2 and stage.warm.count == 1


def test_late_responses_are_measured_but_do_not_count_as_achieved() -> None:
    stage = summarize_open_loop([response(9, 12), response(5, 5.1)], 10)
    assert stage.warm.count == 2 and stage.warm.largest == 3
    assert stage.offered == pytest.approx(2 / 9) and stage.achieved == pytest.approx(1 / 9)
    assert stage.saturated


def test_cold_starts_are_summarized_apart() -> None:
    cold = [response(2, 5, cold=True)] * 6
    stage = summarize_open_loop([*cold, *[response(3, 3.1, cold=False)] * 6, response(4, 4.1)], 10)
    assert (stage.cold.count, stage.cold.p50) == (6, 3)
    assert stage.warm.count == 7 and stage.warm.largest == pytest.approx(0.1)
    assert stage.targets == {"m": {"requests": 13, "failed": 0, "cold": 6}}


def test_a_stage_with_a_late_generator_is_late() -> None:
    stage = summarize_open_loop(
        [LoadResponse("m", 1 + i / 10, 1.05 + i / 10, 1.06 + i / 10) for i in range(80)], 10
    )
    assert stage.late and stage.lag_p99 == pytest.approx(0.05)  # of a latency of 0.06
    slow = [LoadResponse("m", 1 + i / 10, 1.05 + i / 10, 1.5 + i / 10) for i in range(80)]
    assert not summarize_open_loop(slow, 10).late  # of 0.5


def test_the_latencies_of_a_queue_agree_with_queueing_theory() -> None:
    random = np.random.default_rng(0)
    stage = summarize_open_loop(queues.answers(60, 100, 600, random), 600)
    assert stage.achieved == pytest.approx(60, rel=0.03) and not stage.saturated
    assert stage.warm.p50 == pytest.approx(np.log(2) / 40, rel=0.15)
    assert stage.warm.p99 == pytest.approx(queues.p99(60, 100), rel=0.2)


def test_an_overloaded_queue_is_saturated_at_its_capacity() -> None:
    stage = summarize_open_loop(queues.answers(150, 100, 60, np.random.default_rng(0)), 60)
    assert stage.saturated and stage.achieved == pytest.approx(100, rel=0.05)


def test_a_closed_loop_counts_the_responses_in_its_time() -> None:
    stage = summarize_closed_loop([response(i / 10, (i + 1) / 10) for i in range(100)], 1, 10)
    assert stage.concurrency == 1 and stage.achieved == pytest.approx(10, rel=0.02)
