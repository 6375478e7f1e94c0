"""How the answers to golden cases differ between two releases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton.datatypes import Array, datatype_of

MAX_LABELS = 20  # that are listed
LABEL_KINDS = "biuO"  # numpy's kinds whose differences have no meaningful size


@dataclass(frozen=True)
class TensorDifference:
    """An output over all cases: ``changed`` of ``elements`` differ; ``largest`` is the greatest
    absolute difference of numbers, in the case ``case``. ``said`` is why it cannot be compared."""

    tensor: str
    datatype: str
    elements: int
    changed: int
    largest: float | None
    case: str | None
    said: str | None = None


@dataclass(frozen=True)
class Label:
    """An element that changed: of a case, by tensor and index."""

    case: str
    place: str
    before: str
    after: str


@dataclass(frozen=True)
class Outputs:
    """``cases`` were compared; ``errors`` name those where one release answers with an error, and
    the other with outputs or another error."""

    cases: int
    tensors: tuple[TensorDifference, ...]
    labels: tuple[Label, ...]
    more_labels: int
    errors: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Return whether all outputs are equal, bit for bit."""
        return not self.errors and not any(t.changed or t.said for t in self.tensors)


def compare_outputs(candidate: Model, served: Model, cases: Sequence[Path]) -> Outputs:
    """Return how the answers of two models to ``cases`` differ.

    Raises:
        SlipwayError: a case is malformed.
    """
    differences: dict[str, list[TensorDifference]] = {}
    labels: list[Label] = []
    errors: list[str] = []
    for case in cases:
        after, before = _outcome(candidate, case), _outcome(served, case)
        if isinstance(after, str) or isinstance(before, str):
            if after != before:
                errors.append(f"{case.name}: {_summary(before)} → {_summary(after)}")
            continue
        for name in {**before, **after}:
            difference = _tensor(name, before.get(name), after.get(name), case.name)
            differences.setdefault(name, []).append(difference)
            labels += _labels(name, before.get(name), after.get(name), case.name)
    tensors = tuple(map(_total, differences.values()))
    return Outputs(
        len(cases), tensors, tuple(labels[:MAX_LABELS]), len(labels[MAX_LABELS:]), tuple(errors)
    )


def _outcome(model: Model, case: Path) -> golden.Outcome:
    """Return the model's answer, with the target model's name, which always differs, removed."""
    outcome = golden.outcome(model, case)
    if isinstance(outcome, str):
        model_hash = model.server.model_hash(model.target)
        outcome = outcome.replace(model.target, "").replace(model_hash, "")
    return outcome


def _summary(outcome: golden.Outcome) -> str:
    return f"error {outcome!r}" if isinstance(outcome, str) else "outputs"


def _tensor(name: str, before: Array | None, after: Array | None, case: str) -> TensorDifference:
    if before is None or after is None:
        array = before if before is not None else after
        assert array is not None
        reason = "is new" if before is None else "is gone"
        return TensorDifference(name, str(datatype_of(array)), 0, 0, None, None, reason)
    kinds = [f"{datatype_of(array)} {list(array.shape)}" for array in (before, after)]
    if kinds[0] != kinds[1]:
        reason = f"was {kinds[0]}, is {kinds[1]} ({case})"
        return TensorDifference(name, str(datatype_of(after)), 0, 0, None, None, reason)
    unequal = _unequal(before, after)
    largest = None
    if before.dtype.kind in "fiu" and before.size:
        largest = float(np.max(_distance(before, after)))
    changed = int(np.count_nonzero(unequal))
    return TensorDifference(
        name, str(datatype_of(after)), int(after.size), changed, largest, case if changed else None
    )


def _total(cases: Sequence[TensorDifference]) -> TensorDifference:
    """Return one output's difference over all cases, with the case in which it is largest."""
    farthest = max(cases, key=lambda case: (case.largest or 0.0, case.changed))
    return TensorDifference(
        farthest.tensor,
        farthest.datatype,
        sum(case.elements for case in cases),
        sum(case.changed for case in cases),
        farthest.largest,
        farthest.case,
        next((case.said for case in cases if case.said), None),
    )


def _unequal(before: Array, after: Array) -> Array:
    if before.dtype.kind == "f":
        same = (before == after) | (np.isnan(before) & np.isnan(after))
        return np.asarray(~same, dtype=bool)
    return np.asarray(before != after, dtype=bool)


def _distance(before: Array, after: Array) -> Array:
    """Return absolute differences: 0 between two NaNs, infinite between NaN and a number."""
    a, b = before.astype(np.float64), after.astype(np.float64)
    with np.errstate(invalid="ignore"):
        distance = np.where(_unequal(before, after), np.abs(a - b), 0.0)
    finite: Array = np.where(np.isnan(distance), np.inf, distance)
    return finite


def _labels(name: str, before: Array | None, after: Array | None, case: str) -> list[Label]:
    if before is None or after is None or before.shape != after.shape:
        return []
    if before.dtype != after.dtype or before.dtype.kind not in LABEL_KINDS:
        return []
    return [
        Label(
            case,
            f"{name}{[int(i) for i in index]}",
            _label_text(before[tuple(index)]),
            _label_text(after[tuple(index)]),
        )
        for index in np.argwhere(_unequal(before, after))
    ]


def _label_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
