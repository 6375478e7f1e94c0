"""Functions that sort, search, choose, round and compare."""

from __future__ import annotations

from slipway.check.inference.numpy.discovery import operand
from slipway.check.inference.numpy.dtypes import SIGNED, UNSIGNED, letter
from slipway.check.inference.numpy.promotion import Operand, binary
from slipway.check.inference.numpy.rule import (
    Call,
    axis_count,
    function,
    plus,
    scalar_if_rank_0,
)
from slipway.check.inference.values import UNKNOWN, Array, Scalar, Sequence, Value


def _flat_without_axis(call: Call, found: Array, dtype: str | None) -> Value:
    """Return an array of the same shape, or flat where ``axis=None`` is written."""
    flat = "axis" in call.given and call.get("axis") is None
    return Array(dtype, 1 if flat else found.rank or None)


@function("sort", "a axis kind order stable")
def sort(call: Call) -> Value:
    return _flat_without_axis(call, call.array("a"), call.array("a").dtype)


@function("argsort", "a axis kind order stable")
def argsort(call: Call) -> Value:
    return _flat_without_axis(call, call.array("a"), "int64")


@function("partition", "a kth axis kind order")
def partition(call: Call) -> Value:
    return _flat_without_axis(call, call.array("a"), call.array("a").dtype)


@function("argpartition", "a kth axis kind order")
def argpartition(call: Call) -> Value:
    return _flat_without_axis(call, call.array("a"), "int64")


@function("searchsorted", "a v side sorter")
def searchsorted(call: Call) -> Value:
    return scalar_if_rank_0("int64", call.array("v").rank)


@function("digitize", "x bins right")
def digitize(call: Call) -> Value:
    return scalar_if_rank_0("int64", call.array("x").rank)


@function("unique", "ar return_index return_inverse return_counts axis equal_nan sorted")
def unique(call: Call) -> Value:
    found = call.array("ar")
    if any(call.flag(f"return_{name}") is not False for name in ("index", "inverse", "counts")):
        return UNKNOWN
    return Array(found.dtype, 1 if call.get("axis") is None else found.rank)


@function("nonzero", "a")
def nonzero(call: Call) -> Value:
    rank = call.array("a").rank
    element = Array("int64", 1)
    return Sequence((element,) * rank if rank else None, element, "tuple")


@function("argwhere", "a")
def argwhere(call: Call) -> Value:
    return Array("int64", 2)


@function("flatnonzero", "a")
def flatnonzero(call: Call) -> Value:
    return Array("int64", 1)


@function("where", "condition x y")
def where(call: Call) -> Value:
    if "x" not in call.given:
        return nonzero(Call("nonzero", {"a": call.given["condition"]}, (), call.numpy_2))
    chosen = [operand(call.given[name]) for name in ("x", "y") if name in call.given]
    first, second = (*chosen, None)[:2]
    if first is None or second is None:
        return Array()
    dtype = binary("promote", first, second, numpy_2=call.numpy_2)
    return Array(dtype, broadcast([call.array("condition").rank, first.rank, second.rank]))


@function("clip", "a a_min a_max out dtype min max")
def clip(call: Call) -> Value:
    found = call.array("a")
    dtype, ranks = found.dtype, [found.rank]
    for name in ("a_min", "a_max", "min", "max"):
        limit = call.get(name)
        if limit is not None:
            other = operand(limit)
            certain = other is not None and other.rank == 0 and found.rank
            dtype = _limited(dtype, found.rank, other, call.numpy_2) if certain else None
            if dtype != found.dtype and not call.numpy_2 and len(ranks) > 1:
                dtype = None  # numpy 1 takes both limits together
            ranks.append(other.rank if other else None)
    return scalar_if_rank_0(call.dtype(dtype), broadcast(ranks))


def _limited(
    dtype: str | None, rank: int | None, limit: Operand | None, numpy_2: bool | None
) -> str | None:
    return binary("maximum", Operand(dtype, rank), limit, numpy_2=numpy_2) if limit else None


@function("round around round_", "a decimals out")
def rounded(call: Call) -> Value:
    found = call.array("a")
    kept = (letter(found.dtype) or "O") in SIGNED + UNSIGNED + "efdFD"
    return scalar_if_rank_0(found.dtype if kept else None, found.rank)


@function("nan_to_num", "x copy nan posinf neginf")
def nan_to_num(call: Call) -> Value:
    found = call.array("x")
    return scalar_if_rank_0(found.dtype, found.rank)


@function("take", "a indices axis out mode")
def take(call: Call) -> Value:
    found, indices = call.array("a"), call.array("indices")
    axis = call.get("axis")
    rank = indices.rank
    if axis is not None:
        rank = plus(plus(found.rank, -1), rank) if axis_count(axis) == 1 else None
    return scalar_if_rank_0(found.dtype, rank)


@function("take_along_axis", "arr indices axis")
def take_along_axis(call: Call) -> Value:
    flat = "axis" in call.given and call.get("axis") is None
    known = "axis" in call.given  # numpy 2.3 has another default
    rank = 1 if flat else call.array("arr").rank
    return Array(call.array("arr").dtype, rank if known else None)


@function("compress", "condition a axis out")
def compress(call: Call) -> Value:
    found = call.array("a")
    return Array(found.dtype, 1 if call.get("axis") is None else found.rank or None)


@function("extract", "condition arr")
def extract(call: Call) -> Value:
    return Array(call.array("arr").dtype, 1)


@function("isin", "element test_elements assume_unique invert kind")
def isin(call: Call) -> Value:
    rank = call.array("element").rank
    return Array("bool", rank) if rank else Array("bool")


@function("isclose", "a b rtol atol equal_nan")
def isclose(call: Call) -> Value:
    ranks = [call.array(name).rank for name in ("a", "b")]
    return scalar_if_rank_0("bool", broadcast(ranks))


@function("allclose array_equal", "a b rtol atol equal_nan")
def allclose(call: Call) -> Value:
    return Scalar("bool")


@function("bincount", "x weights minlength")
def bincount(call: Call) -> Value:
    return Array("int64" if call.get("weights") is None else None, 1)


@function("interp", "x xp fp left right period")
def interp(call: Call) -> Value:
    real = (letter(call.array("fp").dtype) or "O") in "?efd" + SIGNED + UNSIGNED
    return scalar_if_rank_0("float64" if real else None, call.array("x").rank)


def broadcast(ranks: list[int | None]) -> int | None:
    """Return the rank of what operands of these ranks become together."""
    return None if None in ranks else max(rank or 0 for rank in ranks)
