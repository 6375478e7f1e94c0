"""IMAGE, the bytes of files → PIXELS for the inferencer, PROBLEM for postprocessing."""

from typing import Any

import numpy as np
import pixels
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """A file that cannot be read fails its own row; a request of nothing else fails as a whole."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response a request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        files = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy()
        rows = len(files)
        squares = np.zeros((rows, pixels.SIDE, pixels.SIDE, 3), dtype=np.uint8)
        problems = np.full((rows, 1), b"", dtype=np.object_)
        for row in range(rows):
            try:
                squares[row] = pixels.square(files[row, 0])
            except pixels.Unreadable as problem:
                problems[row, 0] = str(problem).encode()
        if rows and problems.all():
            told = "; ".join(f"IMAGE[{row}]: {problems[row, 0].decode()}" for row in range(rows))
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(told))
        return pb_utils.InferenceResponse(
            [pb_utils.Tensor("PIXELS", squares), pb_utils.Tensor("PROBLEM", problems)]
        )
