"""Functions that reduce axes: sums, means, extremes, positions of extremes."""

from __future__ import annotations

from collections.abc import Callable

from slipway.check.inference.numpy.dtypes import SIGNED, UNSIGNED, letter, name_of
from slipway.check.inference.numpy.rule import (
    Call,
    axis_count,
    function,
    plus,
    scalar_if_rank_0,
)
from slipway.check.inference.values import UNKNOWN, Array, Scalar, Value

INTEGERS = "?" + SIGNED + UNSIGNED


def reduced(call: Call, found: Array, dtype: str | None) -> Value:
    """Return an array without the axes that the call names."""
    keeps = call.flag("keepdims")
    axis = call.get("axis")
    less = axis_count(axis)
    if axis is None:
        rank = found.rank if keeps else 0
    else:
        rank = found.rank if keeps else plus(found.rank, None if less is None else -less)
    if keeps is None or (axis is not None and found.rank is not None and rank is None):
        rank = None
    if rank == 0 and keeps:
        return UNKNOWN  # an array or one of numpy's scalars, by the function
    return scalar_if_rank_0(dtype, rank)


def summed(dtype: str | None) -> str | None:
    """Return the type of a sum: small integers are added as large ones."""
    at = letter(dtype)
    if at is None or at in "US":
        return None
    return "int64" if at in "?" + SIGNED else "uint64" if at in UNSIGNED else dtype


def averaged(dtype: str | None) -> str | None:
    """Return the type of a mean: integers become float64."""
    at = letter(dtype)
    if at is None or at in "USO":
        return None
    return "float64" if at in INTEGERS else dtype


def deviated(dtype: str | None) -> str | None:
    """Return the type of a deviation, which is real."""
    at = letter(averaged(dtype))
    return name_of({"F": "f", "D": "d"}.get(at, at)) if at else None


def _asked(call: Call, rule: Callable[[str | None], str | None], dtype: str | None) -> str | None:
    return call.dtype(rule(dtype))


@function("sum prod nansum nanprod", "a axis dtype out keepdims initial where")
def sums(call: Call) -> Value:
    found = call.array("a")
    return reduced(call, found, _asked(call, summed, found.dtype))


@function("mean nanmean", "a axis dtype out keepdims where")
def means(call: Call) -> Value:
    found = call.array("a")
    return reduced(call, found, _asked(call, averaged, found.dtype))


@function("std var nanstd nanvar", "a axis dtype out ddof keepdims where mean correction")
def deviations(call: Call) -> Value:
    found = call.array("a")
    return reduced(call, found, _asked(call, deviated, found.dtype))


@function("max min amax amin nanmax nanmin", "a axis out keepdims initial where")
def extremes(call: Call) -> Value:
    found = call.array("a")
    return reduced(call, found, found.dtype)


@function("ptp", "a axis out keepdims")
def ptp(call: Call) -> Value:
    found = call.array("a")
    return reduced(
        call, found, found.dtype if found.dtype not in ("bool", "str", "bytes") else None
    )


@function("median nanmedian", "a axis out overwrite_input keepdims")
def median(call: Call) -> Value:
    found = call.array("a")
    return reduced(call, found, averaged(found.dtype))


@function("percentile quantile", "a q axis out overwrite_input method keepdims")
def percentile(call: Call) -> Value:
    found, q = call.array("a"), call.get("q")
    dtype = "float64" if (letter(found.dtype) or "x") in INTEGERS + "d" else None
    if not isinstance(q, Scalar) or dtype is None:
        return UNKNOWN
    return reduced(call, found, dtype)


@function("average", "a axis weights returned keepdims")
def average(call: Call) -> Value:
    found = call.array("a")
    if call.flag("returned") is not False:
        return UNKNOWN
    dtype = averaged(found.dtype) if call.get("weights") is None else None
    if dtype is None and found.dtype == "float64":
        dtype = (
            "float64" if call.array("weights").dtype in ("float64", "float32", "int64") else None
        )
    return reduced(call, found, dtype)


@function("argmax argmin nanargmax nanargmin", "a axis out keepdims")
def positions(call: Call) -> Value:
    return reduced(call, call.array("a"), "int64")


@function("any all", "a axis out keepdims where")
def any_all(call: Call) -> Value:
    found = call.array("a")
    return reduced(call, found, "bool" if (letter(found.dtype) or "O") not in "OUS" else None)


@function("count_nonzero", "a axis keepdims")
def count_nonzero(call: Call) -> Value:
    if call.get("axis") is None and call.flag("keepdims") is not True:
        known = call.flag("keepdims") is False and call.numpy_2 is False
        return Scalar("int") if known else UNKNOWN  # numpy 2.3: its own int64
    return reduced(call, call.array("a"), "int64")


@function("cumsum cumprod nancumsum", "a axis dtype out")
def cumulated(call: Call) -> Value:
    found = call.array("a")
    rank = 1 if call.get("axis") is None else found.rank
    return Array(_asked(call, summed, found.dtype), rank or None)


@function("trace", "a offset axis1 axis2 dtype out")
def trace(call: Call) -> Value:
    found = call.array("a")
    return scalar_if_rank_0(_asked(call, summed, found.dtype), plus(found.rank, -2))


@function("linalg.norm", "x ord axis keepdims")
def norm(call: Call) -> Value:
    found = call.array("x")
    at = letter(found.dtype) or "e"
    real = {"F": "float32", "D": "float64", "f": "float32", "d": "float64"}
    dtype = "float64" if at in INTEGERS else real.get(at)
    return reduced(call, found, dtype)
