"""Estimate how long a text takes to read: TEXT, UTF-8 → WORDS and MINUTES."""

from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
import words

WORDS_A_MINUTE = 238
"""Silent reading of English prose by adults. Source: Brysbaert, Journal of Memory and Language 109,
2019."""


class TritonPythonModel:
    """Count the words of each text with the package that all models of text share."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        texts = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()
        try:
            counts = [[len(words.split(words.decode(text)))] for text in texts[:, 0]]
        except words.Unreadable as problem:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"TEXT: {problem}"))
        number = np.array(counts, dtype=np.int32).reshape(len(texts), 1)
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("WORDS", number),
                pb_utils.Tensor("MINUTES", (number / WORDS_A_MINUTE).astype(np.float32)),
            ]
        )
