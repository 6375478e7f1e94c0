"""Functions that change the shape or the order of the axes, not the type."""

from __future__ import annotations

from slipway.check.inference.numpy.rule import (
    Call,
    axis_count,
    function,
    method,
    plus,
    shape_rank,
    shaped,
)
from slipway.check.inference.values import UNKNOWN, Array, Scalar, Value


@function("reshape", "a newshape order shape copy")
def reshape(call: Call) -> Value:
    shape = call.get("shape") if "shape" in call.given else call.get("newshape")
    return _kept(shaped(call.array("a"), shape_rank(shape)))


@method("reshape", "*shape")
def reshape_method(call: Call) -> Value:
    found = call.array("a")
    if len(call.rest) == 1:
        return _kept(shaped(found, shape_rank(call.rest[0])))
    return shaped(found, len(call.rest) or None)


@function("ravel", "a order")
def ravel(call: Call) -> Value:
    return shaped(call.array("a"), 1)


@method("flatten", "order")
def flatten(call: Call) -> Value:
    return shaped(call.array("a"), 1)


@function("transpose permute_dims", "a axes")
def transpose(call: Call) -> Value:
    return _kept(call.array("a"))


@method("transpose", "*axes")
def transpose_method(call: Call) -> Value:
    return _kept(call.array("a"))


@function("expand_dims", "a axis")
def expand_dims(call: Call) -> Value:
    found = call.array("a")
    return shaped(found, plus(found.rank, axis_count(call.get("axis"))))


@function("squeeze", "a axis")
def squeeze(call: Call) -> Value:
    found, less = call.array("a"), axis_count(call.get("axis"))
    return _kept(shaped(found, plus(found.rank, None if less is None else -less)))


@function("swapaxes", "a axis1 axis2")
def swapaxes(call: Call) -> Value:
    return _kept(call.array("a"))


@function("moveaxis", "a source destination")
def moveaxis(call: Call) -> Value:
    return _kept(call.array("a"))


@function("rollaxis", "a axis start")
def rollaxis(call: Call) -> Value:
    return _kept(call.array("a"))


@function("roll", "a shift axis")
def roll(call: Call) -> Value:
    return _kept(call.array("a"))


@function("flip", "m axis")
def flip(call: Call) -> Value:
    return _kept(call.array("m"))


@function("fliplr flipud", "m")
def flip_along(call: Call) -> Value:
    return _kept(call.array("m"))


@function("rot90", "m k axes")
def rot90(call: Call) -> Value:
    return _kept(call.array("m"))


@function("broadcast_to", "array shape subok")
def broadcast_to(call: Call) -> Value:
    return Array(call.array("array").dtype, shape_rank(call.get("shape")))


@function("diagonal", "a offset axis1 axis2")
def diagonal(call: Call) -> Value:
    found = call.array("a")
    return Array(found.dtype, plus(found.rank, -1))


@function("resize", "a new_shape")
def resize(call: Call) -> Value:
    return Array(call.array("a").dtype, shape_rank(call.get("new_shape")))


@function("ndim", "a")
def ndim(call: Call) -> Value:
    rank = call.array("a").rank
    return Scalar("int") if rank is None else Scalar("int", rank)


@function("size", "a axis")
def size(call: Call) -> Value:
    return Scalar("int")


def _kept(found: Array) -> Value:
    """Return an array as it is; what has no axes may be one of numpy's scalars, and stay that."""
    return found if found.rank != 0 else UNKNOWN
