"""Format the outputs of a model: JSON, table cells and numpy files."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.triton.datatypes import Array

MAX_ELEMENTS = 6  # of a row's tensor in a table


def outputs_as_json(outputs: Mapping[str, Array]) -> dict[str, Any]:
    """Return the outputs as nested lists.

    Bytes that are not valid UTF-8 become ``{"base64": …}``; NaN and infinity become ``null``.
    """
    return {name: _plain(_shortest(array)) for name, array in outputs.items()}


def table_rows(outputs: Mapping[str, Array], batches: bool) -> list[list[str]]:
    """Return the cells of a table: a line for each row of the batch, a column for each output."""
    count = max((len(array) for array in outputs.values()), default=0) if batches else 1
    return [
        [_cell(array[row] if batches else array) for array in outputs.values()]
        for row in range(count)
    ]


def save_arrays(outputs: Mapping[str, Array], folder: Path) -> list[Path]:
    """Write each output atomically to ``<folder>/<its name>.npy``, and return the files.

    Strings are written in numpy's type of fixed length. Characters that a file name cannot have
    are percent-encoded.

    Raises:
        SlipwayError: a file cannot be written, or strings end in NUL, which numpy drops.
    """
    arrays = {name: _storable(name, array) for name, array in outputs.items()}
    files = []
    for name, array in arrays.items():
        file = folder / f"{quote(name, safe=' ')}.npy"
        try:
            with atomic_write(file) as temporary, temporary.open("wb") as out:
                np.save(out, array, allow_pickle=False)
        except OSError as error:
            raise SlipwayError(
                f"cannot be written: {error.strerror}",
                where=str(file),
                fix="choose another --output",
            ) from error
        files.append(file)
    return files


def _storable(name: str, array: Array) -> Array:
    if array.dtype != object:
        return array
    fixed = array.astype(np.bytes_)
    if (fixed.astype(object) != array).any():
        raise SlipwayError(
            f"output {name!r} ends in NUL, which numpy's strings cannot hold", fix="use --json"
        )
    return fixed


def _shortest(array: Array) -> Any:
    """Return nested lists; floats with the fewest digits that keep the value in their own type."""
    if array.dtype.kind != "f":
        return array.tolist()
    digits = np.array([float(str(element)) for element in array.ravel()], dtype=object)
    return digits.reshape(array.shape).tolist()


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _cell(array: Array) -> str:
    flat = array.ravel()
    texts = [_text(element) for element in flat[:MAX_ELEMENTS]]
    if flat.size == 1:
        return texts[0]
    more = f" … ({flat.size} elements)" if flat.size > MAX_ELEMENTS else ""
    return f"[{', '.join(texts)}{more}]"


def _text(element: Any) -> str:
    if isinstance(element, bytes):
        try:
            return element.decode()
        except UnicodeDecodeError:
            return f"{len(element)} bytes"
    return str(element)
