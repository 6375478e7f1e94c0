"""CONTENT, the bytes of files → BYTES for the network, and KNOWN types for postprocessing."""

from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from features import features


class TritonPythonModel:
    """Take the beginning and the end of each file."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        files = pb_utils.get_input_tensor_by_name(request, "CONTENT").as_numpy()[:, 0]
        rows = [features(file) for file in files]
        known = np.array([[label] for _, label in rows], dtype=np.object_)
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("BYTES", np.stack([numbers for numbers, _ in rows])),
                pb_utils.Tensor("KNOWN", known),
            ]
        )
