"""Answers for people and other programs: JSON, tables, files of numpy's."""

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

SHOWN = 6  # elements of a row's tensor in a table


def as_json(outputs: Mapping[str, Array]) -> dict[str, Any]:
    """The outputs as nested lists. Bytes that are no UTF-8 become ``{"base64": …}``; what JSON has
    no number for (NaN, infinity) becomes ``null``."""
    return {name: _plain(_shortest(array)) for name, array in outputs.items()}


def rows(outputs: Mapping[str, Array], batches: bool) -> list[list[str]]:
    """The cells of a table, a line for each row of the batch and a column for each output."""
    count = max((len(array) for array in outputs.values()), default=0) if batches else 1
    return [
        [_cell(array[row] if batches else array) for array in outputs.values()]
        for row in range(count)
    ]


def save(outputs: Mapping[str, Array], folder: Path) -> list[Path]:
    """Write each output to ``<folder>/<its name>.npy``, whole or not at all; strings as numpy's
    type of fixed length. What a name holds that no file name can is percent-encoded.

    Raises:
        SlipwayError: a file cannot be written, or strings end in NUL, which numpy drops.
    """
    arrays = {name: _storable(name, array) for name, array in outputs.items()}
    files = []
    for name, array in arrays.items():
        file = folder / f"{quote(name, safe=' ')}.npy"
        try:
            with atomic_write(file) as made, made.open("wb") as out:
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
    """Nested lists; floats with the fewest digits that give the same value in their own type."""
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
    words = [_word(element) for element in flat[:SHOWN]]
    if flat.size == 1:
        return words[0]
    more = f" … ({flat.size} elements)" if flat.size > SHOWN else ""
    return f"[{', '.join(words)}{more}]"


def _word(element: Any) -> str:
    if isinstance(element, bytes):
        try:
            return element.decode()
        except UnicodeDecodeError:
            return f"{len(element)} bytes"
    return str(element)
