"""Comparing answers: golden cases test the rest through what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from slipway.triton import comparison
from slipway.triton.comparison import Tolerance


def test_of_many_differences_the_first_are_shown() -> None:
    lines = comparison.compare_outputs({"N": np.zeros(100, int)}, {"N": np.ones(100, int)}, {})
    assert len(lines) == comparison.SHOWN + 1
    assert lines[-1] == "N: and 95 more elements"


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_the_last_digits_of_a_float_may_differ(kind: type[np.floating[Any]]) -> None:
    one = np.array([1.0], kind)
    beside = np.nextafter(one, kind(2))
    assert comparison.compare_outputs({"X": one}, {"X": beside}, {}) == []
    assert comparison.compare_outputs({"X": one}, {"X": beside}, {"X": Tolerance(0, 0)})


def test_nan_agrees_with_nan_and_infinity_with_its_own_sign() -> None:
    array = np.array([np.nan, np.inf, -np.inf], np.float32)
    assert comparison.compare_outputs({"X": array}, {"X": array.copy()}, {}) == []
    assert len(comparison.compare_outputs({"X": array}, {"X": -array}, {})) == 2
