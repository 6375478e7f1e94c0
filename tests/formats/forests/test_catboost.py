"""CatBoost's models answer as CatBoost does: by its own ONNX, repaired, or by itself."""

from __future__ import annotations

import numpy as np
import pytest

from tests.formats.forests.conftest import Run


@pytest.mark.parametrize(
    ("name", "backend", "repair"),
    [
        ("texts.cbm", "onnxruntime", "instead of a list of maps"),
        ("one_and_three.cbm", "onnxruntime", "label is one of [1, 3]"),
        ("ova.cbm", "onnxruntime", "each class's own (one against all) instead of softmax"),
        ("poisson.cbm", "onnxruntime", "the exponential of the sums"),
        ("two_targets.cbm", "python", ""),
        ("categories.cbm", "python", ""),
        ("lossguide.cbm", "python", ""),
    ],
)
def test_what_is_served_answers_as_catboost(run: Run, name: str, backend: str, repair: str) -> None:
    conversion = run(f"catboost/{name}")
    assert conversion.options.backend == backend
    assert conversion.difference is not None and conversion.difference < 5e-6
    assert repair in "; ".join(conversion.converted.repairs)


def test_columns_of_texts_are_inputs_of_their_own(run: Run) -> None:
    conversion = run("catboost/categories.cbm")
    inputs = {tensor.name: tensor.datatype for tensor in conversion.converted.inputs}
    assert inputs == {"age": "FP32", "colour": "BYTES", "city": "BYTES"}
    assert conversion.converted.packages == ("catboost==1.2.10",)


def test_labels_are_those_of_the_training(run: Run) -> None:
    label = run("catboost/texts.cbm").answers["label"]
    assert set(np.unique(label.astype(str))) <= {"benign", "malignant"}
