"""Turn the columns that clients send into the inferencer's inputs."""

from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

NAMES = [
    "sex",
    "age",
    "class",
    "embarked",
    "fare",
    "sibsp",
    "parch",
]
# what a request without the column gets, in every row
MISSING: dict[str, Any] = {
    "sex": b"",
    "age": np.nan,
    "class": b"",
    "embarked": b"",
    "fare": np.nan,
    "sibsp": np.nan,
    "parch": np.nan,
}


class TritonPythonModel:
    """Fill in the columns that are missing. Add the preprocessing here."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        given = _given(request)
        if not given:
            error = pb_utils.TritonError("the request has no column: send at least one")
            return pb_utils.InferenceResponse(error=error)
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("sex", _column(given, "sex", np.object_)),
                pb_utils.Tensor("age", _column(given, "age", np.float32)),
                pb_utils.Tensor("class", _column(given, "class", np.object_)),
                pb_utils.Tensor("embarked", _column(given, "embarked", np.object_)),
                pb_utils.Tensor("fare", _column(given, "fare", np.float32)),
                pb_utils.Tensor("sibsp", _column(given, "sibsp", np.float32)),
                pb_utils.Tensor("parch", _column(given, "parch", np.float32)),
            ]
        )


def _given(request: Any) -> dict[str, Any]:
    """Return the columns that the request has."""
    tensors = {name: pb_utils.get_input_tensor_by_name(request, name) for name in NAMES}
    return {name: tensor.as_numpy() for name, tensor in tensors.items() if tensor is not None}


def _column(given: dict[str, Any], name: str, dtype: Any) -> Any:
    """Return a column, filled in if it is missing: [rows, 1]."""
    if name in given:
        return given[name]
    rows = len(next(iter(given.values())))
    return np.full((rows, 1), MISSING[name], dtype=dtype)
