"""What LightGBM answers: the same in the comparison and in the served Python model."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np


def answers_of(booster: lightgbm.Booster, rows: Any, answers: str) -> dict[str, Any]:
    """Return the answers to ``rows``, as LGBMClassifier and LGBMRegressor form them.

    ``answers`` is binary, multiclass or prediction.
    """
    found = booster.predict(rows.astype(np.float64), num_threads=1).reshape(len(rows), -1)
    if answers == "prediction":
        return {"prediction": found.astype(np.float32)}
    if answers == "binary":
        label = (found > 0.5).astype(np.int64)
        found = np.concatenate([1 - found, found], axis=1)
    else:
        label = found.argmax(1).reshape(-1, 1)
    return {"label": label, "probability": found.astype(np.float32)}
