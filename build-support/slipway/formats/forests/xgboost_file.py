"""What a file of XGBoost says of itself: JSON and UBJSON hold the same document.

Source: XGBoost's doc/model.schema and src/learner.cc; the older binary format has no version and is
refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.forests.features import categories, numbers
from slipway.formats.forests.ubjson import MalformedError, read_ubjson
from slipway.formats.format import Feature

NEWEST = (3, 4)  # of the lock, locks/xgboost.txt
JSON = re.compile(rb'\s*\{\s*"(learner|version|Config)"\s*:')
# UBJSON's object whose first key, after its length in one of three forms, is "learner"
UBJSON = re.compile(rb"\{(L.{7}|l.{3}|I.|[iU])\x07(learner|version)", re.DOTALL)
# the binary format before it: "binf", or 136 bytes of parameters and the objective's name
BINARY = re.compile(rb"(binf)?.{136}.{8}(reg|binary|multi|count|rank|survival):", re.DOTALL)
RESAVE = (
    "save it again with XGBoost 3.0 or earlier (pip install 'xgboost-cpu<3.1'):"
    " python -c \"import xgboost; xgboost.Booster(model_file='OLD').save_model('model.json')\""
)


@dataclass(frozen=True)
class XGBoostFile:
    """The document of a model."""

    document: Mapping[str, Any]

    @property
    def version(self) -> tuple[int, ...]:
        """Return the version of XGBoost that wrote it."""
        return tuple(int(part) for part in self.document["version"])

    @property
    def learner(self) -> Mapping[str, Any]:
        """Return the part with everything that was learned."""
        learner: Mapping[str, Any] = self.document["learner"]
        return learner

    @property
    def objective(self) -> str:
        """Return the objective's name, as ``binary:logistic``."""
        return str(self.learner["objective"]["name"])

    @property
    def parameters(self) -> Mapping[str, str]:
        """Return base score, and the numbers of features, classes and targets."""
        parameters: Mapping[str, str] = self.learner["learner_model_param"]
        return parameters

    @property
    def booster(self) -> str:
        """Return gbtree, dart or gblinear."""
        booster = self.learner["gradient_booster"]
        name = str(booster["name"])
        return "dart" if "weight_drop" in self.model or "weight_drop" in booster else name

    @property
    def model(self) -> Mapping[str, Any]:
        """Return the part of the trees; dart's was one level deeper before 3.4."""
        booster = self.learner["gradient_booster"]
        model: Mapping[str, Any] = booster.get("gbtree", booster)["model"]
        return model

    @cached_property
    def trees(self) -> list[Mapping[str, Any]]:
        """Return the trees; () of gblinear."""
        return list(self.model.get("trees", ()))

    @property
    def classes(self) -> int:
        """Return the number of classes, 0 of a model that has none."""
        return int(self.parameters["num_class"])

    @property
    def targets(self) -> int:
        """Return how many values are predicted a row."""
        return max(int(self.parameters.get("num_target", 1)), 1)

    @property
    def answers(self) -> str:
        """Return what it answers: binary, multilabel, multiclass, class or prediction."""
        if self.objective.startswith("multi:"):
            return "multiclass"
        if self.objective == "binary:hinge":
            return "class"
        if self.objective == "binary:logistic":
            return "binary" if self.targets == 1 else "multilabel"
        return "prediction"

    @property
    def best_iteration(self) -> int | None:
        """Return the iteration where early stopping would have ended, counted from 0."""
        best = self.learner.get("attributes", {}).get("best_iteration")
        return None if best is None else int(best)

    @property
    def rounds(self) -> int:
        """Return how many times trees were added."""
        parallel = max(int(self.model["gbtree_model_param"].get("num_parallel_tree", 1)), 1)
        wide = any(int(t["tree_param"].get("size_leaf_vector", 1)) > 1 for t in self.trees[:1])
        groups = 1 if wide else max(self.classes, self.targets, 1)
        return len(self.trees) // (parallel * groups)

    @property
    def is_categorical(self) -> bool:
        """Return whether a tree splits by categories."""
        return any(len(tree.get("categories", ())) for tree in self.trees)

    def category_names(self, column: int) -> tuple[str | int | float, ...]:
        """Return what a DataFrame's categories were called, by code; XGBoost 3.1 and later say."""
        encoded = self.model.get("cats", {}).get("enc", ())
        if column >= len(encoded):
            return ()
        values = np.asarray(encoded[column].get("values", ()))
        offsets = [int(at) for at in encoded[column].get("offsets", ())]
        if not offsets:
            return tuple(value.item() for value in values)
        text = values.astype(np.uint8).tobytes()
        pairs = zip(offsets, offsets[1:], strict=False)
        return tuple(text[begin:end].decode(errors="replace") for begin, end in pairs)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """Return name and range of each column: of the thresholds, or the categories' codes."""
        count = int(self.parameters["num_feature"])
        names = list(self.learner.get("feature_names", ())) or [f"f{n}" for n in range(count)]
        kinds = list(self.learner.get("feature_types", ())) or ["float"] * count
        thresholds: dict[int, list[float]] = {}
        codes: dict[int, int] = {}
        for tree in self.trees:
            _read_splits(tree, thresholds, codes)
        return tuple(
            (
                categories(names[n], max(codes.get(n, 0), len(self.category_names(n)) - 1) + 1)
                if kinds[n] == "c" or n in codes
                else numbers(names[n], thresholds.get(n, []), kinds[n] in ("int", "i"))
            )
            for n in range(count)
        )


def _read_splits(
    tree: Mapping[str, Any], thresholds: dict[int, list[float]], codes: dict[int, int]
) -> None:
    left = np.asarray(tree["left_children"])
    columns = np.asarray(tree["split_indices"])
    values = np.asarray(tree["split_conditions"], np.float64)
    kinds = np.asarray(tree.get("split_type", np.zeros(len(left), int)))
    for node in np.flatnonzero((left != -1) & (kinds == 0)):
        thresholds.setdefault(int(columns[node]), []).append(float(values[node]))
    listed = np.asarray(tree.get("categories", ()), int)
    for node, begin, size in zip(
        tree.get("categories_nodes", ()),
        tree.get("categories_segments", ()),
        tree.get("categories_sizes", ()),
        strict=True,
    ):
        column = int(columns[int(node)])
        highest = int(listed[int(begin) : int(begin) + int(size)].max(initial=0))
        codes[column] = max(codes.get(column, 0), highest)


def is_xgboost(contents: Contents) -> bool:
    """Return whether the first bytes are those of a model of XGBoost, in any of its formats."""
    head = contents.head
    return bool(JSON.match(head) or UBJSON.match(head) or BINARY.match(head))


def load_xgboost(path: Path, head: bytes) -> XGBoostFile | None:
    """Return the document of a file; ``None`` of JSON that is something else.

    Raises:
        SlipwayError: it is truncated, of the old binary format, or of a newer XGBoost.
    """
    where = str(path)
    if BINARY.match(head) and not JSON.match(head) and not UBJSON.match(head):
        what = "an XGBoost model in its old binary format, which XGBoost 3.1 no longer reads"
        raise SlipwayError(what, where=where, fix=RESAVE)
    try:
        data = path.read_bytes()
        document = json.loads(data) if JSON.match(head) else read_ubjson(data)
    except (MalformedError, ValueError) as error:
        what = f"an XGBoost model that is not complete: {error}"
        fix = "copy or download the file again; compare its size with the original"
        raise SlipwayError(what, where=where, fix=fix) from error
    if not isinstance(document, dict) or "gradient_booster" not in document.get("learner", ()):
        return None
    model = XGBoostFile(document)
    if model.version[:2] > NEWEST:
        version, newest = (".".join(map(str, v)) for v in (model.version, NEWEST))
        what = f"a model of XGBoost {version}; the newest that is known here is {newest}"
        fix = f"train and save it with xgboost=={newest}.*, or use a newer Slipway"
        raise SlipwayError(what, where=where, fix=fix)
    return model
