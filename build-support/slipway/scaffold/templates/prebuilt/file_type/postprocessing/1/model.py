"""CHANCE of each type and KNOWN types → TYPE, SCORE and MIME, the ensemble's outputs.

The rules are Magika's (magika/magika.py, _get_output_label_from_dl_label_and_score), with its
default mode HIGH_CONFIDENCE.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Answer a type, or only "txt" or "unknown" where the score is too low for it."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the types and their thresholds."""
        self.types = json.loads(Path(__file__).with_name("types.json").read_text("utf-8"))
        self.text = frozenset(self.types["text"])

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        chance = pb_utils.get_input_tensor_by_name(request, "CHANCE").as_numpy()
        known = pb_utils.get_input_tensor_by_name(request, "KNOWN").as_numpy()
        answers = [
            (label.decode(), 1.0) if label else self._best(row)
            for label, row in zip(known[:, 0], chance, strict=True)
        ]
        types = [[label.encode()] for label, _ in answers]
        mime = [[self.types["mime"][label].encode()] for label, _ in answers]
        scores = [[score] for _, score in answers]
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("TYPE", np.array(types, dtype=np.object_)),
                pb_utils.Tensor("SCORE", np.array(scores, dtype=np.float32)),
                pb_utils.Tensor("MIME", np.array(mime, dtype=np.object_)),
            ]
        )

    def _best(self, chance: Any) -> tuple[str, float]:
        number = int(np.argmax(chance))
        seen: str = self.types["labels"][number]
        label: str = self.types["overwrite"].get(seen, seen)
        score = float(chance[number])
        if score < self.types["thresholds"].get(seen, self.types["threshold"]):
            label = "txt" if label in self.text else "unknown"
        return label, score
