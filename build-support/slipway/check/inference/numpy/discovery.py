"""The array that numpy makes of a value: of a scalar, of nested lists, of arrays in lists.

A list of unknown length is taken as one that is not empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from slipway.check.inference.numpy.dtypes import OF_KIND
from slipway.check.inference.numpy.promotion import Operand, common
from slipway.check.inference.values import (
    NONE,
    Array,
    Opaque,
    Scalar,
    ScalarKind,
    Sequence,
    Union,
    Value,
    members,
)

OBJECTS = {"dict", "set", "function", "module"}  # elements of arrays of objects


def discover(value: Value, *, keeps_objects: bool = False) -> Array:
    """Return the array that ``np.asarray`` makes of a value.

    With ``keeps_objects``, as for ``dtype=object``, lists of several lengths are elements.
    """
    if isinstance(value, Array):
        return replace(value, is_scalar=False)
    if isinstance(value, Scalar):
        return Array(_dtype_of(value), 0)
    if value == NONE or (isinstance(value, Opaque) and value.type_name in OBJECTS):
        return Array("object", 0)
    if isinstance(value, Union):
        return _one_of([discover(member, keeps_objects=keeps_objects) for member in value.members])
    if isinstance(value, Sequence):
        return _of_sequence(value, keeps_objects=keeps_objects)
    return Array()


def operand(value: Value) -> Operand | None:
    """Return a value as an operand of an elementwise function; ``None`` if it cannot be one."""
    if isinstance(value, Array):
        return Operand(value.dtype, value.rank)
    if isinstance(value, Scalar):
        return Operand(_dtype_of(value), 0, value.kind, value.value)
    if isinstance(value, Sequence):
        array = discover(value)
        return Operand(array.dtype, array.rank)
    return None


def leaf(value: Value) -> ScalarKind | None:
    """Return what the objects are that an array of objects of a value holds, if all are equal."""
    if isinstance(value, Scalar):
        return value.kind
    if isinstance(value, Array):
        return value.holds
    if isinstance(value, Sequence):
        parts = (value.element,) if value.items is None else value.items
        kinds = {leaf(part) for part in parts}
    else:
        kinds = {leaf(member) for member in members(value)} if isinstance(value, Union) else {None}
    return kinds.pop() if len(kinds) == 1 else None


def items(value: Value) -> tuple[list[Value], bool]:
    """Return the items of a sequence and whether these are all; of an array, what a row is."""
    if isinstance(value, Sequence):
        return ([value.element], False) if value.items is None else (list(value.items), True)
    if isinstance(value, Array) and value.rank == 1 and value.holds is not None:
        return [Scalar(value.holds)], False
    if isinstance(value, Array) and value.rank:
        return [replace(value, rank=value.rank - 1)], False
    return [Array(value.dtype if isinstance(value, Array) else None)], False


def _of_sequence(sequence: Sequence, *, keeps_objects: bool) -> Array:
    parts, all_known = items(sequence)
    if all_known and not parts:
        return Array("float64", 1)
    found = [discover(part, keeps_objects=keeps_objects) for part in parts]
    dtype = common([array.dtype for array in found])
    ranks = {array.rank for array in found}
    rank = ranks.pop() if len(ranks) == 1 else None
    if keeps_objects and rank != 0 and not _is_rectangular(parts, all_known):
        rank = None
    return Array(dtype, None if rank is None else rank + 1)


def _is_rectangular(parts: Iterable[Value], all_known: bool) -> bool:
    """Return whether all items have one shape, whatever their values are."""
    shapes = {_shape(part) for part in parts}
    return len(shapes) == 1 and (None not in shapes or (all_known and len(list(parts)) == 1))


def _shape(value: Value) -> tuple[int, ...] | None:
    if isinstance(value, Sequence):
        if value.items is None:
            return None
        inner = {_shape(item) for item in value.items}
        first = inner.pop() if len(inner) == 1 else () if not value.items else None
        return None if first is None else (len(value.items), *first)
    if isinstance(value, Union):
        shapes = {_shape(member) for member in members(value)}
        return shapes.pop() if len(shapes) == 1 else None
    is_element = isinstance(value, Scalar) or (isinstance(value, Array) and value.rank == 0)
    return () if is_element or value == NONE else None


def _one_of(arrays: list[Array]) -> Array:
    dtypes = {array.dtype for array in arrays}
    ranks = {array.rank for array in arrays}
    return Array(
        dtypes.pop() if len(dtypes) == 1 else None, ranks.pop() if len(ranks) == 1 else None
    )


def _dtype_of(scalar: Scalar) -> str | None:
    if scalar.kind == "int" and type(scalar.value) is int:
        return "int64" if -(2**63) <= scalar.value < 2**63 else None
    return OF_KIND[scalar.kind]
