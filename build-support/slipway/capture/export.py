"""Turn captured requests into rows for other programs, and into golden cases."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slipway.capture.record import CapturedRequest
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.triton.datatypes import BYTES, Array, datatype_of

JSONL, NPZ = ".jsonl", ".npz"


def write_rows(requests: Iterable[CapturedRequest], output: Path) -> tuple[int, list[str]]:
    """Write the rows of requests to ``output``; return their number, and the tensors that are left
    out because they were redacted.

    ``.jsonl`` has one object for each row, by tensor; bytes that are not text are
    ``{"base64": …}``. ``.npz`` has one array for each tensor, with the rows first.

    Raises:
        SlipwayError: the file's kind is another, there are no rows, or tensors do not fit together.
    """
    if output.suffix not in (JSONL, NPZ):
        raise SlipwayError(
            f"rows cannot be written as {output.suffix or 'a file without an ending'}",
            where=str(output),
            fix="a name that ends with .jsonl or .npz",
        )
    arrays: dict[str, list[Array]] = {}
    redacted: set[str] = set()
    rows = 0
    lines: list[str] = []
    for request in requests:
        redacted |= set(request.redacted)
        tensors = {
            name: np.atleast_1d(array)
            for name, array in {**request.outputs, **request.inputs}.items()
            if name not in request.redacted
        }
        count = len(next(iter(tensors.values()), ()))
        if any(len(array) != count for array in tensors.values()):
            raise SlipwayError(
                f"the tensors of the request {request.event_id} differ in their rows",
                fix="export models that take batches: their tensors have one row for each item",
            )
        rows += count
        if output.suffix == JSONL:
            for row in range(count):
                values = {name: plain(array[row]) for name, array in tensors.items()}
                lines.append(json.dumps(values, ensure_ascii=False) + "\n")
        else:
            for name, array in tensors.items():
                arrays.setdefault(name, []).append(array)
    if not rows:
        raise SlipwayError(
            "no rows: nothing was captured, or all of it is redacted",
            fix="slipway capture list shows what was captured, and what is redacted",
        )
    data = "".join(lines).encode() if output.suffix == JSONL else _npz(arrays, rows)
    with atomic_write(output) as temporary:
        temporary.write_bytes(data)
    return rows, sorted(redacted)


def write_case(request: CapturedRequest, folder: Path) -> Path:
    """Write the inputs of a request as a golden case below the model's ``folder``; return it. Its
    expected answer is what a run records.

    Raises:
        SlipwayError: a tensor was redacted, the folder exists, or a type has no name in Triton.
    """
    lost = [name for name in request.redacted if name not in request.outputs]
    if any(name in request.inputs for name in request.redacted) or lost:
        names = ", ".join(sorted(request.redacted))
        raise SlipwayError(
            f"the request is not whole: redacted are {names}",
            fix="choose a request of a model whose inputs are captured whole",
        )
    case = folder / "tests" / "cases" / f"captured_{request.event_id[:8]}"
    if case.exists():
        raise SlipwayError("the case exists already", where=str(case), fix="remove it first")
    content: dict[str, Any] = {
        "inputs": [_entry(name, array) for name, array in request.inputs.items()]
    }
    parameters = {k: v for k, v in request.parameters.items() if k != "binary_data_output"}
    if parameters:
        content["parameters"] = parameters
    with atomic_write(case) as temporary:
        temporary.mkdir()
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (temporary / "input.json").write_text(text, encoding="utf-8")
    return case


def _entry(name: str, array: Array) -> dict[str, Any]:
    datatype = BYTES if array.dtype == np.object_ else datatype_of(array)
    if datatype is None:
        raise SlipwayError(f"{name!r}: Triton has no type for numpy's {array.dtype}")
    data = [plain(element) for element in array.ravel()]
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": data}


def plain(value: Any) -> Any:
    """Return JSON values of a row: NaN, which JSON does not have, is ``null``."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, np.ndarray):
        return [plain(element) for element in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _npz(arrays: Mapping[str, list[Array]], rows: int) -> bytes:
    whole: dict[str, Array] = {}
    for name, parts in arrays.items():
        try:
            array = np.concatenate(parts)
        except ValueError as error:
            raise SlipwayError(
                f"{name!r}: its rows differ in shape", fix="write rows.jsonl instead"
            ) from error
        if len(array) != rows:
            raise SlipwayError(f"{name!r} is not in every request", fix="write rows.jsonl instead")
        whole[name] = _text(name, array) if array.dtype == np.object_ else array
    out = io.BytesIO()
    np.savez(out, **whole)
    return out.getvalue()


def _text(name: str, array: Array) -> Array:
    """Return strings as numpy's own, which need no pickle."""
    try:
        texts = np.array([element.decode() for element in array.ravel()], dtype=np.str_)
    except UnicodeDecodeError as error:
        raise SlipwayError(
            f"{name!r} holds bytes that are not text", fix="write rows.jsonl instead"
        ) from error
    return texts.reshape(array.shape)
