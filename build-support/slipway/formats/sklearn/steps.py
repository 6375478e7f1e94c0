"""Walk the steps of a model, and copy it with some of them changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

TREES = (
    "DecisionTree",
    "ExtraTree",
    "RandomForest",
    "GradientBoosting",
    "HistGradientBoosting",
    "AdaBoost",
    "Bagging",
    "IsolationForest",
    "XGB",
    "LGBM",
)
SCALERS = (
    "StandardScaler",
    "MinMaxScaler",
    "MaxAbsScaler",
    "RobustScaler",
    "PowerTransformer",
    "QuantileTransformer",
    "Normalizer",
    "PCA",
)


def parts(model: Any) -> Iterator[Any]:
    """Yield a model and every fitted or named part of it, outermost first."""
    yield model
    if hasattr(model, "best_estimator_"):
        yield from parts(model.best_estimator_)
        return
    for name in ("steps", "transformers_", "transformer_list"):
        for entry in getattr(model, name, None) or ():
            if not isinstance(entry[1], str) and entry[1] is not None:
                yield from parts(entry[1])
    for name in ("regressor_", "estimator_"):
        if (inner := getattr(model, name, None)) is not None:
            yield from parts(inner)
    if type(model).__name__.startswith(("Voting", "Stacking", "Calibrated")):
        inside: Any = getattr(model, "estimators_", None) or model.calibrated_classifiers_
        for inner in inside:
            yield from parts(getattr(inner, "estimator", inner))


def of_kind(model: Any, *names: str) -> list[Any]:
    """Return the parts whose class name begins with one of ``names``."""
    return [part for part in parts(model) if type(part).__name__.startswith(names)]


def final(model: Any) -> Any:
    """Return what makes the answer: a pipeline's last step, a search's best model."""
    if hasattr(model, "best_estimator_"):
        return final(model.best_estimator_)
    if hasattr(model, "steps"):
        return final(model.steps[-1][1])
    return model


def replaced(model: Any, change: Callable[[Any], Any]) -> Any:
    """Put ``change(part)`` for every step of pipelines and column transformers inside ``model``.

    ``model`` is changed in place: give a copy.
    """
    if hasattr(model, "best_estimator_"):
        return replaced(model.best_estimator_, change)
    for name in ("steps", "transformers_", "transformer_list"):
        entries = getattr(model, name, None)
        if entries:
            setattr(model, name, [_entry(entry, change) for entry in entries])
    return change(model)


def _entry(entry: Any, change: Callable[[Any], Any]) -> tuple[Any, ...]:
    name, part, *rest = entry
    fixed = part is None or isinstance(part, str)
    return (name, part if fixed else replaced(part, change), *rest)
