"""numpy's universal functions as operators of ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slipway.fold.builder import Builder, is_text
from slipway.fold.place import Unfoldable
from slipway.fold.symbol import Symbol, symbol_of

COMPARISONS = {
    "equal": "Equal",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "not_equal": "Equal",  # and Not
}
ARITHMETIC = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",  # the name of np.true_divide
    "maximum": "Max",
    "minimum": "Min",
    "power": "Pow",
    "negative": "Neg",
    "absolute": "Abs",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "tanh": "Tanh",
    "floor": "Floor",
    "ceil": "Ceil",
    "rint": "Round",
    "sign": "Sign",
    "reciprocal": "Reciprocal",
}
# computed in another order, or with other polynomials, than numpy does
INEXACT = {"power", "exp", "log", "tanh"}
FLOATS_ONLY = {
    "sqrt",
    "exp",
    "log",
    "tanh",
    "floor",
    "ceil",
    "rint",
    "reciprocal",
    "divide",
    "power",
}
LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "logical_not": "Not"}
BITS = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor", "invert": "Not"}
# types for which ONNX Runtime has kernels of all of these
COMPUTED = (np.float32, np.float64, np.int32, np.int64)
# types that are compared as another one, in which each of their values is the same
WIDER: dict[Any, Any] = {
    np.dtype(np.int8): np.int32,
    np.dtype(np.uint8): np.int32,
    np.dtype(np.int16): np.int32,
    np.dtype(np.uint16): np.int32,
    np.dtype(np.uint32): np.int64,
    np.dtype(np.float16): np.float32,
    np.dtype(np.bool_): np.int32,
}


def apply_ufunc(
    builder: Builder, ufunc: Any, method: str, inputs: Sequence[Any], keywords: dict[str, Any]
) -> Any:
    """Return what numpy's ``ufunc`` makes of ``inputs``, of which one is a symbol.

    Raises:
        Unfoldable: there is no equal operator.
    """
    name = ufunc.__name__
    if keywords.get("out") is not None:
        raise Unfoldable("it changes an array in place", "write x = x + 1 instead of x += 1")
    if method != "__call__" or keywords:
        asked = method if method != "__call__" else ", ".join(keywords)
        raise Unfoldable(f"np.{name} with {asked}", "use np.sum, np.max, or .astype()")
    symbols = [symbol_of(builder, value) for value in inputs]
    rows = joined_rows(symbols)
    with np.errstate(all="ignore"):
        result = ufunc(*(_numpys(value) for value in inputs))
    if all(symbol.is_constant for symbol in symbols):
        return Symbol(builder, np.asarray(result))
    if name in COMPARISONS:
        made = _compare(builder, name, symbols, [_numpys(value) for value in inputs])
    elif name in LOGIC:
        made = builder.node(LOGIC[name], [truth(symbol).in_graph() for symbol in symbols])
    elif name in BITS and result.dtype == np.bool_:
        made = builder.node(BITS[name], [symbol.in_graph() for symbol in symbols])
    elif name in ("isnan", "isinf") and symbols[0].dtype.kind == "f":
        wide = symbols[0].cast(WIDER.get(symbols[0].dtype, symbols[0].dtype))
        made = builder.node("IsNaN" if name == "isnan" else "IsInf", [wide.in_graph()])
    elif name == "square":
        made = _arithmetic(builder, "multiply", [*symbols, *symbols], result.dtype)
    elif name in ARITHMETIC:
        made = _arithmetic(builder, name, symbols, result.dtype)
    else:
        raise Unfoldable(
            f"np.{name} of {', '.join(str(symbol.dtype) for symbol in symbols)}",
            "use operations that docs/serving.md lists",
        )
    return Symbol(builder, np.asarray(result), made, rows=rows)


def _numpys(value: Any) -> Any:
    return value.example if isinstance(value, Symbol) else value


def joined_rows(symbols: Sequence[Symbol]) -> bool:
    """Return whether the first dimension of what is computed of ``symbols`` is the batch.

    Raises:
        Unfoldable: broadcasting would mix rows.
    """
    batched = [symbol for symbol in symbols if symbol.rows]
    if not batched:
        return False
    rank = batched[0].ndim
    for symbol in symbols:
        apart = symbol.ndim != rank if symbol.rows else symbol.ndim > rank
        if apart or (not symbol.rows and symbol.ndim == rank and symbol.example.shape[0] != 1):
            shapes = " and ".join(
                str(["rows", *s.shape[1:]] if s.rows else [*s.shape]) for s in symbols
            )
            raise Unfoldable(
                f"arrays of the shapes {shapes.replace(chr(39), '')} are joined across rows",
                "give both as many dimensions: keepdims=True, or x[:, np.newaxis]",
            )
    return True


def _compare(builder: Builder, name: str, symbols: Sequence[Symbol], given: Sequence[Any]) -> str:
    if all(is_text(symbol.dtype) for symbol in symbols):
        if name not in ("equal", "not_equal"):
            raise Unfoldable(f"np.{name} of strings", "strings can be compared with == and !=")
    elif any(is_text(symbol.dtype) for symbol in symbols):
        raise Unfoldable("a string is compared with a number", "compare with b'…'")
    else:
        # numpy 1 decides by the values of numbers, too
        common = np.result_type(*given)
        common = np.dtype(WIDER.get(common, common))
        _refuse_type(name, common, COMPUTED)
        symbols = [symbol.cast(common) for symbol in symbols]
    made = builder.node(COMPARISONS[name], [symbol.in_graph() for symbol in symbols])
    return builder.node("Not", [made]) if name == "not_equal" else made


def _arithmetic(builder: Builder, name: str, symbols: Sequence[Symbol], dtype: Any) -> str:
    types = (np.float32, np.float64) if name in FLOATS_ONLY else COMPUTED
    _refuse_type(name, dtype, types)
    builder.inexact |= name in INEXACT
    return builder.node(ARITHMETIC[name], [symbol.cast(dtype).in_graph() for symbol in symbols])


def _refuse_type(name: str, dtype: Any, types: Sequence[Any]) -> None:
    if dtype not in [np.dtype(each) for each in types]:
        raise Unfoldable(
            f"np.{name} in {dtype}, which ONNX Runtime does not compute",
            "convert first: .astype(np.float32), or np.int32",
        )


def truth(symbol: Symbol) -> Symbol:
    """Return whether each element is true, as Python sees it: not 0, and not empty."""
    if symbol.dtype == np.bool_:
        return symbol
    if is_text(symbol.dtype) and symbol.dtype.kind != "O":
        raise Unfoldable("the truth of strings of fixed length", "compare them: != b''")
    example = symbol.example.astype(np.bool_)
    if symbol.is_constant:
        return Symbol(symbol.builder, example)
    builder = symbol.builder
    if is_text(symbol.dtype):
        false = builder.constant(np.array(b"", object))
    else:
        # no Cast: ONNX Runtime makes one of two, and 0.5 as an integer would be true
        symbol = symbol.cast(WIDER.get(symbol.dtype, symbol.dtype))
        false = builder.constant(np.zeros((), symbol.dtype))
    same = builder.node("Equal", [symbol.in_graph(), false])
    return Symbol(builder, example, builder.node("Not", [same]), rows=symbol.rows)


def convert(symbol: Symbol, dtype: np.dtype[Any]) -> Symbol:
    """Return ``symbol.astype(dtype)``.

    Raises:
        Unfoldable: strings and numbers are converted into each other.
    """
    if symbol.is_constant:
        return Symbol(symbol.builder, symbol.example.astype(dtype))
    if dtype == np.bool_:
        return truth(symbol)
    if is_text(symbol.dtype) and dtype == np.object_:
        example = symbol.example.astype(dtype)
        return Symbol(symbol.builder, example, symbol.name, rows=symbol.rows)
    if is_text(symbol.dtype) or is_text(dtype) or dtype.kind == "U":
        raise Unfoldable(
            f"{symbol.dtype} to {dtype}: numbers and texts are converted into each other",
            "look texts up in an array of bytes: TABLE[index]",
        )
    return symbol.cast(dtype)
