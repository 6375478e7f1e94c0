"""Weigh the adjectives of a French text: TEXT, UTF-8 → LABEL, POLARITY and KNOWN_WORDS."""

from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
import words
from lexicon import Lexicon

CLEAR = 0.1
"""Polarity from which on a text is positive, as in pattern's `positive`. Negative mirrors it."""


class TritonPythonModel:
    """Scores each text by itself; the lexicon is read once."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the lexicon."""
        self.lexicon = Lexicon(Path(__file__).with_name("lexicon.tsv"))

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        texts = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()
        try:
            scores = [self.lexicon.score(words.decode(text)) for text in texts[:, 0]]
        except words.Unreadable as problem:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"TEXT: {problem}"))
        labels = [[_label(score.polarity)] for score in scores]
        polarity = np.array([[score.polarity] for score in scores], dtype=np.float32)
        known = np.array([[score.known] for score in scores], dtype=np.int32)
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("LABEL", np.array(labels, dtype=np.object_).reshape(-1, 1)),
                pb_utils.Tensor("POLARITY", polarity.reshape(-1, 1)),
                pb_utils.Tensor("KNOWN_WORDS", known.reshape(-1, 1)),
            ]
        )


def _label(polarity: float) -> bytes:
    if polarity >= CLEAR:
        return b"positive"
    return b"negative" if polarity <= -CLEAR else b"neutral"
