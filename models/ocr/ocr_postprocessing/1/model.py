"""What recognition saw in the columns of each line → TEXT, SCORE and BOX, the answer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

LEAST = 0.5
"""The score of a line that is answered, at least."""


class TritonPythonModel:
    """Read lines: of equal characters that follow each other one, and no blanks."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the characters: the first is the blank."""
        self.characters = json.loads(Path(__file__).with_name("characters.json").read_text("utf-8"))

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        seen, chance, boxes = (
            pb_utils.get_input_tensor_by_name(request, name).as_numpy()
            for name in ("CHARACTER", "CHANCE", "BOXES")
        )
        read = [self._read(*line) for line in zip(seen[: len(boxes)], chance, strict=False)]
        kept = [n for n, (text, score) in enumerate(read) if text.strip() and score >= LEAST]
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor(
                    "TEXT", np.array([read[n][0].encode() for n in kept], dtype=np.object_)
                ),
                pb_utils.Tensor("SCORE", np.array([read[n][1] for n in kept], dtype=np.float32)),
                pb_utils.Tensor("BOX", boxes[kept].astype(np.int32).reshape(-1, 4, 2)),
            ]
        )

    def _read(self, seen: Any, chance: Any) -> tuple[str, float]:
        kept = (seen != 0) & np.concatenate([[True], seen[1:] != seen[:-1]])
        text = "".join(self.characters[number] for number in seen[kept])
        return text, float(chance[kept].mean()) if kept.any() else 0.0
