"""Compare and update golden cases: ``input.json`` and the model's ``expected.json``."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.model.cases import INPUT, cases, inputs, parameters, read, tensor
from slipway.server.client import InferenceError
from slipway.testing.model import Model
from slipway.triton.comparison import TOLERANCES, Tolerance, compare_outputs
from slipway.triton.datatypes import Array, datatype_of

__all__ = [
    "EXPECTED",
    "INPUT",
    "LARGEST_IN_JSON",
    "Outcome",
    "cases",
    "differences",
    "expected_error",
    "file_of",
    "inputs",
    "outcome",
    "parameters",
    "tensor_entry",
    "update",
]

EXPECTED = "expected.json"
# a tensor with more elements is stored as a .npy file in the case's folder
LARGEST_IN_JSON = 4096

type Outcome = dict[str, Array] | str
"""The outputs by name, or the message of an error."""


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
    message = read(path).get("error") if path.is_file() else None
    return None if message is None else str(message)


def expected_outputs(case: Path) -> dict[str, Array] | None:
    """Return the outputs that a case expects; ``None`` if it expects an error, or nothing yet.

    Raises:
        SlipwayError: ``expected.json`` is malformed.
    """
    path = case / EXPECTED
    expected = read(path) if path.is_file() else {"error": ""}
    return None if "error" in expected else _outputs(expected, path)


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
    expected = read(path)
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
    previous = read(path) if path.is_file() else {}
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


def _outputs(expected: dict[str, Any], path: Path) -> dict[str, Array]:
    outputs = expected.get("outputs")
    if not isinstance(outputs, dict):
        raise SlipwayError(
            'it has neither "outputs" nor "error"', where=str(path), fix='add {"outputs": {…}}'
        )
    return dict(tensor({"name": name} | entry, path) for name, entry in outputs.items())


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
