"""What a model answers: its outputs, and the framework's own values of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.format import Array, Tensor
from slipway.formats.sklearn.steps import final


@dataclass(frozen=True)
class Result:
    """An output: ``method`` of the model gives it, ``width`` values a row."""

    name: str
    datatype: str
    width: int
    method: str

    @property
    def tensor(self) -> Tensor:
        """Return the output as clients see it."""
        return Tensor(self.name, self.datatype, (self.width,))


def results(model: Any) -> tuple[Result, ...]:
    """Return the outputs of ``model``.

    A classifier has ``label`` and ``probability`` (or ``score``, of those without probabilities), a
    regressor ``prediction``, a clusterer ``label`` and ``distance``, an outlier detector ``label``
    (-1 for outliers) and ``score``, a transformer ``transformed``.

    Raises:
        SlipwayError: it answers several questions at once, or none.
    """
    last = final(model)
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list) or getattr(last, "multilabel_", False):
        raise SlipwayError(
            "a classifier of several labels at once has no single label",
            fix="save one classifier a label",
        )
    if classes is not None and hasattr(model, "predict"):
        return _classifier(model, np.asarray(classes))
    if _outliers(last):
        method = "score_samples" if not hasattr(model, "decision_function") else "decision_function"
        return Result("label", "INT64", 1, "predict"), Result("score", "FP32", 1, method)
    if hasattr(model, "predict") and hasattr(last, "cluster_centers_"):
        label = Result("label", "INT64", 1, "predict")
        if not hasattr(model, "transform"):
            return (label,)
        return label, Result("distance", "FP32", len(last.cluster_centers_), "transform")
    if hasattr(last, "weights_") and hasattr(last, "means_") and hasattr(model, "predict_proba"):
        width = len(last.weights_)
        label = Result("label", "INT64", 1, "predict")
        return label, Result("probability", "FP32", width, "predict_proba")
    if hasattr(model, "predict"):
        return (Result("prediction", "FP32", _targets(last), "predict"),)
    if hasattr(model, "transform"):
        return (Result("transformed", "FP32", _width(model), "transform"),)
    raise SlipwayError(
        f"{type(last).__name__} neither predicts nor transforms new rows",
        fix="save a model that has predict or transform",
    )


def _classifier(model: Any, classes: Array) -> tuple[Result, ...]:
    whole = classes.dtype.kind in "iub"
    label = Result("label", "INT64" if whole else "BYTES", 1, "predict")
    if hasattr(model, "predict_proba"):
        return label, Result("probability", "FP32", len(classes), "predict_proba")
    width = len(classes) if len(classes) > 2 else 1
    return label, Result("score", "FP32", width, "decision_function")


def _outliers(last: Any) -> bool:
    return getattr(last, "_estimator_type", None) == "outlier_detector" or (
        hasattr(last, "offset_") and hasattr(last, "score_samples")
    )


def _targets(last: Any) -> int:
    for name in ("n_outputs_", "n_targets_", "_n_outputs"):
        if isinstance(count := getattr(last, name, None), int | np.integer):
            return int(count)
    weights = getattr(last, "coef_", None)
    if isinstance(weights, np.ndarray) and weights.ndim == 2 and not hasattr(last, "dual_coef_"):
        return int(weights.shape[0])
    several = getattr(last, "estimators_", None)
    if type(last).__name__.startswith("MultiOutput") and several is not None:
        return len(several)
    return 1


def _width(model: Any) -> int:
    try:
        return len(model.get_feature_names_out())
    except (AttributeError, ValueError, NotImplementedError):
        return -1


def answer(model: Any, table: Any, result: Result) -> Array:
    """Return the model's own answer to ``table``: [rows, width], of the type that is served."""
    found = getattr(model, result.method)(table)
    if hasattr(found, "toarray"):
        found = found.toarray()
    rows: Array = np.asarray(found)
    rows = rows.reshape(len(rows), -1)
    if result.datatype == "BYTES":
        return np.array([[str(item) for item in row] for row in rows], dtype=object)
    return rows.astype(np.int64 if result.datatype == "INT64" else np.float32)
