"""Percentiles, and when there are enough answers for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.loadtest.latencies import Latencies, answers_needed, summarize_latencies


def test_percentiles_are_by_the_nearest_rank() -> None:
    summary = summarize_latencies([float(number) for number in range(1000, 0, -1)])
    assert (summary.p50, summary.p90, summary.p99, summary.largest) == (500, 900, 990, 1000)
    assert (summary.count, summary.mean) == (1000, 500.5)


@pytest.mark.parametrize(("level", "needed"), [(0.5, 5), (0.9, 29), (0.99, 299)])
def test_a_percentile_needs_a_minimum_of_answers(level: float, needed: int) -> None:
    assert answers_needed(level) == needed
    assert level**needed <= 0.05 < level ** (needed - 1)


def test_a_percentile_of_too_few_answers_is_none() -> None:
    summary = summarize_latencies([1.0] * 298)
    assert summary.p90 == 1.0 and summary.p99 is None
    assert summarize_latencies([1.0] * 299).p99 == 1.0
    assert summarize_latencies([1.0] * 4).p50 is None
    assert summarize_latencies([]) == Latencies(0, None, None, None, None, None)


@given(st.lists(st.floats(0, 100), min_size=5, max_size=400))
def test_half_of_the_answers_do_not_exceed_the_median(latencies: list[float]) -> None:
    median = summarize_latencies(latencies).p50
    assert median in latencies
    assert np.mean(np.array(latencies) <= median) >= 0.5
    assert np.mean(np.array(latencies) < median) < 0.5
