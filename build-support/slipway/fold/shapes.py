"""numpy's functions of an array's shape as operators of ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slipway.fold.builder import Builder, is_text
from slipway.fold.place import Unfoldable
from slipway.fold.registry import axis_of, folds
from slipway.fold.symbol import RowCount, Symbol, symbol_of


@folds(np.concatenate)
def _concatenate(builder: Builder, arrays: Sequence[Any], axis: Any = 0) -> Any:
    parts = [symbol_of(builder, each) for each in arrays]
    number = axis_of(next(p for p in parts if not p.is_constant), axis, "concatenate")
    rows = any(part.rows for part in parts)
    if rows and not all(part.rows for part in parts):
        raise Unfoldable(
            "np.concatenate with an array that has no batch", "np.full_like of a tensor"
        )
    example = np.concatenate([part.example for part in parts], axis=number)
    names = [
        p.in_graph() if is_text(example.dtype) else p.cast(example.dtype).in_graph() for p in parts
    ]
    return Symbol(builder, example, builder.node("Concat", names, axis=number), rows=rows)


@folds(np.stack)
def _stack(builder: Builder, arrays: Sequence[Any], axis: Any = 0) -> Any:
    parts = [symbol_of(builder, each) for each in arrays]
    number = int(axis) % (parts[0].ndim + 1)
    return _concatenate(builder, [np.expand_dims(part, number) for part in parts], number)


@folds(np.expand_dims)
def _expand_dims(builder: Builder, a: Symbol, axis: Any) -> Symbol:
    number = int(axis) % (a.ndim + 1)
    if a.rows and number == 0:
        raise Unfoldable("a new dimension before the batch", "axis=1")
    made = builder.node("Unsqueeze", [a.in_graph(), builder.numbers(number)])
    return Symbol(builder, np.expand_dims(a.example, number), made, rows=a.rows)


@folds(np.squeeze)
def _squeeze(builder: Builder, a: Symbol, axis: Any = None) -> Symbol:
    if axis is None:
        raise Unfoldable("np.squeeze without an axis: one row loses its batch", "axis=1")
    number = axis_of(a, axis, "squeeze")
    made = builder.node("Squeeze", [a.in_graph(), builder.numbers(number)])
    return Symbol(builder, np.squeeze(a.example, number), made, rows=a.rows)


@folds(np.transpose)
def _transpose(builder: Builder, a: Symbol, axes: Any = None) -> Symbol:
    order = [int(n) % a.ndim for n in axes] if axes is not None else [*range(a.ndim)][::-1]
    if a.rows and order[0] != 0:
        raise Unfoldable("the batch is moved from the first dimension", "keep axis 0 where it is")
    made = builder.node("Transpose", [a.in_graph()], perm=order)
    return Symbol(builder, np.transpose(a.example, order), made, rows=a.rows)


@folds(np.reshape)
def _reshape(builder: Builder, a: Symbol, newshape: Any, order: str = "C") -> Symbol:
    sizes = list(newshape) if isinstance(newshape, tuple | list) else [newshape]
    if order != "C":
        raise Unfoldable("reshape in another order", 'order="C"')
    if a.rows:
        first, rest = sizes[0], sizes[1:]
        if isinstance(first, RowCount):
            sizes = [0, *rest]  # ONNX: as in the input
        row = int(np.prod(a.example.shape[1:]))
        fixed = int(np.prod([n for n in rest if n != -1]))
        free = -1 in rest
        if not (isinstance(first, RowCount) or (first == -1 and not free and fixed == row)):
            raise Unfoldable(
                "a reshape that cuts rows elsewhere", "reshape(-1, …) with all of a row"
            )
    target = [a.example.shape[0], *sizes[1:]] if a.rows else sizes
    example = a.example.reshape(target)
    made = builder.node("Reshape", [a.in_graph(), builder.numbers(*map(int, sizes))])
    return Symbol(builder, example, made, rows=a.rows)


@folds(np.full_like)
def _full_like(builder: Builder, a: Symbol, fill_value: Any, dtype: Any = None) -> Symbol:
    example = np.full_like(a.example, fill_value, dtype=dtype)
    value = Symbol(builder, np.asarray(fill_value)).cast(example.dtype)
    shape = builder.node("Shape", [a.in_graph()])
    made = builder.node("Expand", [value.in_graph(), shape])
    return Symbol(builder, example, made, rows=a.rows)


@folds(np.zeros_like)
def _zeros_like(builder: Builder, a: Symbol, dtype: Any = None) -> Any:
    return _full_like(builder, a, 0, dtype)


@folds(np.ones_like)
def _ones_like(builder: Builder, a: Symbol, dtype: Any = None) -> Any:
    return _full_like(builder, a, 1, dtype)


@folds(np.copy)
def _copy(builder: Builder, a: Symbol, order: str = "K") -> Symbol:
    return a


@folds(np.shape)
def _shape(builder: Builder, a: Symbol) -> Any:
    return a.shape


@folds(np.ndim)
def _ndim(builder: Builder, a: Symbol) -> int:
    return a.ndim
