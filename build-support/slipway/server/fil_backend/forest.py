"""A forest, opened and prepared as the native backend does it, and its header.

fil_backend, src/tl_utils.h (load_tl_base_model, tl_get_num_classes) and src/tl_model.h
(TreeliteModel).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import treelite

from slipway.server.fil_backend.parameters import RENAMED_SINCE, Parameters

type Array = np.ndarray[Any, Any]

# from Treelite 4.0 on, GTIL knows no max_index, which the backend asked for until 25.08
WITHOUT_MAX_INDEX = "24.03"
MULTI_CLASS = 2  # treelite::TaskType::kMultiClf
NUMERICAL, CATEGORICAL = 1, 2  # treelite::TreeNodeType
EQ, LT, LE, GT, GE = range(1, 6)  # treelite::Operator
INCLUSIVE = (LE, GT)
FIELDS = (
    *("node_type", "cleft", "cright", "split_index", "default_left", "threshold", "cmp"),
    *("category_list", "category_list_begin", "category_list_end", "category_list_right_child"),
    *("leaf_value", "leaf_vector", "leaf_vector_begin", "leaf_vector_end"),
    *("sum_hess", "sum_hess_present", "data_count", "data_count_present"),
)
# herring/node.hpp has a std::bitset of as many bits as the node's value has bytes
CATEGORIES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class Forest:
    """A model of Treelite. ``classes`` is 1 for a regression and for two classes in one number.

    ``labels``: the class is asked for in place of the scores of several classes.
    """

    model: Any
    features: int
    classes: int
    labels: bool


def open_forest(file: Path, parameters: Parameters, release: str) -> Forest:
    """Open ``file``, and choose what becomes of the trees' sums.

    Raises:
        ValueError: the native backend refuses it, or ends the whole server.
    """
    model = _load(file, parameters)
    header = model.get_header_accessor()
    if int(header.get_field("num_target")[0]) != 1:
        raise ValueError(
            "Multi-target model not supported: NVIDIA's backend ends the whole server with it"
        )
    classes = int(header.get_field("num_class")[0])
    labels = parameters.classifies and not parameters.probabilities and classes > 1
    if labels and release < RENAMED_SINCE and not _knows_max_index(model, parameters, release):
        header.set_field("postprocessor", "max_index")  # every request fails, as there
    elif parameters.probabilities and int(header.get_field("task_type")[0]) == MULTI_CLASS:
        vectors = int(header.get_field("leaf_vector_shape")[1]) > 1
        header.set_field("postprocessor", "identity_multiclass" if vectors else "softmax")
    return Forest(model, int(model.num_feature), classes, labels)


def _load(file: Path, parameters: Parameters) -> Any:
    kind = parameters.model_type
    if kind == "treelite_checkpoint" and not file.is_file():
        raise ValueError(f'Could not open model file "{file}"')
    try:
        if kind == "xgboost":
            return treelite.frontend.load_xgboost_model_legacy_binary(file)
        if kind == "lightgbm":
            return treelite.frontend.load_lightgbm_model(file)
        if kind == "treelite_checkpoint":
            return treelite.Model.deserialize(file)
        return treelite.frontend.load_xgboost_model(
            file,
            format_choice={"xgboost_json": "json", "xgboost_ubj": "ubjson"}[kind],
            allow_unknown_field=parameters.allow_unknown_field,
        )
    except treelite.TreeliteError as error:
        raise ValueError(f"{error} (Treelite {treelite.__version__})") from error


def _knows_max_index(model: Any, parameters: Parameters, release: str) -> bool:
    """Return whether the release can return classes of more than two: a GPU can, and Herring."""
    if release < WITHOUT_MAX_INDEX or parameters.on_gpu:
        return True
    return parameters.herring and _fits_herring(model)


def _fits_herring(model: Any) -> bool:
    """Return whether Herring, the backend's own code for CPUs, takes the model (convert_tree)."""
    inclusive: set[bool] = set()
    for tree in trees_of(model):
        is_test = tree["node_type"] == NUMERICAL
        inclusive |= set(np.isin(tree["cmp"][is_test], INCLUSIVE).tolist())
        if tree["category_list"].max(initial=0) >= CATEGORIES[model.input_type]:
            return False
    return len(inclusive) < 2


def trees_of(model: Any) -> list[dict[str, Array]]:
    """Return the fields of each tree, arrays with an item for each node."""
    accessors = [model.get_tree_accessor(index) for index in range(model.num_tree)]
    return [{name: accessor.get_field(name) for name in FIELDS} for accessor in accessors]
