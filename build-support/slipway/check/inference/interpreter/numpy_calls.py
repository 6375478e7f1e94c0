"""numpy's functions, over all that their arguments may be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from slipway.check.inference.interpreter.builtin import Builtins
from slipway.check.inference.numpy.dtypes import named_type, parse
from slipway.check.inference.objects import (
    FOREIGN,
    External,
    is_none,
    sequence_of,
)
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    DType,
    NoneValue,
    Opaque,
    Scalar,
    Sequence,
    Union,
    Unknown,
    Value,
    join,
    members,
)

TYPES = ("bool", "int", "float", "complex", "object", "str", "bytes")
WAYS = 16  # combinations of the arguments' alternatives
SIMPLE = (Array, Scalar, DType, NoneValue, Opaque, Unknown)

type NumpyCall = Callable[[Arguments], Value]


class NumpyCalls(Builtins):
    """Calls numpy's functions."""

    def _numpy(self, arguments: Arguments | None, function: NumpyCall) -> Value:
        """Return the result of one of numpy's functions over the arguments' alternatives."""
        if arguments is None:
            return UNKNOWN
        values = [self.numpy_value(each) for each in arguments.positional]
        names = list(arguments.keywords)
        values += [self.numpy_value(each) for each in arguments.keywords.values()]
        count = len(arguments.positional)
        ways = 1
        for value in values:
            ways *= len(members(value))
        if ways == 1:
            return function(_given(values, names, count))
        if ways > WAYS:
            values = [UNKNOWN if isinstance(each, Union) else each for each in values]
        choices = product(*(members(value) for value in values))
        return join(function(_given(list(choice), names, count)) for choice in choices)

    def cast(self, dtype: Value) -> Value:
        """Return what ``unknown.astype(dtype)`` is: an array of numbers, or another library's."""
        name = parse(self.numpy_value(dtype))
        if name is None or name in ("str", "bytes", "object"):
            return UNKNOWN
        return Union((Array(name), FOREIGN))

    def numpy_value(self, value: Value) -> Value:
        """Return a value as numpy's rules take it."""
        resolved = self.resolve(value)
        if isinstance(resolved, Union):
            return join(self._as_numpy_takes(member) for member in resolved.members)
        return self._as_numpy_takes(resolved)

    def _as_numpy_takes(self, value: Value) -> Value:
        if isinstance(value, SIMPLE):
            return value
        if isinstance(value, Sequence):
            if value.items is None:
                return Sequence(None, self.numpy_value(value.element), value.kind)
            return sequence_of(tuple(map(self.numpy_value, value.items)), value.kind)
        if isinstance(value, External) and value.name in TYPES:
            dtype = named_type(value.name)
            return UNKNOWN if dtype is None else DType(dtype)
        return NONE if is_none(value) else UNKNOWN


def _given(values: list[Value], names: list[str], count: int) -> Arguments:
    return Arguments(tuple(values[:count]), dict(zip(names, values[count:], strict=True)))
