"""Percentiles, and when there are enough answers for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.loadtest.latencies import Latencies, answers_needed, summarize_latencies


def test_percentiles_are_by_the_nearest_rank() -> None:
    found = summarize_latencies([float(number) for number in range(1000, 0, -1)])
    assert (found.p50, found.p90, found.p99, found.largest) == (500, 900, 990, 1000)
    assert (found.count, found.mean) == (1000, 500.5)


@pytest.mark.parametrize(("level", "needed"), [(0.5, 5), (0.9, 29), (0.99, 299)])
def test_a_percentile_needs_so_many_answers(level: float, needed: int) -> None:
    assert answers_needed(level) == needed
    assert level**needed <= 0.05 < level ** (needed - 1)


def test_too_few_answers_give_no_number() -> None:
    found = summarize_latencies([1.0] * 298)
    assert found.p90 == 1.0 and found.p99 is None
    assert summarize_latencies([1.0] * 299).p99 == 1.0
    assert summarize_latencies([1.0] * 4).p50 is None
    assert summarize_latencies([]) == Latencies(0, None, None, None, None, None)


@given(st.lists(st.floats(0, 100), min_size=5, max_size=400))
def test_half_of_the_answers_do_not_exceed_the_median(latencies: list[float]) -> None:
    median = summarize_latencies(latencies).p50
    assert median in latencies
    assert np.mean(np.array(latencies) <= median) >= 0.5
    assert np.mean(np.array(latencies) < median) < 0.5
