"""Train with LightGBM: classes, regression, categories."""

from __future__ import annotations

import sys
from pathlib import Path

import lightgbm
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris


def main(out: Path) -> None:
    """Write four models to ``out``."""
    few = {"n_estimators": 40, "num_leaves": 15, "n_jobs": 1, "random_state": 0, "verbose": -1}
    x, y = load_breast_cancer(return_X_y=True)
    lightgbm.LGBMClassifier(**few).fit(x, y).booster_.save_model(out / "lightgbm_binary.txt")
    flowers, kinds = load_iris(return_X_y=True)
    classes = lightgbm.LGBMClassifier(**few).fit(flowers, kinds)
    classes.booster_.save_model(out / "lightgbm_classes.txt")
    patients, progress = load_diabetes(return_X_y=True)
    regression = lightgbm.LGBMRegressor(**few).fit(patients, progress)
    regression.booster_.save_model(out / "lightgbm_regression.txt")
    codes = np.random.default_rng(0).integers(0, 6, len(x))
    table = np.column_stack([x[:, :5], codes])
    categories = lightgbm.LGBMClassifier(**few).fit(table, y, categorical_feature=[5])
    categories.booster_.save_model(out / "lightgbm_categories.txt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
