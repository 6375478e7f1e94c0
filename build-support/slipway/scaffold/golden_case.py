"""Write a golden case, or only its request, from arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from slipway.testing import golden
from slipway.triton.comparison import Tolerance

type Array = np.ndarray[Any, Any]


def write_case(
    folder: Path,
    inputs: dict[str, Array],
    outputs: dict[str, Array] | None,
    tolerance: Tolerance | None = None,
) -> None:
    """Write ``input.json`` to ``folder``, and ``expected.json`` if ``outputs`` are given.

    ``tolerance`` is that of outputs of floating-point numbers, where it is not the usual one.
    """
    folder.mkdir(parents=True)
    lines = [
        json.dumps(
            {"name": name}
            | golden.tensor_entry(golden.file_of(folder, "input", name), _bytes(array)),
            ensure_ascii=False,
        )
        for name, array in inputs.items()
    ]
    text = '{"inputs": [\n  ' + ",\n  ".join(lines) + "\n]}\n"
    (folder / golden.INPUT).write_text(text, encoding="utf-8")
    if outputs is not None:
        floats = {name for name, array in outputs.items() if array.dtype.kind == "f"}
        golden.update(
            folder,
            {name: _bytes(array) for name, array in outputs.items()},
            dict.fromkeys(floats, tolerance) if tolerance else {},
        )


def _bytes(array: Array) -> Array:
    """Return ``array`` with its strings encoded, as the server returns them."""
    if array.dtype != object:
        return array
    encoded = [text.encode() if isinstance(text, str) else text for text in array.ravel()]
    result = np.empty(array.size, dtype=object)
    result[:] = encoded
    return result.reshape(array.shape)
