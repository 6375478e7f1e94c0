"""IMAGE, the bytes of a file → PIXELS for detection, PHOTO and FRAME for what cuts lines."""

from typing import Any

import numpy as np
import picture
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Decode and scale pictures."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        file = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy()[0]
        try:
            read = picture.read(file)
        except picture.Unreadable as problem:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"IMAGE: {problem}"))
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("PIXELS", np.ascontiguousarray(read.pixels)),
                pb_utils.Tensor("PHOTO", np.ascontiguousarray(read.photo)),
                pb_utils.Tensor("FRAME", read.frame),
            ]
        )
