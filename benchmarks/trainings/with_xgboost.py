"""Train with XGBoost: classes, regression, missing values, categories, early stopping."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xgboost
from data import amounts, classes, table


def main(out: Path) -> None:
    """Write seven models to ``out``."""
    few = {"max_depth": 4, "nthread": 1, "seed": 0}
    x = table()
    binary = few | {"objective": "binary:logistic"}
    model = xgboost.train(binary, xgboost.DMatrix(x, classes(x)), 40)
    model.save_model(out / "xgboost_binary.ubj")
    model.save_model(out / "xgboost_binary_text.json")
    rng = np.random.default_rng(1)
    holes = np.where(rng.random(x.shape) < 0.1, np.nan, x)
    data = xgboost.DMatrix(holes, classes(x))
    xgboost.train(binary, data, 40).save_model(out / "xgboost_missing.ubj")
    several = few | {"objective": "multi:softprob", "num_class": 3}
    data = xgboost.DMatrix(x, classes(x, 3))
    xgboost.train(several, data, 40).save_model(out / "xgboost_classes.ubj")
    regression = few | {"objective": "reg:squarederror"}
    data = xgboost.DMatrix(x, amounts(x))
    xgboost.train(regression, data, 40).save_model(out / "xgboost_regression.ubj")
    early = xgboost.train(
        regression,
        xgboost.DMatrix(x[:300], amounts(x)[:300]),
        200,
        evals=[(xgboost.DMatrix(x[300:], amounts(x)[300:]), "held")],
        early_stopping_rounds=5,
        verbose_eval=False,
    )
    early.save_model(out / "xgboost_stopped_early.ubj")
    codes = rng.integers(0, 6, len(x)).astype(float)
    mixed = np.column_stack([x[:, :5], codes])
    kinds = ["q"] * 5 + ["c"]
    data = xgboost.DMatrix(mixed, classes(x), feature_types=kinds, enable_categorical=True)
    xgboost.train(binary, data, 20).save_model(out / "xgboost_categories.ubj")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
