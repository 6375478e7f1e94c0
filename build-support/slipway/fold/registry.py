"""Which function of numpy has an equal in ONNX, and what all of the equals need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slipway.fold.place import Unfoldable
from slipway.fold.symbol import Symbol

FUNCTIONS: dict[Any, Callable[..., Any]] = {}


def folds(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the equal of numpy's ``functions``."""

    def register(equal: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS.update(dict.fromkeys(functions, equal))
        return equal

    return register


def symbols_in(values: Any) -> list[Symbol]:
    """Return the symbols among values, in lists and tuples as well."""
    if isinstance(values, Symbol):
        return [values]
    if isinstance(values, tuple | list):
        return [symbol for value in values for symbol in symbols_in(value)]
    return []


def known(value: Any) -> Any:
    """Return what a value is in the example."""
    if isinstance(value, Symbol):
        return value.example
    if isinstance(value, tuple | list):
        return type(value)(known(each) for each in value)
    return value


def axis_of(array: Symbol, axis: Any, name: str) -> int:
    """Return an axis, counted from 0.

    Raises:
        Unfoldable: it is the batch.
    """
    if axis is None:
        if array.ndim == 1 and not array.rows:
            return 0
        raise Unfoldable(f"np.{name} over all dimensions", f"np.{name}(…, axis=1)")
    number = int(axis) % array.ndim
    if array.rows and number == 0:
        raise Unfoldable(f"np.{name} over the batch: rows would be mixed", "axis=1, or axis=-1")
    return number
