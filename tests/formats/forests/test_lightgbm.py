"""LightGBM's models answer as LightGBM does, on each backend."""

from __future__ import annotations

import pytest

from slipway.errors import SlipwayError
from tests.formats.forests.conftest import Run


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("multiclass.txt", "fil"),
        ("ova.txt", "onnxruntime"),
        ("forest.txt", "fil"),
        ("square_root.txt", "onnxruntime"),
        ("categories.txt", "onnxruntime"),
        ("single_categories.txt", "onnxruntime"),  # ONNX Runtime 1.21 forgets category 0
        ("zeros.txt", "python"),
        ("linear.txt", "python"),
    ],
)
def test_what_is_served_answers_as_lightgbm(run: Run, name: str, backend: str) -> None:
    conversion = run(f"lightgbm/{name}", backend)
    assert conversion.difference is not None and conversion.difference < 5e-6


def test_a_label_is_a_column_and_ranges_are_those_of_the_training(run: Run) -> None:
    converted = run("lightgbm/multiclass.txt").converted
    shapes = {output.name: (output.datatype, output.dims) for output in converted.outputs}
    assert shapes == {"label": ("INT64", (1,)), "probability": ("FP32", (3,))}
    alcohol = converted.inputs[0].features[0]
    assert 11 < alcohol.low < alcohol.high < 15 and alcohol.missing


def test_one_against_all_is_refused_for_fil_which_would_take_softmax(run: Run) -> None:
    with pytest.raises(SlipwayError, match="FIL takes softmax") as error:
        run("lightgbm/ova.txt", "fil")
    assert error.value.fix == "--backend onnxruntime"
