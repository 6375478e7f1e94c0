"""Converters of estimators of other packages that follow scikit-learn's interface."""

from __future__ import annotations

from slipway.formats.sklearn.elements import register_elements


def register_others() -> None:
    """Let skl2onnx convert XGBoost's and LightGBM's estimators as steps of a pipeline."""
    register_elements()
    from lightgbm import LGBMClassifier, LGBMRegressor
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )
    from xgboost import XGBClassifier, XGBRegressor

    classifier = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    for kind, name, options, shapes, convert in (
        (LGBMClassifier, "LightGbmLGBMClassifier", classifier, True, convert_lightgbm),
        (LGBMRegressor, "LightGbmLGBMRegressor", {"split": None}, False, convert_lightgbm),
        (XGBClassifier, "XGBoostXGBClassifier", classifier, True, convert_xgboost),
        (XGBRegressor, "XGBoostXGBRegressor", None, False, convert_xgboost),
    ):
        calculate = (
            calculate_linear_classifier_output_shapes
            if shapes
            else calculate_linear_regressor_output_shapes
        )
        update_registered_converter(kind, name, calculate, convert, options=options)
