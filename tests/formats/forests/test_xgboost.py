"""XGBoost's models answer as XGBoost does, on each backend; what cannot is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from tests.formats.forests.conftest import Run


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("binary.json", "onnxruntime"),
        ("dart.ubj", "onnxruntime"),  # onnxmltools leaves its weights out
        ("softmax.ubj", "fil"),
        ("poisson.ubj", "fil"),
        ("quantiles.ubj", "onnxruntime"),  # which XGBoost sorts
        ("two_targets.ubj", "onnxruntime"),
        ("linear.ubj", "python"),
    ],
)
def test_what_is_served_answers_as_xgboost(run: Run, name: str, backend: str) -> None:
    conversion = run(f"xgboost/{name}", backend)
    assert conversion.difference is not None and conversion.difference < 5e-6
    assert conversion.options.backend == backend


def test_categories_of_a_table_are_served_as_codes_that_are_named(run: Run) -> None:
    conversion = run("xgboost/categories.ubj", "fil")
    [rows] = conversion.converted.inputs
    assert [feature.name for feature in rows.features] == ["age", "colour", "city"]
    assert rows.features[1].values == (0, 1, 2)
    assert "colour takes a category's code: 0=blue, 1=green, 2=red" in conversion.converted.notes
    assert conversion.difference is not None and conversion.difference < 1e-6


def test_early_stopping_is_served_as_the_classifier_predicts_or_whole(run: Run) -> None:
    best, whole = run("xgboost/early.ubj"), run("xgboost/early.ubj", trees="all")
    assert any("early stopping chose" in note for note in best.converted.notes)
    assert not any("early stopping" in note for note in whole.converted.notes)
    # the first answers of both are to the same rows
    assert not np.allclose(best.answers["probability"], whole.answers["probability"])


def test_a_number_for_missing_values_is_taken_as_missing(run: Run) -> None:
    conversion = run("xgboost/binary.ubj", missing="0")
    assert "0 in the input is taken as missing, besides NaN" in conversion.converted.notes
    with pytest.raises(SlipwayError, match="FIL knows no value but NaN") as error:
        run("xgboost/binary.ubj", "fil", missing="0")
    assert error.value.fix == "--backend onnxruntime"


@pytest.mark.parametrize(
    ("triton", "name"), [("25.04", "output_class"), ("25.09", "is_classifier")]
)
def test_fil_gets_the_parameters_that_its_release_reads(run: Run, triton: str, name: str) -> None:
    converted = run("xgboost/binary.ubj", "fil", triton, contributions="true").converted
    assert dict(converted.parameters) == {
        "model_type": "treelite_checkpoint",
        name: "true",
        "predict_proba": "true",
        "threshold": "0.5",
        "cpu_nthread": "1",
    }
    assert converted.served["contributions"] == "treeshap_output"
    assert converted.outputs[1].dims == (31,)


def test_a_threshold_of_ones_own_decides_the_class(run: Run) -> None:
    conversion = run("xgboost/binary.ubj", "fil", output="class", threshold="0.3")
    [label] = conversion.converted.outputs
    assert (label.name, label.datatype, label.dims) == ("label", "FP32", ())
    assert conversion.converted.parameters["threshold"] == "0.3"


@pytest.mark.parametrize(
    ("name", "settings", "what"),
    [
        ("softmax.ubj", {"output": "class"}, "fails on CPUs if it is to answer the class"),
        ("binary.ubj", {"storage_type": "SPARSE8", "colour": "red"}, "no setting 'colour'"),
        ("binary.ubj", {"gpu": "yes"}, "gpu is 'yes'"),
    ],
)
def test_settings_that_fil_does_not_have_are_refused(
    run: Run, name: str, settings: dict[str, str], what: str
) -> None:
    with pytest.raises(SlipwayError, match=what):
        run(f"xgboost/{name}", "fil", **settings)


def test_several_targets_are_no_model_of_fil(run: Run, forests: Path) -> None:
    with pytest.raises(SlipwayError, match="not served by fil") as error:
        run("xgboost/two_targets.ubj", "fil")
    assert error.value.fix == "--backend onnxruntime"
