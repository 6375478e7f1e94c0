"""numpy's rules: the type and the rank of what its functions, methods and operators return.

numpy itself is not imported. A result says only what is certain; :data:`UNKNOWN` is any value, an
``Array`` without a type or rank is an array, or one of numpy's scalars, of any.
"""

from __future__ import annotations

from slipway.check.inference.numpy import (  # noqa: F401
    creation,
    joining,
    linear,
    reductions,
    searching,
    shaping,
    text,
)
from slipway.check.inference.numpy.dtypes import named_type, parse_text
from slipway.check.inference.numpy.indexing import index
from slipway.check.inference.numpy.methods import attribute
from slipway.check.inference.numpy.methods import call_method as method
from slipway.check.inference.numpy.operators import elementwise, operator, unary_operator
from slipway.check.inference.numpy.rule import FUNCTIONS, Call, apply
from slipway.check.inference.numpy.rule import Function as _Function
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    DType,
    Scalar,
    Value,
)

__all__ = ["attribute", "call", "index", "method", "module_attribute", "operator", "unary_operator"]

CONSTANTS = {"pi", "e", "nan", "inf", "euler_gamma", "NaN", "Inf", "NAN", "infty"}
# types of Python that numpy has under the same names; np.float is not there any more
BUILTINS = {"float", "int", "complex"}


def call(function: str, arguments: Arguments, *, numpy_2: bool | None) -> Value:
    """Return what a function returns, by its name below numpy, such as ``linalg.norm``."""
    if function == "dtype":
        return _as_dtype(arguments)
    dtype = named_type(function)
    if dtype is not None and function not in BUILTINS:
        return apply(dtype, _Function(("value",), _converted), arguments, numpy_2=numpy_2)
    name = function.replace("strings.", "char.", 1)
    return apply(name, FUNCTIONS.get(name) or elementwise(name), arguments, numpy_2=numpy_2)


def module_attribute(name: str) -> Value:
    """Return what ``numpy.<name>`` is, where it is not called: a type or a constant."""
    if name == "newaxis":
        return NONE
    if name in CONSTANTS:
        return Scalar("float")
    dtype = named_type(name) if name not in BUILTINS else None
    return UNKNOWN if dtype is None else DType(dtype)


def _converted(bound: Call) -> Value:
    """Return what ``np.float32(value)`` is: one of numpy's scalars, or an array."""
    if "value" not in bound.given:
        return Array(bound.function, 0, is_scalar=True)
    found = bound.array("value")
    if bound.function in ("object", "void"):
        return UNKNOWN
    if bound.function in ("float64", "complex128") and found.rank != 0:
        return Array(bound.function)  # Python's own types: one element becomes a scalar
    is_text = bound.function in ("str", "bytes")
    return Array(bound.function, 0 if is_text else found.rank, is_text or found.rank == 0)


def _as_dtype(arguments: Arguments) -> Value:
    given = arguments.get(0, "dtype")
    if isinstance(given, DType):
        return given
    if isinstance(given, Scalar) and isinstance(given.value, str):
        dtype = parse_text(given.value)
        return UNKNOWN if dtype is None else DType(dtype)
    return UNKNOWN
