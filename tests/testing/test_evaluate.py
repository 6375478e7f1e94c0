"""What a model's ``evaluate.py`` may return. That it runs on a real server: tests/cli."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.testing.evaluate_worker import numbers

PROGRAM = Path("models/tiny/evaluate.py")


def test_numpys_numbers_and_plain_ones_become_json() -> None:
    returned = {"a": np.float32(0.5), "b": 3, "c": np.int64(4), "d": True, "e": np.array(2.5)}
    found = numbers(returned, PROGRAM)
    assert json.loads(json.dumps(found)) == {"a": 0.5, "b": 3, "c": 4, "d": 1, "e": 2.5}


def test_what_is_not_finite_has_no_value() -> None:
    returned = {"a": float("nan"), "b": np.float32("inf"), "c": -float("inf")}
    assert numbers(returned, PROGRAM) == {"a": None, "b": None, "c": None}


@pytest.mark.parametrize("returned", [None, {}, [1.0], 0.5])
def test_what_is_no_mapping_of_metrics_is_told(returned: Any) -> None:
    with pytest.raises(SlipwayError, match="not metrics") as caught:
        numbers(returned, PROGRAM)
    assert caught.value.where == str(PROGRAM)


@pytest.mark.parametrize("value", ["b", None, [1.0, 2.0], np.ones(2), {"nested": 1.0}])
def test_a_metric_that_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(SlipwayError, match="the metric 'a' is"):
        numbers({"a": value}, PROGRAM)
