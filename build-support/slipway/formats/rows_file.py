"""Read the rows of ``--rows``: CSV, JSON, lines of JSON, ``.npz`` and ``.npy``."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.datatypes import BYTES, numpy_type
from slipway.formats.format import Array, Tensor

KINDS = ".csv, .json, .jsonl, .npz and .npy"
MISSING = ("", "nan", "NaN", "NA", "null", "None")  # as CSV files write what is not there
MALFORMED = (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, BadZipFile)
ONLY = ""  # the column of a file that has one array, without a name


@dataclass(frozen=True)
class Table:
    """Values by the names of columns or inputs, those of each row in order."""

    file: Path
    columns: Mapping[str, Any]


def read(file: Path) -> Table:
    """Read a table by the kind that its name ends with.

    Raises:
        SlipwayError: it is of another kind, is not well-formed, has no rows, or its columns differ
            in length.
    """
    readers = {
        ".csv": _read_csv,
        ".json": _read_json,
        ".jsonl": _read_lines,
        ".ndjson": _read_lines,
        ".npz": _read_npz,
        ".npy": _read_npy,
    }
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise SlipwayError(f"rows are read from {KINDS}", where=str(file), fix="save them as .csv")
    try:
        columns = reader(file)
        counts = {name: len(values) for name, values in columns.items()}
    except MALFORMED as error:
        fix = "one row is an object of columns; or one object holds a list for each column"
        raise SlipwayError(f"rows cannot be read: {error}", where=str(file), fix=fix) from error
    if len(set(counts.values())) > 1:
        text = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise SlipwayError(
            f"columns have different numbers of rows: {text}",
            where=str(file),
            fix="the first dimension of every array is the rows'",
        )
    if not any(counts.values()):
        raise SlipwayError("no rows", where=str(file), fix="give at least one row of inputs")
    return Table(file, columns)


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
    return float("nan") if value is None or value in MISSING else float(value)


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


def _read_csv(file: Path) -> dict[str, Any]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        lines = list(csv.reader(stream))
    if not lines:
        return {}
    names, rows = lines[0], [line for line in lines[1:] if line]
    for number, line in enumerate(rows, start=2):
        if len(line) != len(names):
            raise ValueError(f"line {number} has {len(line)} values, the first {len(names)}")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


def _read_json(file: Path) -> dict[str, Any]:
    values = json.loads(file.read_text(encoding="utf-8-sig"))
    if isinstance(values, dict):
        return values if all(isinstance(v, list) for v in values.values()) else _columns([values])
    return _columns(values)


def _read_lines(file: Path) -> dict[str, Any]:
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    return _columns([json.loads(line) for line in lines if line.strip()])


def _columns(rows: list[Any]) -> dict[str, Any]:
    """Turn rows into columns: objects by their keys, anything else into the only column."""
    if not all(isinstance(row, dict) for row in rows):
        return {ONLY: rows}
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _read_npy(file: Path) -> dict[str, Any]:
    return {ONLY: np.load(file, allow_pickle=False)}


def _read_npz(file: Path) -> dict[str, Any]:
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
