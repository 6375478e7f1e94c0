"""Compare the framework's answers with those of what will be served.

Floats may differ by ``tolerance`` times the larger of the answer's amount and the scale of the
output, which is its largest amount, but at most 1. So 1e-4 is an absolute limit of probabilities,
and a relative one of large and of tiny numbers. Everything else has to be equal; NaN equals NaN.
A label may flip where its scores are as close as the tolerance: then the scores decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.format import Array, Arrays

LARGEST = 1e100  # of a score, in place of infinity


@dataclass(frozen=True)
class Difference:
    """Where an output differs. ``amounts`` are absolute, inf where no number says how much;
    ``wrong`` is where that is more than allowed. Both have the answers' shape."""

    output: str
    amounts: Array
    wrong: Array

    @property
    def rows(self) -> Array:
        """Return a mask of the rows with a value that is wrong."""
        rows: Array = self.wrong.reshape(len(self.wrong), -1).any(axis=1)
        return rows


@dataclass(frozen=True)
class Comparison:
    """All outputs that were compared. ``largest`` is the largest difference of an allowed value,
    relative to the larger of 1 and the answer's amount; ``ties`` counts rows with a flipped label
    of equal scores; ``left_out`` are outputs without an answer of what is served."""

    differences: tuple[Difference, ...]
    largest: float
    ties: int
    left_out: tuple[str, ...] = ()

    @property
    def rows(self) -> Array:
        """Return a mask of the rows that differ in any output."""
        rows: Array = np.logical_or.reduce([difference.rows for difference in self.differences])
        return rows


def compare(reference: Arrays, served: Arrays, tolerance: float) -> Comparison:
    """Return how the answers differ.

    Raises:
        SlipwayError: an output has another shape, or nothing can be compared.
    """
    names = [name for name in reference if name in served]
    if not names:
        raise SlipwayError(
            f"no output can be compared: the framework has {', '.join(reference) or 'none'}, what"
            f" is served {', '.join(served) or 'none'}",
            fix="this is a mistake of the format's module: report it",
        )
    ties = np.zeros(len(reference[names[0]]), bool)
    differences = []
    scores = [n for n in names if reference[n].dtype.kind == "f"]
    close = _close_scores([reference[name] for name in scores], tolerance)
    for name in names:
        expected, actual = reference[name], served[name]
        if expected.shape != actual.shape:
            raise SlipwayError(
                f"output {name!r} is {list(expected.shape)} in the framework, and"
                f" {list(actual.shape)} as it would be served",
                fix="serve it another way: --backend; `slipway new` lists the ways",
            )
        difference = _compare_output(name, expected, actual, tolerance)
        if name not in scores and scores:
            flipped = difference.rows & close
            ties |= flipped
            wrong = difference.wrong & ~flipped.reshape(-1, *[1] * (expected.ndim - 1))
            difference = Difference(name, difference.amounts, wrong)
        differences.append(difference)
    largest = max((_largest(reference[d.output], d) for d in differences), default=0.0)
    left_out = tuple(name for name in reference if name not in served)
    return Comparison(tuple(differences), largest, int(ties.sum()), left_out)


def _compare_output(name: str, expected: Array, actual: Array, tolerance: float) -> Difference:
    if expected.dtype.kind not in "fiub" or actual.dtype.kind not in "fiub":
        wrong = np.asarray(_texts(expected) != _texts(actual))
        return Difference(name, np.where(wrong, np.inf, 0.0), wrong)
    if "f" not in (expected.dtype.kind, actual.dtype.kind):
        wrong = expected != actual
        return Difference(name, np.where(wrong, np.inf, 0.0), wrong)
    a, b = expected.astype(np.float64), actual.astype(np.float64)
    with np.errstate(invalid="ignore"):
        amounts = np.abs(a - b)
    amounts[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    amounts[np.isnan(amounts)] = np.inf
    return Difference(name, amounts, amounts > tolerance * np.maximum(_amount(a), _scale(a)))


def _amount(values: Array) -> Array:
    return np.where(np.isfinite(values), np.abs(values), 0.0)


def _scale(values: Array) -> float:
    """Return the largest amount of an output's numbers, at most 1."""
    return min(1.0, float(_amount(values).max(initial=0.0))) or 1.0


def _texts(array: Array) -> Array:
    flat = [
        t.decode("utf-8", "surrogateescape") if isinstance(t, bytes) else str(t)
        for t in array.ravel()
    ]
    return np.array(flat, dtype=str).reshape(array.shape)


def _largest(expected: Array, difference: Difference) -> float:
    """Return the largest difference of a float output, relative to the larger of 1 and amount."""
    if expected.dtype.kind != "f" or not expected.size:
        return 0.0
    relative = difference.amounts / np.maximum(1.0, _amount(expected.astype(np.float64)))
    return float(relative.max())


def _close_scores(scores: list[Array], tolerance: float) -> Array:
    """Return a mask of the rows whose two best scores are equal within the tolerance."""
    if not scores:
        return np.zeros(0, bool)
    close = np.zeros(len(scores[0]), bool)
    for array in scores:
        flat = array.astype(np.float64).reshape(len(array), -1)
        flat = np.nan_to_num(flat, posinf=LARGEST, neginf=-LARGEST)
        allowed = 2 * tolerance * _scale(flat)
        if flat.shape[1] == 1:  # one probability, or one margin
            close |= (np.abs(flat[:, 0] - 0.5) <= allowed) | (np.abs(flat[:, 0]) <= allowed)
        elif flat.shape[1] > 1:
            best = np.sort(flat, axis=1)[:, -2:]
            close |= best[:, 1] - best[:, 0] <= allowed * np.maximum(1.0, np.abs(best[:, 1]))
    return close
