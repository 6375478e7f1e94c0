"""Train with LightGBM: classes, regression, categories."""

from __future__ import annotations

import sys
from pathlib import Path

import lightgbm
import numpy as np
from data import amounts, classes, table


def main(out: Path) -> None:
    """Write four models to ``out``."""
    few = {"num_leaves": 15, "num_threads": 1, "seed": 0, "verbose": -1}
    x = table()

    def train(name: str, data: lightgbm.Dataset, **parameters: object) -> None:
        lightgbm.train(few | parameters, data, 40).save_model(out / f"lightgbm_{name}.txt")

    train("binary", lightgbm.Dataset(x, classes(x)), objective="binary")
    several = lightgbm.Dataset(x, classes(x, 3))
    train("classes", several, objective="multiclass", num_class=3)
    train("regression", lightgbm.Dataset(x, amounts(x)), objective="regression")
    codes = np.random.default_rng(0).integers(0, 6, len(x))
    mixed = np.column_stack([x[:, :5], codes])
    categories = lightgbm.Dataset(mixed, classes(x), categorical_feature=[5])
    train("categories", categories, objective="binary")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
