"""MAP of detection, PHOTO and FRAME → LINES and WIDTHS for recognition, BOXES for the answer."""

from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from cut import cut_lines
from lines import find_lines

MOST = 500
"""Lines of a picture; the memory of recognition grows with their number."""


class TritonPythonModel:
    """Find lines, and cut them out."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        chance, photo, frame = (
            pb_utils.get_input_tensor_by_name(request, name).as_numpy()
            for name in ("MAP", "PHOTO", "FRAME")
        )
        boxes = find_lines(chance, photo.shape[1], photo.shape[0])
        if len(boxes) > MOST:
            message = f"IMAGE has {len(boxes)} lines of text, more than {MOST}: send it in parts"
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
        lines, widths = cut_lines(photo, boxes)
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("LINES", lines),
                pb_utils.Tensor("WIDTHS", widths),
                pb_utils.Tensor("BOXES", _in_file(boxes, frame)),
            ]
        )


def _in_file(boxes: Any, frame: Any) -> Any:
    """Return the corners in pixels of the file, INT32 [lines, 4, 2]."""
    ratio, top, size = frame[:2], np.array([0, frame[2]]), frame[3:]
    return np.round(np.clip((boxes - top) * ratio, 0, size)).astype(np.int32)
