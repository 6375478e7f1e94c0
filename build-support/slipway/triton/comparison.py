"""Compare two answers, with tolerances for differences between processors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from slipway.triton.datatypes import Array, datatype_of

# between processors and ONNX Runtime's releases a result differs in its last digits
TOLERANCES = {"FP16": (1e-3, 1e-2), "FP32": (1e-5, 1e-4), "FP64": (1e-9, 1e-6)}
SHOWN = 5


class Tolerance(NamedTuple):
    """As numpy's: |got - expected| <= absolute + relative * |expected|."""

    absolute: float
    relative: float


def compare_outputs(
    expected: Mapping[str, Array], got: Mapping[str, Array], tolerances: Mapping[str, Tolerance]
) -> list[str]:
    """Return one line for each output, type, shape or element that differs.

    ``tolerances`` by output name replace :data:`TOLERANCES`, or equality.
    """
    lines = [f"output {name!r} is missing" for name in sorted(set(expected) - set(got))]
    lines += [f"output {name!r} is new" for name in sorted(set(got) - set(expected))]
    for name in sorted(set(expected) & set(got)):
        lines += _compare(name, expected[name], got[name], tolerances.get(name))
    return lines


def _compare(name: str, expected: Array, got: Array, tolerance: Tolerance | None) -> list[str]:
    if expected.dtype != got.dtype or expected.shape != got.shape:
        described = [f"{datatype_of(array)} {list(array.shape)}" for array in (expected, got)]
        return [f"{name}: expected {described[0]}, got {described[1]}"]
    chosen = tolerance or Tolerance(*TOLERANCES.get(datatype_of(expected) or "", (0, 0)))
    if expected.dtype == object:
        unequal = np.array(expected != got, dtype=bool)
    elif expected.dtype.kind == "f":
        unequal = ~np.isclose(got, expected, chosen.relative, chosen.absolute, equal_nan=True)
    elif tolerance and expected.dtype.kind in "iu":
        unequal = ~np.isclose(got, expected, chosen.relative, chosen.absolute)
    else:
        unequal = expected != got
    indices = np.argwhere(unequal)
    suffix = f" (atol {chosen.absolute:g}, rtol {chosen.relative:g})" if any(chosen) else ""
    lines = [
        f"{name}{[int(i) for i in index]}: expected {_format(expected[tuple(index)])},"
        f" got {_format(got[tuple(index)])}{suffix}"
        for index in indices[:SHOWN]
    ]
    more = len(indices) - SHOWN
    return lines + ([f"{name}: and {more} more elements"] if more > 0 else [])


def _format(value: Any) -> str:
    return repr(value) if isinstance(value, bytes) else str(value)
