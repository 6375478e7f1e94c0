"""Read the golden cases of a model's folder: ``tests/cases/<case>/input.json``."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.model.interface import refuse_null
from slipway.triton.datatypes import BYTES, Array, numpy_type

INPUT = "input.json"


def cases(model: Path) -> list[Path]:
    """Return the case folders of a model's folder, sorted."""
    return sorted(file.parent for file in model.glob(f"tests/cases/*/{INPUT}"))


def inputs(case: Path) -> dict[str, Any]:
    """Return the inputs of a case, by name: plain values, bytes and arrays.

    Raises:
        SlipwayError: ``input.json`` is malformed, or refers to a file that is missing or
            outside the case's folder.
    """
    path = case / INPUT
    content = read(path).get("inputs")
    if isinstance(content, dict):
        return {name: _with_files(value, path) for name, value in content.items()}
    if isinstance(content, list):
        return dict(tensor(entry, path) for entry in content)
    raise SlipwayError(
        'the key "inputs" is missing', where=str(path), fix='add {"inputs": {"NAME": [values]}}'
    )


def parameters(case: Path) -> dict[str, Any]:
    """Return the parameters of a case's request, such as ``sequence_id``; empty without any.

    Raises:
        SlipwayError: ``input.json`` is malformed.
    """
    path = case / INPUT
    content = read(path).get("parameters", {})
    if not isinstance(content, dict):
        raise SlipwayError(
            'the key "parameters" is not an object',
            where=str(path),
            fix='"parameters": {"sequence_id": 7, "sequence_start": true}',
        )
    return content


def read(path: Path) -> dict[str, Any]:
    """Return the JSON object in a case's file.

    Raises:
        SlipwayError: it is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SlipwayError(
            f"not JSON: {error}", where=f"{path}{line}", fix="mend the place named above"
        ) from error
    if not isinstance(content, dict):
        raise SlipwayError("not a JSON object", where=str(path), fix='begin it with "{"')
    return content


def _with_files(value: Any, path: Path) -> Any:
    if isinstance(value, list):
        return [_with_files(element, path) for element in value]
    if isinstance(value, dict):
        if set(value) == {"base64"}:
            return base64.b64decode(value["base64"])
        if set(value) == {"file"}:
            return _bytes(str(value["file"]), path)
        raise SlipwayError(f"not a value: {value}", where=str(path), fix='{"file": "photo.jpg"}')
    return value


def _bytes(name: str, path: Path) -> bytes:
    case = path.parent.resolve()
    file = (case / name).resolve()
    if not file.is_relative_to(case):
        raise SlipwayError(
            f"{name!r} is outside the case's folder",
            where=str(path),
            fix="copy the file to the folder of input.json",
        )
    try:
        return file.read_bytes()
    except OSError as error:
        raise SlipwayError(
            f"{name!r} cannot be read: {error.strerror}",
            where=str(path),
            fix="copy the file to the folder of input.json",
        ) from error


def tensor(entry: Any, path: Path) -> tuple[str, Array]:
    """Return the name and array of a tensor in KServe v2's JSON; its data is flat or nested.

    Raises:
        SlipwayError: it is none, or a file that it names cannot be read.
    """
    try:
        name, datatype = str(entry["name"]), str(entry["datatype"])
        data = _with_files(entry["data"], path)
        if not isinstance(data, bytes):
            refuse_null(name, data, datatype)
        return name, _as_array(data, datatype, entry["shape"])
    except SlipwayError as error:
        error.where = error.where or str(path)
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise SlipwayError(
            f"not a KServe v2 tensor: {error!r}",
            where=str(path),
            fix='{"name": "X", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 2.0]}',
        ) from error


def _as_array(data: Any, datatype: str, shape: list[int]) -> Array:
    if datatype != BYTES and isinstance(data, bytes):
        loaded: Array = np.load(io.BytesIO(data), allow_pickle=False)
        if loaded.dtype != numpy_type(datatype):
            raise ValueError(f"its file contains {loaded.dtype}")
        return loaded.reshape(shape)
    if datatype != BYTES:
        return np.array(data, dtype=numpy_type(datatype)).reshape(shape)
    flat = np.array(data, dtype=object).ravel()
    encoded = [text.encode() if isinstance(text, str) else text for text in flat]
    return np.array(encoded, dtype=object).reshape(shape)
