"""Abstract values: what an expression of a Python model may be when the server evaluates it.

A value says only what is certain. Whatever is not known is :data:`UNKNOWN`, or ``None`` in the
field that is not known. An index is a scalar, an array, ``Opaque("slice")``,
``Opaque("ellipsis")``, NONE, or a tuple of these; the type ``float`` as an argument is
``DType("float64")``, as numpy reads it. Arguments of numpy's rules are no unions; elements of
sequences in them may be.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

type ScalarKind = Literal["bool", "int", "float", "complex", "str", "bytes"]

WIDEST = 6  # alternatives of a union; more of them are unknown


class Value:
    """The base of all abstract values; they are immutable and compare by their content."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Unknown(Value):
    """Any value; there is one, :data:`UNKNOWN`."""


@dataclass(frozen=True, slots=True)
class NoneValue(Value):
    """Python's ``None``; there is one, :data:`NONE`."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The literal value that a scalar does not have; there is one, :data:`ABSENT`."""


UNKNOWN: Final = Unknown()
NONE: Final = NoneValue()
ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Scalar(Value):
    """A Python scalar, not one of numpy's; ``value`` where the code determines it.

    ``node`` is the expression that gives the value, if there is one; it does not compare.
    """

    kind: ScalarKind
    value: object = ABSENT
    node: ast.expr | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Array(Value):
    """A numpy array, or with ``is_scalar`` one of numpy's scalars (``np.float32(1)``, rank 0).

    ``dtype`` is numpy's name of the type: ``float32``, ``object``, ``str`` for ``<U…``, ``bytes``
    for ``S…``, ``datetime64``. A rank counts the batch dimension as well. ``holds`` is what each
    element of an array of objects is: bytes, in the input of a type TYPE_STRING.
    """

    dtype: str | None = None
    rank: int | None = None
    is_scalar: bool = False
    holds: ScalarKind | None = None


@dataclass(frozen=True, slots=True)
class DType(Value):
    """A data type of numpy: ``np.float32``, or ``np.dtype("float32")``; named as in Array."""

    name: str


@dataclass(frozen=True, slots=True)
class Sequence(Value):
    """A list or a tuple; ``items`` where its length is known, otherwise what each ``element`` is.

    ``element`` joins the items; it is UNKNOWN for an empty one. ``per_request`` is whether there is
    one item for each request of a batch.
    """

    items: tuple[Value, ...] | None = None
    element: Value = UNKNOWN
    kind: Literal["list", "tuple"] = "list"
    per_request: bool = False


@dataclass(frozen=True, slots=True)
class Opaque(Value):
    """A value of which only the type is known, such as ``dict``, ``set`` or ``generator``."""

    type_name: str


@dataclass(frozen=True, slots=True)
class Union(Value):
    """One of several values; made by :func:`join`, never nested, never with UNKNOWN."""

    members: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call; a call with ``*args`` or ``**kwargs`` has no such object."""

    positional: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, position: int, name: str) -> Value | None:
        """Return the argument at ``position`` or named ``name``; ``None`` if it is not passed."""
        if position < len(self.positional):
            return self.positional[position]
        return self.keywords.get(name)


def members(value: Value) -> tuple[Value, ...]:
    """Return what a value may be: the members of a union, otherwise the value itself."""
    return value.members if isinstance(value, Union) else (value,)


def join(values: Iterable[Value]) -> Value:
    """Return the value that is one of ``values``; UNKNOWN if one is unknown, or there is none."""
    if isinstance(values, tuple) and len(values) == 2 and values[0] == values[1]:
        return values[0]
    found: dict[Value, None] = {}
    for value in values:
        if value is UNKNOWN:
            return UNKNOWN
        for member in members(value):
            found[member] = None
    merged = _merge(found)
    if not merged or len(merged) > WIDEST:
        return UNKNOWN
    return merged[0] if len(merged) == 1 else Union(tuple(merged))


def _merge(found: dict[Value, None]) -> list[Value]:
    """Return the distinct values; lists of a kind become one, and scalars, except for names."""
    merged: list[Value] = []
    for value in found:
        for position, other in enumerate(merged):
            both = _common(other, value)
            if both is not None:
                merged[position] = both
                break
        else:
            merged.append(value)
    return merged


def _common(left: Value, right: Value) -> Value | None:
    if isinstance(left, Scalar) and isinstance(right, Scalar) and left.kind == right.kind:
        if left == right:
            return left
        names = left.kind == "str" and ABSENT not in (left.value, right.value)
        return None if names else Scalar(left.kind)
    if isinstance(left, Sequence) and isinstance(right, Sequence) and left.kind == right.kind:
        return _common_sequence(left, right)
    return None


def _common_sequence(left: Sequence, right: Sequence) -> Sequence:
    """Return the sequence that is one of the two; an empty one has no say about the elements."""
    if left == right:
        return left
    parts = [sequence.element for sequence in (left, right) if sequence.items != ()]
    per_request = left.per_request and right.per_request
    return Sequence(None, join(parts), left.kind, per_request)


def walk(value: Value) -> Iterator[Value]:
    """Yield a value's alternatives, and those of the elements of sequences in it."""
    for member in members(value):
        yield member
        if isinstance(member, Sequence):
            for item in (member.element,) if member.items is None else member.items:
                yield from walk(item)
