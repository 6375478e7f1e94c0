"""Python's operators on arrays, and numpy's elementwise functions."""

from __future__ import annotations

from slipway.check.inference.numpy.discovery import discover, operand
from slipway.check.inference.numpy.dtypes import parse
from slipway.check.inference.numpy.linear import product_of
from slipway.check.inference.numpy.promotion import Operand, binary, is_elementwise
from slipway.check.inference.numpy.promotion import unary as unary_type
from slipway.check.inference.numpy.rule import Call, Function, scalar_if_rank_0
from slipway.check.inference.numpy.searching import broadcast
from slipway.check.inference.values import (
    UNKNOWN,
    Array,
    Scalar,
    Sequence,
    Value,
    join,
    members,
)

SYMBOLS = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "//": "floor_divide",
    "%": "remainder",
    "**": "power",
    "&": "bitwise_and",
    "|": "bitwise_or",
    "^": "bitwise_xor",
    "<<": "left_shift",
    ">>": "right_shift",
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}
UNARY_SYMBOLS = {"-": "negative", "~": "invert", "+": "positive", "abs": "absolute"}


def operator(symbol: str, left: Value, right: Value, *, numpy_2: bool | None) -> Value:
    """Return what ``left symbol right`` is, where one of them is an array."""
    return join(
        _operator(symbol, one, other, numpy_2) for one in members(left) for other in members(right)
    )


def unary_operator(symbol: str, value: Value, *, numpy_2: bool | None) -> Value:
    """Return what ``-array``, ``~array``, ``+array`` or ``abs(array)`` is."""
    if symbol not in UNARY_SYMBOLS or not isinstance(value, Array):
        return UNKNOWN
    dtype = unary_type(UNARY_SYMBOLS[symbol], value.dtype, numpy_2=numpy_2)
    return _elementwise(dtype, value.rank)


def elementwise(function: str) -> Function | None:
    """Return the rule of an elementwise function; ``None`` if it is none."""
    number = is_elementwise(function)
    if not number:
        return None
    names = ("x", "out", "where", "dtype") if number == 1 else ("x", "y", "out", "where", "dtype")
    return Function(names, _unary if number == 1 else _binary)


def _operator(symbol: str, left: Value, right: Value, numpy_2: bool | None) -> Value:
    arrays = [value for value in (left, right) if isinstance(value, Array)]
    text = isinstance(left, Scalar) and left.kind in ("str", "bytes")
    if not arrays or (text and symbol == "%"):
        return UNKNOWN
    if any(array.is_scalar and array.dtype in ("str", "bytes", None) for array in arrays):
        return UNKNOWN  # also texts of Python's
    if isinstance(left, Scalar) and left.kind == "complex" and not arrays[0].rank:
        return UNKNOWN  # Python's own complex takes numpy's float64 for a float
    lists = any(isinstance(value, Sequence) for value in (left, right))
    if lists and not any(array.rank for array in arrays):
        return UNKNOWN  # a scalar may repeat the list
    if not all(isinstance(value, Array | Scalar | Sequence) for value in (left, right)):
        return UNKNOWN
    if symbol == "@":
        return product_of(discover(left), discover(right), numpy_2=numpy_2)
    return _result(SYMBOLS[symbol], left, right, numpy_2) if symbol in SYMBOLS else UNKNOWN


def _result(function: str, left: Value, right: Value, numpy_2: bool | None) -> Value:
    one, other = operand(left), operand(right)
    if one is None or other is None:
        return UNKNOWN
    dtype = binary(function, one, other, numpy_2=numpy_2)
    if function == "power" and _is_special_power(one, other):
        dtype = None  # until numpy 2.0, some exponents are computed by other functions
    rank = broadcast([one.rank, other.rank])
    if rank is None and {one.dtype, other.dtype} & {"str", "bytes"}:
        return UNKNOWN  # or the result is Python's own
    return _elementwise(dtype, rank)


def _is_special_power(base: Operand, exponent: Operand) -> bool:
    """Return whether numpy may compute a power by another function, such as ``square``."""
    is_numpys = exponent.python is None and not exponent.rank
    return not base.rank or base.dtype == "bool" or is_numpys


def _unary(call: Call) -> Value:
    found = call.array("x")
    dtype = unary_type(call.function, found.dtype, numpy_2=call.numpy_2)
    if "dtype" in call.given:
        return scalar_if_rank_0(_asked(call, dtype), found.rank)
    return _elementwise(dtype, found.rank)


def _elementwise(dtype: str | None, rank: int | None) -> Value:
    """Return a result; arrays of unknown rank are taken as no objects in arrays of rank 0."""
    return Array(dtype) if rank is None else scalar_if_rank_0(dtype, rank)


def _binary(call: Call) -> Value:
    left, right = call.given.get("x", UNKNOWN), call.given.get("y", UNKNOWN)
    found = _result(call.function, left, right, call.numpy_2)
    if "dtype" not in call.given or not isinstance(found, Array):
        return found
    return scalar_if_rank_0(_asked(call, found.dtype), found.rank)


def _asked(call: Call, dtype: str | None) -> str | None:
    """Return the type of a result: ``dtype=`` sets that of numbers, not that of comparisons."""
    asked = call.get("dtype")
    if asked is None:
        return dtype
    return parse(asked) if dtype not in ("bool", "str", "bytes", None) else None
