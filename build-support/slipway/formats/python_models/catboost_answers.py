"""What CatBoost answers: the same in the comparison and in the served Python model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import catboost
import numpy as np

ONE_INPUT = "input"


def load_model(path: str, answers: str) -> Any:
    """Return the model of a file, a classifier if it answers labels."""
    model = catboost.CatBoost() if answers == "prediction" else catboost.CatBoostClassifier()
    return model.load_model(path)


def rows_of(inputs: Mapping[str, Any], columns: list[list[str]]) -> Any:
    """Return the rows for CatBoost: of one tensor of numbers, or of a tensor a column.

    ``columns`` are pairs of a name and "number", "category" or "text".
    """
    if ONE_INPUT in inputs:
        return np.asarray(inputs[ONE_INPUT], np.float32)
    table = [_column(inputs[name], kind) for name, kind in columns]
    return [list(row) for row in zip(*table, strict=True)]


def _column(values: Any, kind: str) -> list[Any]:
    flat = np.asarray(values).ravel()
    if kind == "number":
        return [float(value) for value in flat.astype(np.float32)]
    return [value.decode() if isinstance(value, bytes) else str(value) for value in flat]


def answers_of(model: Any, rows: Any, answers: str, kind: str, labels: str) -> dict[str, Any]:
    """Return the answers to ``rows``, as CatBoostClassifier and CatBoostRegressor form them.

    ``answers`` is binary, multiclass, multilabel or prediction, ``kind`` CatBoost's type of
    predictions, ``labels`` the type of labels.
    """
    if answers == "prediction":
        found = model.predict(rows, prediction_type=kind, thread_count=1)
        return {"prediction": np.asarray(found).reshape(len(rows), -1).astype(np.float32)}
    found = np.asarray(model.predict_proba(rows, thread_count=1))
    label = np.asarray(model.predict(rows, thread_count=1)).reshape(len(rows), -1)
    if labels == "object":
        text = [[str(value).encode() for value in row] for row in label]
        label = np.array(text, dtype=object)
    return {"label": label.astype(labels), "probability": found.astype(np.float32)}
