"""Indices and slices as operators of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from slipway.fold.operators import joined_rows
from slipway.fold.place import Unfoldable
from slipway.fold.symbol import Symbol

FIRST, LAST = -(1 << 62), 1 << 62  # beyond any size: ONNX clamps both


def index(array: Symbol, key: Any) -> Symbol:
    """Return ``array[key]``.

    Raises:
        Unfoldable: it picks rows of the batch, or as many elements as a mask has.
    """
    builder = array.builder
    keys = list(key) if isinstance(key, tuple) else [key]
    for each in keys:
        if np.asarray(_value(each)).dtype == np.bool_:
            raise Unfoldable(
                "a mask: how many elements it leaves depends on their values",
                "np.where(mask, value, other) keeps the shape",
            )
    if len(keys) == 1 and isinstance(key, Symbol) and not key.is_constant:
        return take(array, key, 0)
    keys = _expanded(keys, array.ndim)
    if array.is_constant and not any(isinstance(k, Symbol) and not k.is_constant for k in keys):
        return Symbol(builder, np.asarray(array.example[tuple(_value(k) for k in keys)]))
    return _basic(array, keys)


def _value(key: Any) -> Any:
    if isinstance(key, Symbol):
        return key.example
    return None if isinstance(key, slice) or key is Ellipsis else key


def _expanded(keys: list[Any], rank: int) -> list[Any]:
    used = sum(each is not None and each is not Ellipsis for each in keys)
    rest = [slice(None)] * (rank - used)
    at = next((n for n, each in enumerate(keys) if each is Ellipsis), len(keys))
    return [*keys[:at], *rest, *keys[at + 1 :]]


def _basic(array: Symbol, keys: list[Any]) -> Symbol:
    builder = array.builder
    name, axis = array.in_graph(), 0
    new: list[int] = []
    gone: list[int] = []
    lists = sum(isinstance(each, list | np.ndarray | Symbol) for each in keys)
    for position, each in enumerate(keys):
        if each is None:
            new.append(position - len(gone))
            continue
        if array.rows and axis == 0 and not (isinstance(each, slice) and each == slice(None)):
            raise Unfoldable("it picks rows of the batch", "index the other dimensions: x[:, …]")
        if isinstance(each, slice):
            if each != slice(None):
                step = 1 if each.step is None else int(each.step)
                ends = (0, LAST) if step > 0 else (LAST, FIRST)
                start = ends[0] if each.start is None else int(each.start)
                stop = ends[1] if each.stop is None else int(each.stop)
                at = axis - len(gone)
                numbers = [builder.numbers(n) for n in (start, stop, at, step)]
                name = builder.node("Slice", [name, *numbers])
        elif isinstance(each, list | np.ndarray) and lists == 1 and np.ndim(each) == 1:
            if gone:
                raise Unfoldable("a list of indices behind a number", "index in two steps")
            name = builder.node("Gather", [name, builder.numbers(*map(int, each))], axis=axis)
        elif isinstance(each, int | np.integer):
            number = builder.constant(np.array(int(each), dtype=np.int64))
            name = builder.node("Gather", [name, number], axis=axis - len(gone))
            gone.append(axis)
        else:
            raise Unfoldable(f"an index of the kind {type(each).__name__}", "np.take(x, i, axis=1)")
        axis += 1
    if new and array.rows and new[0] == 0:
        raise Unfoldable("a new dimension before the batch", "x[:, np.newaxis]")
    if new:
        name = builder.node("Unsqueeze", [name, builder.numbers(*new)])
    example = np.asarray(
        array.example[tuple(k if isinstance(k, slice) else _value(k) for k in keys)]
    )
    return Symbol(builder, example, name, rows=array.rows)


def take(table: Symbol, indices: Symbol, axis: int) -> Symbol:
    """Return the elements of ``table`` at ``indices`` of one axis.

    Raises:
        Unfoldable: the indices are no whole numbers, or rows would be mixed.
    """
    if indices.dtype.kind not in "iu":
        raise Unfoldable(f"an index of {indices.dtype}", ".astype(np.int64)")
    axis = axis % max(table.ndim, 1)
    if table.rows and (axis == 0 or indices.rows):
        raise Unfoldable(
            "it picks among the batch", "np.take_along_axis(x, indices, axis=1) stays in each row"
        )
    if indices.rows and axis:
        raise Unfoldable("an index of rows behind the first dimension", "TABLE[index]")
    joined_rows([indices])
    example = np.take(table.example, indices.example, axis=axis)
    whole = indices.cast(np.int64)
    name = table.builder.node("Gather", [table.in_graph(), whole.in_graph()], axis=axis)
    return Symbol(table.builder, example, name, rows=table.rows or indices.rows)
