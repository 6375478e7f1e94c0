"""numpy's functions of whole arrays as operators of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from slipway.fold import shapes as shapes  # it registers what it has
from slipway.fold.builder import Builder, is_text
from slipway.fold.indexing import take
from slipway.fold.operators import COMPUTED, WIDER, joined_rows, truth
from slipway.fold.place import Unfoldable
from slipway.fold.registry import FUNCTIONS, axis_of, folds, known, symbols_in
from slipway.fold.symbol import Symbol, symbol_of


def apply_function(builder: Builder, function: Any, args: Any, keywords: Any) -> Any:
    """Return what numpy's ``function`` makes of its arguments, of which one is a symbol.

    Raises:
        Unfoldable: there is no equal operator.
    """
    found = symbols_in((*args, *keywords.values()))
    if all(symbol.is_constant for symbol in found):
        result = function(*known(args), **{k: known(v) for k, v in keywords.items()})
        return Symbol(builder, result) if isinstance(result, np.ndarray) else result
    if function not in FUNCTIONS:
        raise Unfoldable(f"np.{function.__name__}", "use operations that docs/serving.md lists")
    try:
        return FUNCTIONS[function](builder, *args, **keywords)
    except TypeError as error:
        raise Unfoldable(f"np.{function.__name__}: {error}", "leave this argument out") from error


@folds(np.where)
def _where(builder: Builder, condition: Any, *choices: Any) -> Symbol:
    if len(choices) != 2:
        raise Unfoldable("np.where without values", "np.where(condition, value, other)")
    test, first, second = (symbol_of(builder, value) for value in (condition, *choices))
    rows = joined_rows([test, first, second])
    example = np.where(known(condition), known(choices[0]), known(choices[1]))
    kind = example.dtype
    if is_text(kind):
        if not (is_text(first.dtype) and is_text(second.dtype)):
            raise Unfoldable("np.where chooses between a string and a number", "use two tensors")
        name = builder.node("Where", [truth(test).in_graph(), first.in_graph(), second.in_graph()])
        return Symbol(builder, example, name, rows=rows)
    wide = np.dtype(WIDER.get(kind, kind))
    parts = [first.cast(kind).cast(wide), second.cast(kind).cast(wide)]
    name = builder.node("Where", [truth(test).in_graph(), *(part.in_graph() for part in parts)])
    return Symbol(builder, example.astype(wide), name, rows=rows).cast(kind)


@folds(np.clip)
def _clip(builder: Builder, a: Any, a_min: Any = None, a_max: Any = None) -> Any:
    if a_min is not None:
        a = np.maximum(a, a_min)
    return a if a_max is None else np.minimum(a, a_max)


def _extreme_place(operator: str) -> Callable[..., Symbol]:
    def equal(builder: Builder, a: Symbol, axis: Any = None, *, keepdims: Any = False) -> Symbol:
        name = operator.lower()
        number = axis_of(a, axis, name)
        wide = a.cast(WIDER.get(a.dtype, a.dtype))
        if wide.dtype not in (np.float32, np.float64, np.int32):
            raise Unfoldable(f"np.{name} of {a.dtype}", ".astype(np.float64), or np.int32")
        made = builder.node(
            operator, [wide.in_graph()], axis=number, keepdims=int(keepdims is True)
        )
        example = getattr(np, name)(a.example, axis=number, keepdims=keepdims is True)
        return Symbol(builder, np.asarray(example), made, rows=a.rows)

    return equal


folds(np.argmax)(_extreme_place("ArgMax"))
folds(np.argmin)(_extreme_place("ArgMin"))


def _reduction(operator: str, function: Any, *, exact: bool) -> Callable[..., Symbol]:
    def equal(builder: Builder, a: Symbol, axis: Any = None, *, keepdims: Any = False) -> Symbol:
        if isinstance(axis, tuple):
            axes = sorted(axis_of(a, each, function.__name__) for each in axis)
        else:
            axes = [axis_of(a, axis, function.__name__)]
        keep = keepdims is True
        example = np.asarray(function(a.example, axis=tuple(axes), keepdims=keep))
        wide = np.dtype(WIDER.get(example.dtype, example.dtype))
        if wide not in [np.dtype(each) for each in COMPUTED]:
            raise Unfoldable(f"np.{function.__name__} of {a.dtype}", ".astype(np.float32)")
        builder.inexact |= not exact and wide.kind == "f"
        inner = a.cast(example.dtype).cast(wide).in_graph()
        made = builder.node(operator, [inner, builder.numbers(*axes)], keepdims=int(keep))
        return Symbol(builder, example.astype(wide), made, rows=a.rows).cast(example.dtype)

    return equal


folds(np.amax, np.max)(_reduction("ReduceMax", np.amax, exact=True))
folds(np.amin, np.min)(_reduction("ReduceMin", np.amin, exact=True))
folds(np.sum)(_reduction("ReduceSum", np.sum, exact=False))
folds(np.mean)(_reduction("ReduceMean", np.mean, exact=False))


@folds(np.any)
def _any(builder: Builder, a: Symbol, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.max(truth(a), axis=axis, keepdims=keepdims)


@folds(np.all)
def _all(builder: Builder, a: Symbol, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.min(truth(a), axis=axis, keepdims=keepdims)


@folds(np.argsort)
def _argsort(builder: Builder, a: Symbol, axis: Any = -1, kind: Any = None) -> Symbol:
    if kind not in ("stable", "mergesort"):
        raise Unfoldable(
            "np.argsort that leaves open which of equal values is first", 'kind="stable"'
        )
    return _sorted(builder, a, axis)[1]


@folds(np.sort)
def _sort(builder: Builder, a: Symbol, axis: Any = -1, kind: Any = None) -> Symbol:
    return _sorted(builder, a, axis)[0]


def _sorted(builder: Builder, a: Symbol, axis: Any) -> tuple[Symbol, Symbol]:
    """Return sorted values and their places; of equal ones the first comes first, as TopK says."""
    number = axis_of(a, axis, "sort")
    if a.dtype not in [np.dtype(each) for each in COMPUTED]:
        raise Unfoldable(f"sorting {a.dtype}", ".astype(np.float32)")
    shape = builder.node("Shape", [a.in_graph()], start=number, end=number + 1)
    values, places = builder.nodes_of(
        "TopK", [a.in_graph(), shape], 2, axis=number, largest=0, sorted=1
    )
    order = np.argsort(a.example, axis=number, kind="stable")
    return (
        Symbol(builder, np.sort(a.example, axis=number), values, rows=a.rows),
        Symbol(builder, order, places, rows=a.rows),
    )


@folds(np.take)
def _take(builder: Builder, a: Any, indices: Any, axis: Any = None) -> Symbol:
    table = symbol_of(builder, a)
    if axis is None and table.ndim != 1:
        raise Unfoldable("np.take of a flattened array", "np.take(…, axis=0)")
    return take(table, symbol_of(builder, indices), int(axis or 0))


@folds(np.take_along_axis)
def _take_along_axis(builder: Builder, arr: Any, indices: Any, axis: Any) -> Symbol:
    table, places = symbol_of(builder, arr), symbol_of(builder, indices)
    number = axis_of(table, axis, "take_along_axis")
    if not (table.rows == places.rows and table.ndim == places.ndim):
        raise Unfoldable("np.take_along_axis of a table that has no batch", "TABLE[index]")
    example = np.take_along_axis(table.example, places.example, axis=number)
    inputs = [table.in_graph(), places.cast(np.int64).in_graph()]
    made = builder.node("GatherElements", inputs, axis=number)
    return Symbol(builder, example, made, rows=table.rows)


@folds(np.round, np.around)
def _round(builder: Builder, a: Symbol, decimals: int = 0) -> Any:
    if decimals == 0:
        return np.rint(a)
    if decimals < 0:
        raise Unfoldable("np.round to tens", "np.rint(x / 10) * 10")
    scale = float(10**decimals)
    return np.rint(a * scale) / scale
