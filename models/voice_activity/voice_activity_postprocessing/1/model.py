"""PROBABILITY and SAMPLES of a chunk → where speech begins and ends in its sequence."""

from typing import Any

import numpy as np
import speech
import triton_python_backend_utils as pb_utils

SEQUENCES = 10_000
"""Of so many, that which was heard of longest ago is forgotten: its client never ended it."""


class TritonPythonModel:
    """Remembers each sequence from its first chunk to its last."""

    def initialize(self, args: dict[str, str]) -> None:
        """Begin without sequences."""
        self.sequences: dict[Any, speech.Speech] = {}

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        probability = pb_utils.get_input_tensor_by_name(request, "PROBABILITY").as_numpy()
        samples = int(pb_utils.get_input_tensor_by_name(request, "SAMPLES").as_numpy()[0])
        starts = request.flags() & pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_START
        ends = request.flags() & pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_END
        key = request.correlation_id()
        heard = None if starts else self.sequences.pop(key, None)
        heard = heard or speech.Speech()
        if not ends and (samples == 0 or samples % speech.FRAME):
            message = (
                f"AUDIO has {samples} samples: each chunk of a sequence but the last has a"
                f" multiple of {speech.FRAME}"
            )
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
        length = heard.position + samples
        for frame in probability:
            heard.hear(float(frame))
        if ends:
            heard.close(length)
        else:
            self._remember(key, heard)
        begins, ended = heard.take()
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("PROBABILITY", probability),
                pb_utils.Tensor("BEGINS", np.array(begins, dtype=np.int64)),
                pb_utils.Tensor("ENDS", np.array(ended, dtype=np.int64)),
            ]
        )

    def _remember(self, key: Any, heard: speech.Speech) -> None:
        self.sequences[key] = heard  # the last key of the dictionary
        if len(self.sequences) > SEQUENCES:
            del self.sequences[next(iter(self.sequences))]
