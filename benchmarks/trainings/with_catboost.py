"""Train with CatBoost: classes, regression, categories."""

from __future__ import annotations

import sys
from pathlib import Path

import catboost
import numpy as np


def main(out: Path) -> None:
    """Write four models to ``out``."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6))
    few = {"iterations": 40, "depth": 4, "thread_count": 1, "random_seed": 0, "verbose": False}
    plain = {**few, "allow_writing_files": False}
    binary = (x[:, 0] + x[:, 1] ** 2 > 0.5).astype(int)
    catboost.CatBoostClassifier(**plain).fit(x, binary).save_model(str(out / "catboost_binary.cbm"))
    classes = np.digitize(x[:, 0] + x[:, 2], [-1, 1])
    catboost.CatBoostClassifier(**plain).fit(x, classes).save_model(
        str(out / "catboost_classes.cbm")
    )
    catboost.CatBoostRegressor(**plain).fit(x, x[:, 0] * 3 + x[:, 1]).save_model(
        str(out / "catboost_regression.cbm")
    )
    colours = rng.choice(["red", "green", "blue"], len(x))
    table = [[*row, colour] for row, colour in zip(x.tolist(), colours, strict=True)]
    catboost.CatBoostClassifier(**plain, cat_features=[6]).fit(table, binary).save_model(
        str(out / "catboost_categories.cbm")
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
