"""Rules: what a function of numpy returns, from what its arguments are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from slipway.check.inference.numpy.discovery import discover
from slipway.check.inference.numpy.dtypes import parse
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    Scalar,
    Sequence,
    Value,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the arguments by their names; ``rest`` are those that ``*name`` collects."""

    function: str
    given: Mapping[str, Value]
    rest: tuple[Value, ...]
    numpy_2: bool | None

    def get(self, name: str) -> Value | None:
        """Return an argument; ``None`` if it is not passed, or passed as ``None``."""
        value = self.given.get(name)
        return None if value == NONE else value

    def array(self, name: str) -> Array:
        """Return an argument as the array that numpy makes of it."""
        return discover(self.given.get(name, UNKNOWN))

    def dtype(self, default: str | None, name: str = "dtype") -> str | None:
        """Return the type that the call asks for, or ``default`` if it asks for none."""
        asked = self.get(name)
        return default if asked is None else parse(asked)

    def flag(self, name: str, *, default: bool = False) -> bool | None:
        """Return the value of a flag; ``None`` if it is not known."""
        value = self.given.get(name)
        if value is None:
            return default
        return value.value if isinstance(value, Scalar) and type(value.value) is bool else None


type Rule = Callable[[Call], Value]


@dataclass(frozen=True, slots=True)
class Function:
    """A rule with the names of the function's parameters, in order."""

    parameters: tuple[str, ...]
    rule: Rule


FUNCTIONS: dict[str, Function] = {}
METHODS: dict[str, Function] = {}


def function(names: str, parameters: str) -> Callable[[Rule], Rule]:
    """Register the rule of functions below numpy; a method of the same name takes the same."""

    def register(rule: Rule) -> Rule:
        for name in names.split():
            FUNCTIONS[name] = Function(tuple(parameters.split()), rule)
        return rule

    return register


def method(names: str, parameters: str) -> Callable[[Rule], Rule]:
    """Register the rule of methods of arrays; the array itself is the argument ``a``."""

    def register(rule: Rule) -> Rule:
        for name in names.split():
            METHODS[name] = Function(("a", *parameters.split()), rule)
        return rule

    return register


def apply(
    name: str, found: Function | None, arguments: Arguments, *, numpy_2: bool | None
) -> Value:
    """Return the result of a call; UNKNOWN if it cannot be such a call, or fails."""
    if found is None:
        return UNKNOWN
    names = found.parameters
    collects = bool(names) and names[-1].startswith("*")
    plain = names[:-1] if collects else names
    positional, keywords = arguments.positional, arguments.keywords
    if (len(positional) > len(plain) and not collects) or keywords.keys() - set(plain):
        return UNKNOWN
    given = dict(zip(plain, positional, strict=False))
    if given.keys() & keywords.keys():
        return UNKNOWN
    out = keywords.get("out", given.get("out", NONE))
    if out != NONE:
        return out if isinstance(out, Array) else UNKNOWN
    rest = positional[len(plain) :] if collects else ()
    return found.rule(Call(name, {**given, **keywords}, rest, numpy_2))


def scalar_if_rank_0(dtype: str | None, rank: int | None) -> Value:
    """Return an array; of rank 0, one of numpy's scalars, or the object that it holds."""
    if rank:
        return Array(dtype, rank)
    if dtype in (None, "object", "void"):
        return UNKNOWN  # an element of an array of objects may be anything
    return Array(dtype, rank, is_scalar=rank == 0)


def shaped(found: Array, rank: int | None) -> Array:
    """Return an array with the same elements and another rank."""
    return replace(found, rank=rank, is_scalar=False)


def element(found: Array) -> Value:
    """Return what an index of all axes gives: one of numpy's scalars, or the object."""
    if found.dtype == "object" and found.holds is not None:
        return Scalar(found.holds)
    return scalar_if_rank_0(found.dtype, 0)


def axis_count(axis: Value | None) -> int | None:
    """Return how many axes an argument names; ``None`` if that is not known."""
    if isinstance(axis, Scalar) and axis.kind == "int":
        return 1
    if isinstance(axis, Array) and axis.is_scalar:
        return 1
    if isinstance(axis, Sequence) and axis.items is not None:
        return len(axis.items)
    return None


def shape_rank(shape: Value | None) -> int | None:
    """Return the rank that a shape has: an integer, or a sequence of them."""
    return axis_count(shape)


def plus(rank: int | None, more: int | None) -> int | None:
    """Return the sum of two ranks; ``None`` if it is not known or negative."""
    total = None if rank is None or more is None else rank + more
    return None if total is not None and total < 0 else total
