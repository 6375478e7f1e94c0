"""Functions that make an array: of data, of a shape, of a range."""

from __future__ import annotations

from slipway.check.inference.numpy.discovery import discover, leaf
from slipway.check.inference.numpy.dtypes import parse
from slipway.check.inference.numpy.rule import Call, function, plus, shape_rank, shaped
from slipway.check.inference.values import UNKNOWN, Array, Scalar, Value


def as_array(call: Call, data: Value) -> Array:
    """Return the array that numpy makes of data, with the type that the call asks for."""
    asked = call.get("dtype")
    dtype = None if asked is None else parse(asked)
    found = discover(data, keeps_objects=dtype == "object" or (asked is not None and not dtype))
    if dtype == "object":
        return Array(dtype, found.rank, holds=leaf(data))
    return found if asked is None else Array(dtype, found.rank)


@function("asarray asanyarray", "a dtype order device copy like")
def asarray(call: Call) -> Value:
    return as_array(call, call.given["a"]) if "a" in call.given else UNKNOWN


@function("array", "object dtype copy order subok ndmin like")
def array(call: Call) -> Value:
    found = as_array(call, call.given.get("object", UNKNOWN))
    ndmin = call.get("ndmin")
    if ndmin is None:
        return found
    least = ndmin.value if isinstance(ndmin, Scalar) else None
    known = found.rank is not None and type(least) is int
    return shaped(found, max(found.rank or 0, least) if known else None)  # type: ignore


@function("copy", "a order subok")
def copy(call: Call) -> Value:
    return call.array("a")


@function("ascontiguousarray asfortranarray", "a dtype like")
def contiguous(call: Call) -> Value:
    found = as_array(call, call.given.get("a", UNKNOWN))
    return found if found.rank != 0 else UNKNOWN


@function("zeros ones empty", "shape dtype order device like")
def filled(call: Call) -> Value:
    return Array(call.dtype("float64"), shape_rank(call.get("shape")))


@function("full", "shape fill_value dtype order device like")
def full(call: Call) -> Value:
    value = call.array("fill_value").dtype if "dtype" not in call.given else None
    return Array(call.dtype(value), shape_rank(call.get("shape")))


@function("zeros_like ones_like empty_like", "a dtype order subok shape device")
def like(call: Call) -> Value:
    return _like(call, call.array("a"))


@function("full_like", "a fill_value dtype order subok shape device")
def full_like(call: Call) -> Value:
    return _like(call, call.array("a"))


def _like(call: Call, found: Array) -> Value:
    shape = call.get("shape")
    return Array(call.dtype(found.dtype), found.rank if shape is None else shape_rank(shape))


@function("arange", "start stop step dtype device like")
def arange(call: Call) -> Value:
    numbers = [call.get(name) for name in ("start", "stop", "step")]
    kinds = [n.kind if isinstance(n, Scalar) else None for n in numbers if n is not None]
    dtype = "float64" if "float" in kinds else "int64"
    return Array(call.dtype(dtype if {*kinds} <= {"int", "float"} else None), 1)


@function("linspace", "start stop num endpoint retstep dtype axis")
def linspace(call: Call) -> Value:
    if call.flag("retstep") is not False:
        return UNKNOWN
    ends = [call.given.get(name, UNKNOWN) for name in ("start", "stop")]
    are_python = all(isinstance(e, Scalar) and e.kind in ("int", "float") for e in ends)
    ranks = [discover(end).rank for end in ends]
    rank = None if None in ranks else max(rank or 0 for rank in ranks)
    return Array(call.dtype("float64" if are_python else None), plus(rank, 1))


@function("eye", "N M k dtype order device like")
def eye(call: Call) -> Value:
    return Array(call.dtype("float64"), 2)


@function("identity", "n dtype like")
def identity(call: Call) -> Value:
    return Array(call.dtype("float64"), 2)


@function("frombuffer", "buffer dtype count offset like")
def frombuffer(call: Call) -> Value:
    return Array(call.dtype("float64"), 1)


@function("fromstring", "string dtype count sep like")
def fromstring(call: Call) -> Value:
    return Array(call.dtype("float64"), 1)


@function("fromiter", "iter dtype count like")
def fromiter(call: Call) -> Value:
    return Array(call.dtype(None), 1)


@function("random.rand random.randn", "*sizes")
def rand(call: Call) -> Value:
    sizes = len(call.rest)
    return Array("float64", sizes) if sizes else Scalar("float")


@function("random.uniform random.normal", "low high size")
def random_floats(call: Call) -> Value:
    return _drawn(call, "float64")


@function("random.random random.random_sample", "size")
def random_numbers(call: Call) -> Value:
    return _drawn(call, "float64")


@function("random.randint", "low high size dtype")
def random_integers(call: Call) -> Value:
    return _drawn(call, "int64") if call.get("dtype") is None else UNKNOWN


def _drawn(call: Call, dtype: str) -> Value:
    """Return random numbers of a size; without a size it depends on the other arguments."""
    size = call.get("size")
    return UNKNOWN if size is None else Array(dtype, shape_rank(size))


@function("tril triu", "m k")
def triangle(call: Call) -> Value:
    found = call.array("m")
    return found if found.rank is None or found.rank >= 2 else Array(found.dtype, None)
