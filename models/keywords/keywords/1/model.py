"""Find the words that occur most in a text: TEXT, UTF-8 → KEYWORDS, the commonest first."""

from collections import Counter
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
import words

NUMBER = 5
"""Of a text with fewer words, the rest is empty."""

SHORTEST = 4
"""Letters. Shorter words are mostly articles, pronouns and prepositions."""


class TritonPythonModel:
    """Count the words of each text with the package that all models of text share."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        texts = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()
        try:
            found = [_keywords(words.split(words.decode(text))) for text in texts[:, 0]]
        except words.Unreadable as problem:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"TEXT: {problem}"))
        rows = np.array(found, dtype=np.object_).reshape(len(texts), NUMBER)
        return pb_utils.InferenceResponse([pb_utils.Tensor("KEYWORDS", rows)])


def _keywords(found: list[str]) -> list[bytes]:
    counts = Counter(word for word in found if len(word) >= SHORTEST)
    # of equally common words, the first in the alphabet: an answer depends on nothing else
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[:NUMBER]
    return [word.encode() for word in ranked] + [b""] * (NUMBER - len(ranked))
