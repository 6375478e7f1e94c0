"""Test what a model's ``evaluate.py`` may return; tests/cli runs one on a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.server.client import UnansweredError
from slipway.testing.evaluate_worker import call_program, finite_metrics

PROGRAM = Path("models/tiny/evaluate.py")


def test_numbers_of_numpy_and_python_become_json() -> None:
    returned = {"a": np.float32(0.5), "b": 3, "c": np.int64(4), "d": True, "e": np.array(2.5)}
    metrics = finite_metrics(returned, PROGRAM)
    assert json.loads(json.dumps(metrics)) == {"a": 0.5, "b": 3, "c": 4, "d": 1, "e": 2.5}


def test_a_value_that_is_not_finite_becomes_none() -> None:
    returned = {"a": float("nan"), "b": np.float32("inf"), "c": -float("inf")}
    assert finite_metrics(returned, PROGRAM) == {"a": None, "b": None, "c": None}


@pytest.mark.parametrize("returned", [None, {}, [1.0], 0.5])
def test_a_return_value_that_is_not_a_mapping_is_reported(returned: Any) -> None:
    with pytest.raises(SlipwayError, match="not metrics") as caught:
        finite_metrics(returned, PROGRAM)
    assert caught.value.where == str(PROGRAM)


@pytest.mark.parametrize("value", ["b", None, [1.0, 2.0], np.ones(2), {"nested": 1.0}])
def test_a_metric_that_is_not_a_number_is_named(value: Any) -> None:
    with pytest.raises(SlipwayError, match="the metric 'a' is"):
        finite_metrics({"a": value}, PROGRAM)


def test_a_request_without_an_answer_is_reported_with_the_models_line_not_the_programs() -> None:
    def evaluate() -> None:
        error = UnansweredError("no answer in 60 s")
        error.where = "models/tiny/tiny/1/model.py:7"
        raise error

    with pytest.raises(UnansweredError) as raised:
        call_program(evaluate, PROGRAM)
    assert raised.value.where == "models/tiny/tiny/1/model.py:7"
