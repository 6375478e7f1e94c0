"""What ``array[index]`` is: of integers, slices, new axes, arrays of booleans or integers."""

from __future__ import annotations

from slipway.check.inference.numpy.discovery import discover
from slipway.check.inference.numpy.dtypes import SIGNED, UNSIGNED, letter
from slipway.check.inference.numpy.rule import element, scalar_if_rank_0, shaped
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Array,
    Opaque,
    Scalar,
    Sequence,
    Value,
    join,
    members,
)


def index(array: Array, key: Value) -> Value:
    """Return what an array holds at an index, or for each of the alternatives of the index."""
    return join(_index(array, one) for one in members(key))


def _index(array: Array, key: Value) -> Value:
    if array.is_scalar or array.dtype == "void":
        return UNKNOWN
    if array.dtype in ("str", "bytes") and array.rank is None:
        return UNKNOWN  # it may be a text
    keys: tuple[Value, ...] = (key,)
    if isinstance(key, Sequence) and key.kind == "tuple":
        if key.items is None:
            return _of_unknown_rank(array)
        keys = key.items
    used = made = 0
    advanced: list[int] = []
    for one in keys:
        found = _effect(one)
        if found is None:
            return _of_unknown_rank(array)
        used, made = used + found[0], made + found[1]
        advanced += found[2]
    if array.rank is None:
        return _of_unknown_rank(array)
    if used > array.rank:
        return UNKNOWN
    rank = array.rank - used + made + max(advanced, default=0)
    has_ellipsis = any(one == Opaque("ellipsis") for one in keys)
    if rank == 0 and (has_ellipsis or advanced):
        return Array(array.dtype) if has_ellipsis else element(array)
    return shaped(array, rank) if rank else element(array)


def _effect(key: Value) -> tuple[int, int, list[int]] | None:
    """Return how many axes a key uses and makes, and the ranks of arrays of indices in it."""
    if key == NONE:
        return 0, 1, []
    if key == Opaque("slice"):
        return 1, 1, []
    if key == Opaque("ellipsis"):
        return 0, 0, []
    if isinstance(key, Scalar):
        return (1, 0, []) if key.kind == "int" else None
    if isinstance(key, Sequence):
        key = discover(key)
    if not isinstance(key, Array) or key.rank is None:
        return None
    at = letter(key.dtype)
    if at == "?":
        return (key.rank, 0, [1]) if key.rank else None
    if at is None or at not in SIGNED + UNSIGNED:
        return None
    return (1, 0, [key.rank]) if key.rank else (1, 0, [])


def _of_unknown_rank(array: Array) -> Value:
    """Return an array or one of numpy's scalars; of an array of objects it may be anything."""
    return scalar_if_rank_0(array.dtype, None)
