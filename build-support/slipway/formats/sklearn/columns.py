"""The columns that a fitted model takes, as far as its steps tell: types, ranges, categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.formats.format import Tensor
from slipway.formats.sklearn.column import Column
from slipway.formats.sklearn.ranges import observe

MOST_NAMED = 64  # columns of numbers; more become one wide tensor
WIDE = "input"
TEXT = "text"


def input_columns(model: Any) -> list[Column]:
    """Return the columns of ``model``, in the order of its training, with what its steps tell.

    Raises:
        ValueError: the model was not fitted.
    """
    names = getattr(model, "feature_names_in_", None)
    count = getattr(model, "n_features_in_", None)
    if names is None and count is None:
        columns = [Column(TEXT, kind="text")] if takes_documents(model) else []
    elif names is None:
        columns = [Column(f"x{position}") for position in range(int(count or 0))]
    else:
        columns = [Column(str(name)) for name in names]
    if not columns:
        raise ValueError("it was not fitted, or does not say what it takes")
    observe(model, list(columns))
    return columns


def takes_documents(model: Any) -> bool:
    """Return whether the first step takes a list of texts, as vectorizers do."""
    steps = getattr(model, "steps", None)
    if steps:
        return takes_documents(steps[0][1])
    if type(model).__name__ == "FeatureUnion":
        return all(takes_documents(part) for _, part in model.transformer_list)
    return type(model).__name__ in ("TfidfVectorizer", "CountVectorizer", "HashingVectorizer")


def takes_columns(model: Any) -> bool:
    """Return whether the first step tells columns apart, as a ColumnTransformer does."""
    if hasattr(model, "best_estimator_"):
        return takes_columns(model.best_estimator_)
    if getattr(model, "steps", None):
        return takes_columns(model.steps[0][1])
    return type(model).__name__ == "ColumnTransformer" or takes_documents(model)


def named(model: Any, columns: list[Column], settings: Mapping[str, str]) -> bool:
    """Return whether each column becomes a tensor: those of a table do, unless they are too many.

    Columns of different types cannot share a tensor, whatever the setting ``inputs``.
    """
    mixed = len({column.datatype for column in columns if column.used}) > 1
    if mixed or columns[0].document or columns[0].name == TEXT:
        return True
    wanted = settings.get("inputs", "")
    if wanted in ("named", "wide"):
        return wanted == "named"
    return getattr(model, "feature_names_in_", None) is not None and len(columns) <= MOST_NAMED


def tensors(columns: list[Column], separate: bool) -> tuple[Tensor, ...]:
    """Return the inputs as clients see them."""
    used = [column for column in columns if column.used]
    if separate:
        return tuple(Tensor(c.name, c.datatype, (1,), (c.feature,)) for c in used)
    features = tuple(column.feature for column in columns)
    return (Tensor(WIDE, columns[0].datatype, (len(columns),), features),)
