"""What each fitted step tells about the columns that reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from slipway.formats.sklearn import scalers
from slipway.formats.sklearn.documents import sample_documents
from slipway.formats.sklearn.scalers import Columns, set_range
from slipway.formats.sklearn.thresholds import thresholds


def observe(step: Any, columns: Columns) -> Columns:
    """Note in ``columns`` what ``step`` and its parts tell; return the columns that leave it."""
    if step is None or isinstance(step, str):  # "passthrough" and "drop"
        return columns if step != "drop" else []
    for names, tell in TELLERS:
        if type(step).__name__ in names:
            return tell(step, columns)
    for part in _parts(step):
        observe(part, columns)
    _rows_kept(step, columns)
    _split_points(step, columns)
    return []


def _pipeline(step: Any, columns: Columns) -> Columns:
    for _, part in step.steps:
        columns = observe(part, columns)
    return columns


def _column_transformer(step: Any, columns: Columns) -> Columns:
    used: set[int] = set()
    leaving: Columns = [None] * max((s.stop or 0 for s in step.output_indices_.values()), default=0)
    for name, part, chosen in step.transformers_:
        positions = _positions(chosen, columns)
        if isinstance(part, str) and part == "drop":
            continue
        used.update(positions)
        left = observe(part, [columns[position] for position in positions])
        place = step.output_indices_[name]
        if len(left) == (place.stop or 0) - (place.start or 0):
            leaving[place] = left
    for position, column in enumerate(columns):
        if column is not None and position not in used:
            column.used = False
    return leaving


def _positions(chosen: Any, columns: Columns) -> list[int]:
    names = {column.name: i for i, column in enumerate(columns) if column is not None}
    if isinstance(chosen, slice):
        if isinstance(chosen.start, str) or isinstance(chosen.stop, str):
            first = names[chosen.start] if chosen.start is not None else 0
            last = names[chosen.stop] if chosen.stop is not None else len(columns) - 1
            return list(range(first, last + 1))
        return list(range(len(columns)))[chosen]
    if isinstance(chosen, str) or np.ndim(chosen) == 0:
        chosen = [chosen]
    if len(chosen) and isinstance(chosen[0], bool | np.bool_):
        return [i for i, taken in enumerate(chosen) if taken]
    return [names[item] if isinstance(item, str) else int(item) for item in chosen]


def _union(step: Any, columns: Columns) -> Columns:
    for _, part in step.transformer_list:
        observe(part, columns)
    return []


def _imputer(step: Any, columns: Columns) -> Columns:
    kept: Columns = []
    for column, value in zip(columns, step.statistics_, strict=False):
        if column is not None:
            column.missing = True
            if isinstance(value, str):
                column.kind = "text"
                column.values = column.values or [value]
                column.absent = step.missing_values
            elif value is None:  # None is no gap to an imputer of NaN: it is a value like others
                column.kind, column.absent = "text", None
            elif column.low is None and np.isfinite(float(value)):
                column.low, column.high = _around(float(value), abs(float(value)) / 2)
        if isinstance(value, str) or value == value or getattr(step, "keep_empty_features", False):
            kept.append(column)
    added = getattr(getattr(step, "indicator_", None), "features_", ())
    return [*kept, *[None] * len(added)]


def _encoder(step: Any, columns: Columns) -> Columns:
    for column, categories in zip(columns, step.categories_, strict=False):
        if column is None:
            continue
        present = [item for item in categories.tolist() if item is not None and item == item]
        if len(present) < len(categories):
            column.missing = True
            column.absent = categories.tolist()[-1]
        if all(isinstance(item, str) for item in present):
            column.kind = "text"
            column.values = [item for item in present if item != ""]
            column.missing = column.missing or "" in present
            if getattr(step, "handle_unknown", "error") != "error":
                column.values.append("never seen before")
        else:
            whole = categories.dtype.kind in "iub"
            column.kind = "integer" if whole else "number"
            column.values = present
    if type(step).__name__ == "OrdinalEncoder":
        return [None] * len(columns)
    return []


def _documents(step: Any, columns: Columns) -> Columns:
    for column in columns[:1]:
        if column is not None:
            column.kind, column.document = "text", True
            column.values = list(sample_documents(getattr(step, "vocabulary_", ())))
    return []


def _hist_boosting(step: Any, columns: Columns) -> Columns:
    for column in columns:
        if column is not None and column.kind != "text":
            column.missing = True  # each of its splits has a way for missing values
    _split_points(step, columns)
    return []


TELLERS: Sequence[tuple[tuple[str, ...], Callable[[Any, Columns], Columns]]] = (
    (("Pipeline",), _pipeline),
    (("ColumnTransformer",), _column_transformer),
    (("FeatureUnion",), _union),
    (("SimpleImputer",), _imputer),
    (("OneHotEncoder", "OrdinalEncoder", "TargetEncoder"), _encoder),
    (("StandardScaler",), scalers.standard),
    (("RobustScaler",), scalers.robust),
    (("MinMaxScaler",), scalers.min_max),
    (("MaxAbsScaler",), scalers.max_abs),
    (("QuantileTransformer",), scalers.quantiles),
    (("FunctionTransformer",), scalers.function),
    (("PowerTransformer",), scalers.power),
    (("KBinsDiscretizer",), scalers.bins),
    (("TfidfVectorizer", "CountVectorizer", "HashingVectorizer"), _documents),
    (("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), _hist_boosting),
)


def _parts(step: Any) -> Iterable[Any]:
    """Yield the fitted models inside another model that see the same columns."""
    best = getattr(step, "best_estimator_", None)
    if best is not None:
        yield best
        return
    for name in ("estimators_", "calibrated_classifiers_"):
        inside = getattr(step, name, None)
        if inside is not None and not hasattr(step, "tree_"):
            yield from (part for part in np.ravel(np.asarray(inside, dtype=object)))
    for name in ("estimator", "estimator_"):
        part = getattr(step, name, None)
        if part is not None and hasattr(part, "n_features_in_"):
            yield part


def _rows_kept(step: Any, columns: Columns) -> None:
    """Note the ranges of training rows, means or centres that a model keeps."""
    for name in ("_fit_X", "support_vectors_", "cluster_centers_", "theta_", "means_", "mean_"):
        kept = getattr(step, name, None)
        if kept is None or not isinstance(kept, np.ndarray) or kept.dtype.kind != "f":
            continue
        rows = np.atleast_2d(kept)
        if rows.shape[-1] == len(columns):
            low, high = rows.min(axis=0), rows.max(axis=0)
            pad = np.where(high > low, (high - low) / 4, np.abs(high) / 2 + 1)
            set_range(columns, low - pad, high + pad)


def _split_points(step: Any, columns: Columns) -> None:
    for position, values in thresholds(step).items():
        column = columns[position] if position < len(columns) else None
        if column is None or column.kind in ("text", "integer"):
            continue
        low, high = float(values.min()), float(values.max())
        pad = (high - low) / 10 or abs(high) / 10 or 1.0
        column.whole = bool(np.all(values % 1 == 0.5))
        column.low = low - pad if column.low is None else min(low - pad, column.low)
        column.high = high + pad if column.high is None else max(high + pad, column.high)


def _around(value: float, spread: float) -> tuple[float, float]:
    return value - (spread or 1.0), value + (spread or 1.0)
