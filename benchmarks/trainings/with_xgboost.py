"""Train with XGBoost: classes, regression, missing values, categories, a bare Booster."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris


def main(out: Path) -> None:
    """Write seven models to ``out``."""
    few = {"n_estimators": 40, "max_depth": 4, "n_jobs": 1, "random_state": 0}
    x, y = load_breast_cancer(return_X_y=True)
    binary = xgboost.XGBClassifier(**few).fit(x, y)
    binary.save_model(out / "xgboost_binary.ubj")
    binary.save_model(out / "xgboost_binary_text.json")
    rng = np.random.default_rng(0)
    holes = np.where(rng.random(x.shape) < 0.1, np.nan, x)
    xgboost.XGBClassifier(**few).fit(holes, y).save_model(out / "xgboost_missing.ubj")
    flowers, kinds = load_iris(return_X_y=True)
    xgboost.XGBClassifier(**few).fit(flowers, kinds).save_model(out / "xgboost_classes.ubj")
    patients, progress = load_diabetes(return_X_y=True)
    xgboost.XGBRegressor(**few).fit(patients, progress).save_model(out / "xgboost_regression.ubj")
    early = xgboost.train(
        {"objective": "reg:squarederror", "max_depth": 3, "nthread": 1},
        xgboost.DMatrix(patients[:300], progress[:300]),
        200,
        evals=[(xgboost.DMatrix(patients[300:], progress[300:]), "held out")],
        early_stopping_rounds=5,
        verbose_eval=False,
    )
    early.save_model(out / "xgboost_stopped_early.ubj")
    codes = rng.integers(0, 6, len(x)).astype(float)
    table = np.column_stack([x[:, :5], codes])
    data = xgboost.DMatrix(table, y, feature_types=["q"] * 5 + ["c"], enable_categorical=True)
    xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 20).save_model(
        out / "xgboost_categories.ubj"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
