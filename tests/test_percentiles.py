"""Percentiles by the nearest rank."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slipway.percentiles import nearest_rank


@given(st.lists(st.floats(0, 100), min_size=1, max_size=400), st.sampled_from([0.5, 0.9, 0.99]))
def test_the_nearest_rank_is_the_quantile_that_numpy_calls_inverted_cdf(
    values: list[float], level: float
) -> None:
    assert nearest_rank(sorted(values), level) == np.quantile(values, level, method="inverted_cdf")


def test_there_is_no_percentile_of_no_values() -> None:
    assert nearest_rank([], 0.5) is None
