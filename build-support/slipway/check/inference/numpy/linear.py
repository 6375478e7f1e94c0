"""Products of vectors and matrices."""

from __future__ import annotations

from slipway.check.inference.numpy.dtypes import SIGNED, UNSIGNED, letter
from slipway.check.inference.numpy.promotion import Operand, binary, common
from slipway.check.inference.numpy.rule import Call, function, method, plus, scalar_if_rank_0
from slipway.check.inference.values import UNKNOWN, Array, Scalar, Value


def product_of(left: Array, right: Array, *, numpy_2: bool | None) -> Value:
    """Return what ``left @ right`` is."""
    dtype = _common(left, right, numpy_2)
    ranks = (left.rank, right.rank)
    if None in ranks or 0 in ranks:
        return scalar_if_rank_0(dtype, None)
    one, other = left.rank or 0, right.rank or 0
    rank = max(one, other) if min(one, other) > 1 else max(one, other) - 1
    return scalar_if_rank_0(dtype, 0 if one == other == 1 else rank)


def _common(left: Array, right: Array, numpy_2: bool | None) -> str | None:
    operands = Operand(left.dtype, 1), Operand(right.dtype, 1)
    return binary("matmul", *operands, numpy_2=numpy_2)


@function("matmul", "a b out dtype")
def matmul(call: Call) -> Value:
    if "dtype" in call.given:
        return UNKNOWN
    return product_of(call.array("a"), call.array("b"), numpy_2=call.numpy_2)


@function("dot", "a b out")
def dot(call: Call) -> Value:
    left, right = call.array("a"), call.array("b")
    if not left.rank or not right.rank:
        return scalar_if_rank_0(_common(left, right, call.numpy_2), None)
    rank = left.rank - 1 if right.rank == 1 else left.rank + right.rank - 2
    return scalar_if_rank_0(_common(left, right, call.numpy_2), rank)


@function("inner", "a b")
def inner(call: Call) -> Value:
    left, right = call.array("a"), call.array("b")
    if not left.rank or not right.rank:
        return scalar_if_rank_0(_common(left, right, call.numpy_2), None)
    return scalar_if_rank_0(_common(left, right, call.numpy_2), left.rank + right.rank - 2)


@function("outer", "a b out")
def outer(call: Call) -> Value:
    return Array(_common(call.array("a"), call.array("b"), call.numpy_2), 2)


@function("vdot", "a b")
def vdot(call: Call) -> Value:
    return scalar_if_rank_0(_common(call.array("a"), call.array("b"), call.numpy_2), 0)


@function("einsum", "subscripts *operands")
def einsum(call: Call) -> Value:
    text = call.get("subscripts")
    arrays = [_as_array(value) for value in call.rest]
    dtype = common([array.dtype for array in arrays]) if arrays else None
    if not isinstance(text, Scalar) or not isinstance(text.value, str) or "..." in text.value:
        return scalar_if_rank_0(dtype, None)
    inputs, arrow, output = text.value.replace(" ", "").partition("->")
    letters = inputs.replace(",", "")
    implicit = sum(letters.count(c) == 1 for c in set(letters))
    return scalar_if_rank_0(dtype, len(output) if arrow else implicit)


def _as_array(value: Value) -> Array:
    return value if isinstance(value, Array) else Array()


@function("linalg.inv linalg.pinv", "a")
def inverse(call: Call) -> Value:
    found = call.array("a")
    return Array(_real_or_complex(found), found.rank if (found.rank or 0) >= 2 else None)


@function("linalg.det", "a")
def determinant(call: Call) -> Value:
    found = call.array("a")
    return scalar_if_rank_0(_real_or_complex(found), plus(found.rank, -2))


@method("dot", "b out")
def dot_method(call: Call) -> Value:
    return dot(call)


def _real_or_complex(found: Array) -> str | None:
    at = letter(found.dtype) or "O"
    if at in "?" + SIGNED + UNSIGNED:
        return "float64"
    return found.dtype if at in "fdFD" else None
