"""Methods and attributes of arrays and of numpy's scalars."""

from __future__ import annotations

from slipway.check.inference.numpy.dtypes import PYTHON_KINDS, letter, parse
from slipway.check.inference.numpy.rule import (
    FUNCTIONS,
    METHODS,
    Call,
    apply,
    method,
    scalar_if_rank_0,
)
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    DType,
    Scalar,
    Sequence,
    Value,
)

# methods with the parameters of the function of their name, the array first
AS_FUNCTIONS = """all any argmax argmin argpartition argsort clip cumprod cumsum diagonal
max mean min nonzero prod ptp ravel repeat round searchsorted squeeze std sum swapaxes take trace
var""".split()


def call_method(array: Array, name: str, arguments: Arguments, *, numpy_2: bool | None) -> Value:
    """Return what a method of an array or of one of numpy's scalars returns."""
    if array.is_scalar and array.dtype in ("str", "bytes"):
        return _of_text(array, name)
    with_array = Arguments((array, *arguments.positional), arguments.keywords)
    found = METHODS.get(name) or (FUNCTIONS[name] if name in AS_FUNCTIONS else None)
    return apply(name, found, with_array, numpy_2=numpy_2)


def attribute(array: Array, name: str) -> Value:
    """Return what an attribute of an array or of one of numpy's scalars is."""
    rank = array.rank
    match name:
        case "T" | "mT":
            return array
        case "shape" | "strides":
            number = Scalar("int")
            return Sequence(None if rank is None else (number,) * rank, number, "tuple")
        case "ndim":
            return Scalar("int") if rank is None else Scalar("int", rank)
        case "size" | "nbytes" | "itemsize":
            return Scalar("int")
        case "dtype":
            return UNKNOWN if array.dtype is None else DType(array.dtype)
        case "real" | "imag":
            real = {"complex64": "float32", "complex128": "float64"}
            dtype = real.get(array.dtype or "", array.dtype)
            return (
                Array(dtype, rank, array.is_scalar)
                if rank or dtype not in (None, "object")
                else UNKNOWN
            )
    return UNKNOWN


@method("astype", "dtype order casting subok copy")
def astype(call: Call) -> Value:
    found = call.given["a"]
    assert isinstance(found, Array)
    dtype = parse(call.get("dtype"))
    if found.is_scalar:
        return scalar_if_rank_0(dtype, 0)
    if dtype == "object":
        return Array(
            dtype, found.rank, holds=found.holds or PYTHON_KINDS.get(letter(found.dtype) or "")
        )
    return Array(dtype, found.rank)


@method("view", "dtype type")
def view(call: Call) -> Value:
    found = call.array("a")
    known = "type" not in call.given and found.rank != 0
    return Array(call.dtype(found.dtype), found.rank) if known else UNKNOWN


@method("compress", "condition axis out")
def compress(call: Call) -> Value:
    return FUNCTIONS["compress"].rule(call)


@method("copy", "order")
def copy(call: Call) -> Value:
    return call.given["a"]


@method("conj conjugate", "")
def conjugate(call: Call) -> Value:
    found = call.array("a")
    return found if found.rank else UNKNOWN


@method("fill", "value")
def fill(call: Call) -> Value:
    return NONE


@method("sort", "axis kind order stable")
def sort(call: Call) -> Value:
    return NONE


@method("partition", "kth axis kind order")
def partition(call: Call) -> Value:
    return NONE


@method("tobytes tostring", "order")
def tobytes(call: Call) -> Value:
    return Scalar("bytes")


@method("item", "*where")
def item(call: Call) -> Value:
    return _python(call.array("a"))


@method("tolist", "")
def tolist(call: Call) -> Value:
    found = call.array("a")
    if found.rank is None:
        return UNKNOWN
    value = _python(found)
    for _ in range(found.rank):
        value = Sequence(None, value)
    return value


def _python(found: Array) -> Value:
    """Return the Python scalar that an element of an array is."""
    kind = found.holds or PYTHON_KINDS.get(letter(found.dtype) or "")
    return UNKNOWN if kind is None else Scalar(kind)


def _of_text(array: Array, name: str) -> Value:
    """Return what a method of a text or of bytes returns: numpy's scalars are Python's here."""
    if name == "decode":
        return Scalar("str") if array.dtype == "bytes" else UNKNOWN
    if name == "encode":
        return Scalar("bytes") if array.dtype == "str" else UNKNOWN
    return UNKNOWN
