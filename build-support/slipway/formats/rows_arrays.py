"""Turn a table of rows into the arrays of a model's inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.datatypes import BYTES, numpy_type
from slipway.formats.format import Array, Tensor
from slipway.formats.rows_file import ONLY, Table

MISSING = ("", "nan", "NaN", "NA", "null", "None")  # as CSV files write what is not there


def to_arrays(table: Table, inputs: Sequence[Tensor]) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Return the inputs' arrays, rows first, and notes on columns that no input has.

    Raises:
        SlipwayError: a column is missing, or a value is not of the input's type or shape.
    """
    columns = dict(table.columns)
    if set(columns) == {ONLY}:
        if len(inputs) != 1:
            raise _missing(table, [tensor.name for tensor in inputs])
        columns = {inputs[0].name: columns[ONLY]}
    used: set[str] = set()
    arrays = {}
    for tensor in inputs:
        names = [feature.name for feature in tensor.features]
        wanted = [tensor.name] if tensor.name in columns else names or [tensor.name]
        lacking = [name for name in wanted if name not in columns]
        if lacking:
            raise _missing(table, lacking)
        used.update(wanted)
        whole = wanted == [tensor.name]
        values = [_column(table, name, columns[name], tensor) for name in wanted]
        array = values[0] if whole else np.stack(values, axis=-1)
        arrays[tensor.name] = _shaped(table, array, tensor)
    unused = sorted(set(columns) - used)
    notes = (f"columns of {table.file.name} that are not used: {', '.join(unused)}",)
    return arrays, notes if unused else ()


def _column(table: Table, name: str, values: Any, tensor: Tensor) -> Array:
    if tensor.datatype == BYTES:
        return _texts(values)
    dtype = numpy_type(tensor.datatype)
    try:
        if isinstance(values, np.ndarray):
            return values.astype(dtype)
        if dtype.kind == "f":
            return np.array(_with_nan(values), np.float64).astype(dtype)
        array = np.array(_numbers(values))
        if (array != array.astype(dtype)).any():
            raise ValueError(f"not whole numbers of {tensor.datatype}")
        return array.astype(dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise SlipwayError(
            f"column {name!r} is {tensor.datatype}: {error}",
            where=_place(table, name, values, dtype),
            fix="correct the value; text is only for inputs of BYTES",
        ) from error


def _place(table: Table, name: str, values: Any, dtype: np.dtype[Any]) -> str:
    """Return file and row of the first value that is not a number."""
    for row, value in enumerate(values, start=1):
        try:
            np.array(_with_nan(value) if dtype.kind == "f" else _numbers(value), np.float64)
        except (ValueError, TypeError):
            return f"{table.file}: row {row}, column {name}"
    return str(table.file)


def _texts(values: Any) -> Array:
    array = np.array(values, dtype=object)
    flat = ["" if value is None or value != value else str(value) for value in array.ravel()]
    return np.array([*flat, None], dtype=object)[:-1].reshape(array.shape)


def _with_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_nan(element) for element in value]
    if value is None or (isinstance(value, str) and value.strip() in MISSING):
        return float("nan")
    return float(value)


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(element) for element in value]
    if isinstance(value, str):
        lower = value.strip().lower()
        return {"true": 1, "false": 0}[lower] if lower in ("true", "false") else float(lower)
    return value


def _shaped(table: Table, array: Array, tensor: Tensor) -> Array:
    """Return the array with one row's ``dims``, where a single 1 is missing or too much."""
    dims = tensor.dims
    for candidate in (array, array[..., np.newaxis]):
        shape = candidate.shape[1:]
        if len(shape) == len(dims) and all(
            want in (-1, have) for want, have in zip(dims, shape, strict=True)
        ):
            return candidate
    if not dims and array.shape[1:] == (1,):
        return array[:, 0]
    raise SlipwayError(
        f"input {tensor.name!r} of one row is {list(dims)}, not {list(array.shape[1:])}",
        where=str(table.file),
        fix="the first dimension is the rows'; the others are those of one row",
    )


def _missing(table: Table, names: Sequence[str]) -> SlipwayError:
    has = ", ".join(name or "one array without a name" for name in table.columns)
    return SlipwayError(
        f"no column {', '.join(map(repr, names))}",
        where=str(table.file),
        fix=f"name the columns as the model does; the file has {has}",
    )
