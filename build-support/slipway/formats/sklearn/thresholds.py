"""Where the trees of a model split each column: the training's range, as far as it matters."""

from __future__ import annotations

from typing import Any

import numpy as np

from slipway.formats.format import Array


def thresholds(model: Any) -> dict[int, Array]:
    """Return the split points of each column position; {} of models without trees."""
    found: dict[int, list[Array]] = {}
    for features, values in _splits(model):
        for position in np.unique(features):
            found.setdefault(int(position), []).append(values[features == position])
    return {
        position: values[np.isfinite(values)]
        for position, parts in found.items()
        if np.isfinite(values := np.unique(np.concatenate(parts))).any()
    }


def _splits(model: Any) -> list[tuple[Array, Array]]:
    if hasattr(model, "tree_"):
        inner = model.tree_.feature >= 0
        return [(model.tree_.feature[inner], model.tree_.threshold[inner])]
    if hasattr(model, "_predictors"):  # histogram gradient boosting
        nodes = [tree.nodes for trees in model._predictors for tree in trees]
        inner_nodes = [
            node[(node["is_leaf"] == 0) & (node["is_categorical"] == 0)] for node in nodes
        ]
        return [(node["feature_idx"], node["num_threshold"]) for node in inner_nodes]
    if type(model).__name__.startswith("LGBM"):
        table = model.booster_.trees_to_dataframe().dropna(subset=["split_feature"])
        order = {name: i for i, name in enumerate(model.booster_.feature_name())}
        table = table[table["decision_type"] == "<="]
        return [
            (
                table["split_feature"].map(order).to_numpy(),
                table["threshold"].to_numpy(dtype=np.float64),
            )
        ]
    if type(model).__name__.startswith("XGB"):
        booster = model.get_booster()
        table = booster.trees_to_dataframe()
        table = table[table["Feature"] != "Leaf"].dropna(subset=["Split"])
        names = booster.feature_names or [f"f{i}" for i in range(booster.num_features())]
        order = {name: i for i, name in enumerate(names)}
        return [(table["Feature"].map(order).to_numpy(), table["Split"].to_numpy(dtype=np.float64))]
    return []
