"""IMAGE, the bytes of files → PIXELS for the inferencer, PROBLEM for postprocessing."""

from typing import Any

import numpy as np
import pixels
import triton_python_backend_utils as pb_utils

NOTHING = np.zeros((pixels.SIDE, pixels.SIDE, 3), dtype=np.uint8)
"""The square of a file that cannot be read: its row passes through the network all the same."""


class TritonPythonModel:
    """A file that cannot be read fails its own row; a request of nothing else fails as a whole."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response a request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        files = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy()[:, 0]
        squares: list[Any] = []
        problems: list[bytes] = []
        for file in files:
            try:
                squares.append(pixels.square(file))
                problems.append(b"")
            except pixels.Unreadable as problem:
                squares.append(NOTHING)
                problems.append(str(problem).encode())
        if all(problems):
            told = "; ".join(f"IMAGE[{row}]: {why.decode()}" for row, why in enumerate(problems))
            error = pb_utils.TritonError(told or "IMAGE holds no file")
            return pb_utils.InferenceResponse(error=error)
        # a single square is handed on as it is: copying it costs a tenth of its decoding
        batch = squares[0][np.newaxis] if len(squares) == 1 else np.stack(squares)
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("PIXELS", batch),
                pb_utils.Tensor("PROBLEM", np.array(problems, dtype=np.object_)[:, np.newaxis]),
            ]
        )
