"""An array that records what numpy does with it as nodes of a graph.

numpy calls ``__array_ufunc__`` and ``__array_function__`` instead of its own code (NEP 13, NEP 18).
Each symbol carries an example, on which numpy itself computes types and shapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from slipway.fold.builder import Array, Builder, onnx_type
from slipway.fold.place import Unfoldable

ROWS = 3
"""Of every example with a batch."""


class Symbol(NDArrayOperatorsMixin):
    """A tensor of the graph, or with ``name`` ``None`` a constant: the example is its value.

    ``rows``: its first dimension is the batch.
    """

    def __init__(
        self, builder: Builder, example: Array, name: str | None = None, *, rows: bool = False
    ) -> None:
        self.builder = builder
        self.example = example
        self.name = name
        self.rows = rows

    @property
    def is_constant(self) -> bool:
        """Return whether its value is known."""
        return self.name is None

    def in_graph(self) -> str:
        """Return its name in the graph; constants are added."""
        return self.builder.constant(self.example) if self.name is None else self.name

    def cast(self, dtype: Any) -> Symbol:
        """Return it with another type of numbers."""
        dtype = np.dtype(dtype)
        if dtype == self.example.dtype:
            return self
        example = self.example.astype(dtype)
        if self.is_constant:
            return Symbol(self.builder, example)
        name = self.builder.node("Cast", [self.in_graph()], to=onnx_type(dtype))
        return Symbol(self.builder, example, name, rows=self.rows)

    # what numpy's arrays have

    @property
    def dtype(self) -> Any:
        return self.example.dtype

    @property
    def ndim(self) -> int:
        return self.example.ndim

    @property
    def shape(self) -> tuple[Any, ...]:
        shape = self.example.shape
        return (RowCount(), *shape[1:]) if self.rows else shape

    @property
    def size(self) -> Any:
        return RowCount() if self.rows else self.example.size

    @property
    def T(self) -> Any:
        return self.transpose()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        return self.builder.operations.ufunc(self.builder, ufunc, method, inputs, keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        return self.builder.operations.function(self.builder, function, args, keywords)

    def __getitem__(self, key: Any) -> Any:
        return self.builder.operations.index(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise Unfoldable(
            "it writes into an array", "build a new one: np.where(condition, new, old)"
        )

    def astype(self, dtype: Any, *args: Any, **keywords: Any) -> Any:
        return self.builder.operations.convert(self, np.dtype(dtype))

    def reshape(self, *shape: Any, **keywords: Any) -> Any:
        return self._call("reshape", shape[0] if len(shape) == 1 else shape, **keywords)

    def transpose(self, *axes: Any) -> Any:
        given = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
        return self._call("transpose", given or None)

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            return lambda *args, **keywords: self._call(METHODS[name], *args, **keywords)
        if name.startswith("__") or name == "_":
            raise AttributeError(name)
        if not hasattr(np.ndarray, name):
            raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")
        if self.is_constant:
            return getattr(self.example, name)
        raise Unfoldable(
            f".{name} of an array", "use operations of numpy that docs/serving.md lists"
        )

    def _call(self, function: str, *args: Any, **keywords: Any) -> Any:
        return self.__array_function__(getattr(np, function), (), (self, *args), keywords)

    # where Python asks for a value

    def __bool__(self) -> bool:
        return bool(
            self._value("if, and, or, not: it decides on the value of a tensor", "np.where")
        )

    def __float__(self) -> float:
        return float(self._value("float() of a tensor", "keep the array"))

    def __int__(self) -> int:
        return int(self._value("int() of a tensor", "keep the array: .astype(np.int64)"))

    def __index__(self) -> int:
        fix = "np.take(TABLE, index), or make the table an array in initialize()"
        return int(self._value("a tensor as the index of a list or of a local array", fix))

    def __len__(self) -> int:
        if self.rows:
            RowCount().refuse()
        return len(self.example)

    def __iter__(self) -> Iterator[Any]:
        value = self._value("a loop over a tensor's rows", "work on whole arrays: axis=1")
        return iter(value)

    def __array__(self, *args: Any, **keywords: Any) -> Array:
        fix = "use np.where, np.take and other operations that docs/serving.md lists"
        return np.asarray(self._value("an operation that numpy computes at once", fix))

    def _value(self, what: str, fix: str) -> Array:
        if not self.is_constant:
            raise Unfoldable(what, fix)
        return self.example


METHODS = {
    "max": "amax",
    "min": "amin",
    **{
        name: name
        for name in "argmax argmin sum mean any all argsort clip squeeze take round ravel".split()
    },
    "flatten": "ravel",
    "copy": "copy",
}


class RowCount:
    """The number of rows, which differs from request to request."""

    def refuse(self) -> None:
        """Raise the error of code that needs the number."""
        raise Unfoldable(
            "it depends on the number of rows",
            "let numpy broadcast, or use np.full_like and reshape(-1, …)",
        )

    def __index__(self) -> int:
        self.refuse()
        return 0

    __int__ = __len__ = __bool__ = __float__ = __index__


def symbol_of(builder: Builder, value: Any) -> Symbol:
    """Return what numpy's operation was given as a symbol."""
    if isinstance(value, Symbol):
        return value
    array = np.asarray(value)
    if array.dtype.kind == "U":
        raise Unfoldable(
            f"the text {value!r}: strings of Triton's tensors are bytes", f"b{value!r}"
        )
    return Symbol(builder, array)
