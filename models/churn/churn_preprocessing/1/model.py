"""Turn what is known of customers into the numbers that the forest was trained on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

# each column's categories in the order of their codes, none of numbers: training/train.py
COLUMNS: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "categories.json").read_text(encoding="utf-8")
)


class TritonPythonModel:
    """Join the columns; a missing column or an empty text is a missing value, NaN."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        tensors = {name: pb_utils.get_input_tensor_by_name(request, name) for name in COLUMNS}
        given = {name: tensor.as_numpy() for name, tensor in tensors.items() if tensor is not None}
        if not given:
            error = pb_utils.TritonError("the request has no column: send at least one")
            return pb_utils.InferenceResponse(error=error)
        rows = len(next(iter(given.values())))
        try:
            table = [_column(name, given.get(name), rows) for name in COLUMNS]
        except ValueError as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))
        joined = np.concatenate(table, axis=1).astype(np.float32)
        return pb_utils.InferenceResponse([pb_utils.Tensor("input", joined)])


def _column(name: str, values: Any, rows: int) -> Any:
    """Return a column as numbers, [rows, 1]."""
    if values is None:
        return np.full((rows, 1), np.nan)
    if not COLUMNS[name]:
        return values
    codes = [[_code(name, value) for value in row] for row in values]
    return np.array(codes, dtype=np.float64)


def _code(name: str, value: bytes) -> float:
    text = value.decode()
    if not text:
        return float("nan")
    if text not in COLUMNS[name]:
        raise ValueError(f"{name} is {text!r}: one of {', '.join(COLUMNS[name])}")
    return float(COLUMNS[name].index(text))
