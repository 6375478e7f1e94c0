"""Read the rows of ``--rows``: CSV, JSON, lines of JSON, ``.npz`` and ``.npy``."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from slipway.errors import SlipwayError

KINDS = ".csv, .json, .jsonl, .npz and .npy"
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
