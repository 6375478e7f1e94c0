"""Read, compare and update golden cases: ``input.json`` and the model's ``expected.json``."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.model.interface import refuse_null
from slipway.server.client import InferenceError
from slipway.testing.model import Model
from slipway.triton.comparison import TOLERANCES, Tolerance, compare_outputs
from slipway.triton.datatypes import BYTES, Array, datatype_of, numpy_type

INPUT = "input.json"
EXPECTED = "expected.json"
# a tensor with more elements is stored as a .npy file in the case's folder
LARGEST_IN_JSON = 4096

type Outcome = dict[str, Array] | str
"""The outputs by name, or the message of an error."""


def cases(model: Path) -> list[Path]:
    """Return the case folders of a model's folder, sorted."""
    return sorted(file.parent for file in model.glob(f"tests/cases/*/{INPUT}"))


def inputs(case: Path) -> dict[str, Any]:
    """Return the inputs of a case, as :class:`Model` accepts them.

    Raises:
        SlipwayError: ``input.json`` is malformed, or refers to a file that is missing or
            outside the case's folder.
    """
    path = case / INPUT
    content = _read(path).get("inputs")
    if isinstance(content, dict):
        return {name: _with_files(value, path) for name, value in content.items()}
    if isinstance(content, list):
        return dict(_tensor(entry, path) for entry in content)
    raise SlipwayError(
        'the key "inputs" is missing', where=str(path), fix='add {"inputs": {"NAME": [values]}}'
    )


def parameters(case: Path) -> dict[str, Any]:
    """Return the parameters of a case's request, such as ``sequence_id``; empty without any.

    Raises:
        SlipwayError: ``input.json`` is malformed.
    """
    path = case / INPUT
    content = _read(path).get("parameters", {})
    if not isinstance(content, dict):
        raise SlipwayError(
            'the key "parameters" is not an object',
            where=str(path),
            fix='"parameters": {"sequence_id": 7, "sequence_start": true}',
        )
    return content


def outcome(model: Model, case: Path) -> Outcome:
    """Return the model's answer to the case.

    Raises:
        SlipwayError: as :func:`inputs`.
    """
    try:
        return model(inputs(case), parameters(case))
    except InferenceError as error:
        return error.what


def expected_error(case: Path) -> str | None:
    """Return the part of an error's message that the case expects, or ``None``.

    ``None`` means that the case expects outputs, or has no ``expected.json`` yet.

    Raises:
        SlipwayError: ``expected.json`` is malformed.
    """
    path = case / EXPECTED
    message = _read(path).get("error") if path.is_file() else None
    return None if message is None else str(message)


def differences(case: Path, got: Outcome) -> list[str]:
    """Return how ``got`` differs from what the case expects; empty if it agrees.

    Raises:
        SlipwayError: ``expected.json`` is missing or malformed.
    """
    path = case / EXPECTED
    if not path.is_file():
        raise SlipwayError(
            f"the case has no {EXPECTED}",
            where=str(case),
            fix="write it with `slipway test --update-golden`, and review it before you commit",
        )
    expected = _read(path)
    if "error" in expected:
        if not isinstance(got, str):
            return [f"expected an error with {expected['error']!r}, got outputs {sorted(got)}"]
        return [] if expected["error"] in got else [f"expected {expected['error']!r} in: {got}"]
    if isinstance(got, str):
        return [f"expected outputs, got the error: {got}"]
    return compare_outputs(_outputs(expected, path), got, _tolerances(expected))


def update(
    case: Path, got: Outcome, tolerances: Mapping[str, Tolerance] | None = None
) -> list[str]:
    """Make ``got`` what the case expects, keeping tolerances; return what changed.

    A file that already agrees is not rewritten. ``tolerances`` are those of a new file's outputs.

    Raises:
        SlipwayError: the existing ``expected.json`` is malformed.
    """
    path = case / EXPECTED
    previous = _read(path) if path.is_file() else {}
    changed = differences(case, got) if previous else [f"{EXPECTED} is new"]
    if changed:
        with atomic_write(path) as temporary:
            chosen = {
                name: {"atol": tolerance.absolute, "rtol": tolerance.relative}
                for name, tolerance in (tolerances or {}).items()
            }
            text = _render(got, chosen | previous.get("outputs", {}), case)
            temporary.write_text(text, encoding="utf-8")
    return changed


def tensor_entry(file: Path, array: Array) -> dict[str, Any]:
    """Return the tensor's JSON entry; a large one is written to ``file``, which the entry names."""
    header = {"shape": list(array.shape), "datatype": datatype_of(array)}
    if array.size <= LARGEST_IN_JSON or array.dtype == object:
        return header | {"data": _data(array)}
    np.save(file, array, allow_pickle=False)
    return header | {"data": {"file": file.name}}


def file_of(case: Path, side: str, name: str) -> Path:
    """Where a large tensor of a case lies; ``side`` is "input" or "expected"."""
    return case / f"{side}_{quote(name, safe='')}.npy"


def _read(path: Path) -> dict[str, Any]:
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


def _tensor(entry: Any, path: Path) -> tuple[str, Array]:
    """Return the name and array of a tensor in KServe v2's JSON; its data is flat or nested."""
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


def _outputs(expected: dict[str, Any], path: Path) -> dict[str, Array]:
    outputs = expected.get("outputs")
    if not isinstance(outputs, dict):
        raise SlipwayError(
            'it has neither "outputs" nor "error"', where=str(path), fix='add {"outputs": {…}}'
        )
    return dict(_tensor({"name": name} | entry, path) for name, entry in outputs.items())


def _tolerances(expected: dict[str, Any]) -> dict[str, Tolerance]:
    chosen = {}
    for name, entry in expected["outputs"].items():
        if "atol" in entry or "rtol" in entry:
            absolute, relative = TOLERANCES.get(entry["datatype"], (0, 0))
            chosen[name] = Tolerance(entry.get("atol", absolute), entry.get("rtol", relative))
    return chosen


def _render(got: Outcome, previous: Mapping[str, Any], case: Path) -> str:
    """Return the file's text with one output per line, so that git shows one line per change."""
    if isinstance(got, str):
        return json.dumps({"error": got}, ensure_ascii=False, indent=2) + "\n"
    lines = []
    for name, array in sorted(got.items()):
        tolerances = {
            key: v for key, v in previous.get(name, {}).items() if key in ("atol", "rtol")
        }
        described = tensor_entry(file_of(case, "expected", name), array)
        data = described.pop("data")
        text = json.dumps(described | tolerances | {"data": data}, ensure_ascii=False)
        lines.append(f"    {json.dumps(name)}: {text}")
    return '{\n  "outputs": {\n' + ",\n".join(lines) + "\n  }\n}\n"


def _data(array: Array) -> list[Any]:
    if array.dtype == object:
        return [_json_text(element) for element in array.ravel()]
    if array.dtype.kind == "f":
        # the shortest digits that give the same value in the array's own precision
        return [float(str(element)) for element in array.ravel()]
    return list(array.ravel().tolist())


def _json_text(element: bytes) -> str | dict[str, str]:
    try:
        return element.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(element).decode()}
