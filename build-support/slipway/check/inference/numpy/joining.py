"""Functions that join arrays, repeat them or split them."""

from __future__ import annotations

from slipway.check.inference.numpy.discovery import discover, items
from slipway.check.inference.numpy.promotion import common
from slipway.check.inference.numpy.rule import Call, function, plus, shape_rank
from slipway.check.inference.values import UNKNOWN, Array, Sequence, Value


def _joined(call: Call, name: str) -> Array:
    """Return what the arrays in an argument have in common."""
    value = call.given.get(name, UNKNOWN)
    if not isinstance(value, Sequence | Array):
        return Array()
    parts, _ = items(value)
    found = [discover(part) for part in parts]
    ranks = {array.rank for array in found}
    dtype = common([array.dtype for array in found])
    return Array(call.dtype(dtype), ranks.pop() if len(ranks) == 1 else None)


@function("concatenate concat", "arrays axis out dtype casting")
def concatenate(call: Call) -> Value:
    found = _joined(call, "arrays")
    flat = "axis" in call.given and call.get("axis") is None
    return Array(found.dtype, 1 if flat else found.rank or None)


@function("stack", "arrays axis out dtype casting")
def stack(call: Call) -> Value:
    found = _joined(call, "arrays")
    return Array(found.dtype, plus(found.rank, 1))


@function("vstack row_stack", "tup dtype casting")
def vstack(call: Call) -> Value:
    return _with_rank_of_at_least(_joined(call, "tup"), 2)


@function("hstack", "tup dtype casting")
def hstack(call: Call) -> Value:
    return _with_rank_of_at_least(_joined(call, "tup"), 1)


@function("dstack", "tup")
def dstack(call: Call) -> Value:
    return _with_rank_of_at_least(_joined(call, "tup"), 3)


@function("column_stack", "tup")
def column_stack(call: Call) -> Value:
    return _with_rank_of_at_least(_joined(call, "tup"), 2)


@function("append", "arr values axis")
def append(call: Call) -> Value:
    first, second = call.array("arr"), call.array("values")
    rank = 1 if call.get("axis") is None else first.rank
    return Array(common([first.dtype, second.dtype]), rank)


@function("tile", "A reps")
def tile(call: Call) -> Value:
    found, reps = call.array("A"), shape_rank(call.get("reps"))
    known = found.rank is not None and reps is not None
    return Array(found.dtype, max(found.rank or 0, reps or 0) if known else None)


@function("repeat", "a repeats axis")
def repeat(call: Call) -> Value:
    found = call.array("a")
    return Array(found.dtype, 1 if call.get("axis") is None else found.rank or None)


@function("pad", "array pad_width mode constant_values stat_length end_values reflect_type")
def pad(call: Call) -> Value:
    found = call.array("array")
    return found if found.rank else Array(found.dtype)


@function("atleast_1d", "a")
def atleast_1d(call: Call) -> Value:
    return _with_rank_of_at_least(call.array("a"), 1)


@function("atleast_2d", "a")
def atleast_2d(call: Call) -> Value:
    return _with_rank_of_at_least(call.array("a"), 2)


@function("atleast_3d", "a")
def atleast_3d(call: Call) -> Value:
    return _with_rank_of_at_least(call.array("a"), 3)


@function("split array_split", "ary indices_or_sections axis")
def split(call: Call) -> Value:
    found = call.array("ary")
    return Sequence(None, Array(found.dtype, found.rank or None))


@function("vsplit hsplit dsplit", "ary indices_or_sections")
def split_along(call: Call) -> Value:
    found = call.array("ary")
    return Sequence(None, Array(found.dtype, found.rank or None))


@function("insert", "arr obj values axis")
def insert(call: Call) -> Value:
    found = call.array("arr")
    flat = call.get("axis") is None
    return UNKNOWN if not found.rank else Array(found.dtype, 1 if flat else found.rank)


@function("delete", "arr obj axis")
def delete(call: Call) -> Value:
    found = call.array("arr")
    flat = call.get("axis") is None
    return UNKNOWN if not found.rank else Array(found.dtype, 1 if flat else found.rank)


@function("diff", "a n axis prepend append")
def diff(call: Call) -> Value:
    found = call.array("a")
    changes = "prepend" in call.given or "append" in call.given or found.dtype in ("str", "bytes")
    return Array(None if changes else found.dtype, found.rank or None)


def _with_rank_of_at_least(found: Array, least: int) -> Array:
    return Array(found.dtype, None if found.rank is None else max(found.rank, least))
