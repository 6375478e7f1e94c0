"""How the answers of two releases to the same cases differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from slipway.pipeline.report.outputs import Outputs, compare_outputs
from slipway.server.client import InferenceError
from slipway.testing.model import Model
from slipway.triton.datatypes import Array


class Answers:
    """A model with a fixed answer for each case; a text is an error."""

    def __init__(self, target: str, **answers: Mapping[str, Array] | str) -> None:
        self.target = target
        self.server = SimpleNamespace(model_hash=lambda target: f"{len(target):08x}")
        self._answers = answers

    def __call__(
        self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> Mapping[str, Array]:
        answer = self._answers[inputs["CASE"]]
        if isinstance(answer, str):
            raise InferenceError(
                400, f"in {self.target} ({self.server.model_hash(self.target)}): {answer}"
            )
        return answer


def compare_answers(tmp_path: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> Outputs:
    """Compare production's answers ``before`` with the candidate's ``after``, by case."""
    cases = []
    for name in before:
        cases.append(tmp_path / name)
        cases[-1].mkdir()
        said = json.dumps({"inputs": {"CASE": name}})
        (cases[-1] / "input.json").write_text(said, encoding="utf-8")
    candidate, served = Answers("new.tar.gz", **after), Answers("old.tar.gz", **before)
    return compare_outputs(cast(Model, candidate), cast(Model, served), cases)


def floats(*values: float) -> dict[str, Array]:
    """Return answers with one output."""
    return {"SCORE": np.array(values, np.float32)}


def test_equal_answers_are_the_same(tmp_path: Path) -> None:
    found = compare_answers(tmp_path, {"a": floats(1, np.nan)}, {"a": floats(1, np.nan)})
    assert found.same
    assert (found.tensors[0].changed, found.tensors[0].largest) == (0, 0.0)


def test_the_largest_difference_and_its_case_are_named(tmp_path: Path) -> None:
    before = {"a": floats(1, 2), "b": floats(1, 2)}
    after = {"a": floats(1, 2.25), "b": floats(0.5, 2)}
    (tensor,) = compare_answers(tmp_path, before, after).tensors
    assert (tensor.elements, tensor.changed, tensor.largest, tensor.case) == (4, 2, 0.5, "b")


@pytest.mark.parametrize("to", [np.nan, np.inf])
def test_a_value_that_became_nan_or_infinite_is_infinitely_far(tmp_path: Path, to: float) -> None:
    (tensor,) = compare_answers(tmp_path, {"a": floats(1)}, {"a": floats(to)}).tensors
    assert tensor.largest == np.inf


def test_texts_booleans_and_integers_that_changed_are_listed(tmp_path: Path) -> None:
    before = {
        "LABEL": np.array([[b"document"], [b"\xff"]], dtype=object),
        "SURE": np.array([True]),
        "COUNT": np.array([1, 2], np.int32),
    }
    after = {
        "LABEL": np.array([[b"screen"], [b"\xff"]], dtype=object),
        "SURE": np.array([False]),
        "COUNT": np.array([1, 5], np.int32),
    }
    found = compare_answers(tmp_path, {"photo": before}, {"photo": after})
    assert [(label.place, label.before, label.after) for label in found.labels] == [
        ("LABEL[0, 0]", "document", "screen"),
        ("SURE[0]", "True", "False"),
        ("COUNT[1]", "2", "5"),
    ]
    assert {tensor.tensor: tensor.largest for tensor in found.tensors} == {
        "LABEL": None,
        "SURE": None,
        "COUNT": 3.0,
    }


def test_labels_beyond_the_limit_are_counted(tmp_path: Path) -> None:
    found = compare_answers(
        tmp_path,
        {"a": {"N": np.zeros(50, np.int64)}},
        {"a": {"N": np.ones(50, np.int64)}},
    )
    assert (len(found.labels), found.more_labels) == (20, 30)


def test_outputs_that_are_added_removed_or_change_their_type_are_reported(tmp_path: Path) -> None:
    before = {"GONE": np.zeros(1, np.float32), "KIND": np.zeros(1, np.float32)}
    after = {"NEW": np.zeros(1, np.float32), "KIND": np.zeros((1, 2), np.float64)}
    found = compare_answers(tmp_path, {"a": before}, {"a": after})
    assert {tensor.tensor: tensor.said for tensor in found.tensors} == {
        "GONE": "is gone",
        "KIND": "was FP32 [1], is FP64 [1, 2] (a)",
        "NEW": "is new",
    }
    assert not found.same


def test_errors_are_compared_without_the_target_models_names(tmp_path: Path) -> None:
    assert compare_answers(tmp_path, {"a": "no photo"}, {"a": "no photo"}).same


def test_an_error_of_only_one_release_is_reported(tmp_path: Path) -> None:
    found = compare_answers(tmp_path, {"a": floats(1), "b": "x"}, {"a": "no photo", "b": "y"})
    assert found.errors == (
        "a: outputs → error 'in  (): no photo'",
        "b: error 'in  (): x' → error 'in  (): y'",
    )
    assert not found.same
