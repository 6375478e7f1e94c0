"""What XGBoost answers: the same in the comparison and in the served Python model."""

from __future__ import annotations

from typing import Any

import numpy as np
import xgboost


def answers_of(
    booster: xgboost.Booster, data: xgboost.DMatrix, answers: str, labels: str
) -> dict[str, Any]:
    """Return the answers to ``data``, as XGBClassifier and XGBRegressor form them.

    ``answers`` is binary, multiclass, multilabel, class or prediction; ``labels`` a type.
    """
    if answers == "multiclass":
        margin = booster.predict(data, output_margin=True).astype(np.float64)
        scores = np.exp(margin - margin.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
        label = scores.argmax(1).reshape(-1, 1)
        return {"label": label.astype(labels), "probability": scores.astype(np.float32)}
    found = booster.predict(data).reshape(data.num_row(), -1)
    if answers == "prediction":
        return {"prediction": found.astype(np.float32)}
    if answers == "class":
        return {"label": found.astype(labels)}
    label = (found > 0.5).astype(labels)
    if answers == "binary":
        found = np.concatenate([1 - found, found], axis=1)
    return {"label": label, "probability": found.astype(np.float32)}
