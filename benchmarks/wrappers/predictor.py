"""The sample model in one process: its own preprocessing, its own graph, its own threshold."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

MODEL = Path(os.environ["BENCHMARK_MODEL"])
"""The unpacked artifact."""
sys.path.insert(0, str(MODEL / "screen_detection_preprocessing" / "1"))

import pixels  # type: ignore[import-not-found]  # noqa: E402


@dataclass(frozen=True)
class Answer:
    """What a request for one photograph gets."""

    score: float
    label: str


class Predictor:
    """Holds the session; may be called from several threads."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        # as many workers as cores: more threads would only take turns
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        graph = MODEL / "screen_detection_inferencer" / "1" / "model.onnx"
        self.session = ort.InferenceSession(str(graph), options, ["CPUExecutionProvider"])
        calibrated = MODEL / "screen_detection_postprocessing" / "1" / "threshold.json"
        self.threshold = float(json.loads(calibrated.read_text())["threshold"])

    def __call__(self, photograph: bytes) -> Answer:
        """Score one JPEG or PNG file."""
        square = pixels.square(photograph)
        (scores,) = self.session.run(["SCORE"], {"PIXELS": square[None]})
        score = float(scores[0, 0])
        return Answer(score, "screen" if score >= self.threshold else "document")
