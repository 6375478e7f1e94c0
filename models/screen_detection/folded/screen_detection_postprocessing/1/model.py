"""RAW_SCORE and PROBLEM → SCORE, LABEL and ERROR, the answer of the ensemble."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

NO_SCORE = np.float32(-1)
"""Of a row that could not be read: outside 0–1, and JSON knows no NaN."""


class TritonPythonModel:
    """Labels a score by the threshold that training calibrated; see threshold.json."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the threshold, a probability in 0–1."""
        calibrated = json.loads(Path(__file__).with_name("threshold.json").read_text())
        self.threshold = float(calibrated["threshold"])

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response a request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        score = pb_utils.get_input_tensor_by_name(request, "RAW_SCORE").as_numpy()
        problem = pb_utils.get_input_tensor_by_name(request, "PROBLEM").as_numpy()
        bad = problem.astype(np.bool_)
        label = np.where(score >= self.threshold, b"screen", b"document")
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("SCORE", np.where(bad, NO_SCORE, score)),
                pb_utils.Tensor("LABEL", np.where(bad, b"", label).astype(np.object_)),
                pb_utils.Tensor("ERROR", problem),
            ]
        )
