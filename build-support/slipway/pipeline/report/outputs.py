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

MOST = 20  # labels that are listed
LABELS = "biuO"  # numpy's kinds of which a difference has no size that means something


@dataclass(frozen=True)
class TensorDifference:
    """An output over all cases: ``changed`` of ``elements`` differ; ``largest`` is the greatest
    absolute difference of numbers, in the case ``case``. ``said`` tells what cannot be compared."""

    tensor: str
    datatype: str
    elements: int
    changed: int
    largest: float | None
    case: str | None
    said: str | None = None


@dataclass(frozen=True)
class Label:
    """An element that became another: of a case, by tensor and index."""

    case: str
    place: str
    before: str
    after: str


@dataclass(frozen=True)
class Outputs:
    """``cases`` were asked; ``errors`` say where one of the two answers with an error, and the other
    with outputs or another error."""

    cases: int
    tensors: tuple[TensorDifference, ...]
    labels: tuple[Label, ...]
    more_labels: int
    errors: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs in any bit."""
        return not self.errors and not any(t.changed or t.said for t in self.tensors)


def outputs(candidate: Model, served: Model, cases: Sequence[Path]) -> Outputs:
    """What the two answer to ``cases``.

    Raises:
        SlipwayError: a case is malformed.
    """
    found: dict[str, list[TensorDifference]] = {}
    labels: list[Label] = []
    errors: list[str] = []
    for case in cases:
        after, before = _outcome(candidate, case), _outcome(served, case)
        if isinstance(after, str) or isinstance(before, str):
            if after != before:
                errors.append(f"{case.name}: {_said(before)} → {_said(after)}")
            continue
        for name in {**before, **after}:
            one = _tensor(name, before.get(name), after.get(name), case.name)
            found.setdefault(name, []).append(one)
            labels += _labels(name, before.get(name), after.get(name), case.name)
    tensors = tuple(_together(each) for each in found.values())
    return Outputs(len(cases), tensors, tuple(labels[:MOST]), len(labels[MOST:]), tuple(errors))


def _outcome(model: Model, case: Path) -> golden.Outcome:
    """Errors name the target model, by which the two always differ."""
    found = golden.outcome(model, case)
    if isinstance(found, str):
        found = found.replace(model.target, "").replace(model.server.model_hash(model.target), "")
    return found


def _said(outcome: golden.Outcome) -> str:
    return f"error {outcome!r}" if isinstance(outcome, str) else "outputs"


def _tensor(name: str, before: Array | None, after: Array | None, case: str) -> TensorDifference:
    if before is None or after is None:
        there = before if before is not None else after
        assert there is not None
        said = "is new" if before is None else "is gone"
        return TensorDifference(name, str(datatype_of(there)), 0, 0, None, None, said)
    kinds = [f"{datatype_of(array)} {list(array.shape)}" for array in (before, after)]
    if kinds[0] != kinds[1]:
        said = f"was {kinds[0]}, is {kinds[1]} ({case})"
        return TensorDifference(name, str(datatype_of(after)), 0, 0, None, None, said)
    unequal = _unequal(before, after)
    largest = None
    if before.dtype.kind in "fiu" and before.size:
        largest = float(np.max(_distance(before, after)))
    changed = int(np.count_nonzero(unequal))
    return TensorDifference(
        name, str(datatype_of(after)), int(after.size), changed, largest, case if changed else None
    )


def _together(found: Sequence[TensorDifference]) -> TensorDifference:
    farthest = max(found, key=lambda one: (one.largest or 0.0, one.changed))
    return TensorDifference(
        farthest.tensor,
        farthest.datatype,
        sum(one.elements for one in found),
        sum(one.changed for one in found),
        farthest.largest,
        farthest.case,
        next((one.said for one in found if one.said), None),
    )


def _unequal(before: Array, after: Array) -> Array:
    if before.dtype.kind == "f":
        same = (before == after) | (np.isnan(before) & np.isnan(after))
        return np.asarray(~same, dtype=bool)
    return np.asarray(before != after, dtype=bool)


def _distance(before: Array, after: Array) -> Array:
    """Absolute differences; 0 between two that are not numbers, infinite to one that is none."""
    a, b = before.astype(np.float64), after.astype(np.float64)
    with np.errstate(invalid="ignore"):
        distance = np.where(_unequal(before, after), np.abs(a - b), 0.0)
    found: Array = np.where(np.isnan(distance), np.inf, distance)
    return found


def _labels(name: str, before: Array | None, after: Array | None, case: str) -> list[Label]:
    if before is None or after is None or before.shape != after.shape:
        return []
    if before.dtype != after.dtype or before.dtype.kind not in LABELS:
        return []
    return [
        Label(
            case,
            f"{name}{[int(i) for i in index]}",
            _word(before[tuple(index)]),
            _word(after[tuple(index)]),
        )
        for index in np.argwhere(_unequal(before, after))
    ]


def _word(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
