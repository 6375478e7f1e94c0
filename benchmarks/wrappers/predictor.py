"""The sample model in one process: its own preprocessing, its own graph, its own threshold."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

MODEL = Path(os.environ["BENCHMARK_MODEL"])
"""The unpacked artifact."""
PLANES = "planes"
sys.path.insert(0, str(MODEL / "screen_detection_preprocessing" / "1"))

import pixels  # type: ignore[import-not-found]  # noqa: E402


@dataclass(frozen=True)
class Answer:
    """What a request for one photograph gets."""

    score: float
    label: str


class Predictor:
    """Holds the session; may be called from several threads.

    ``BENCHMARK_WRAPPER`` says how it is written. ``plain``: as wrappers are written by hand, with
    normalisation to FP32 planes in Python and ONNX Runtime as it comes. ``tuned``: with what
    Slipway's model does for it, UINT8 into the graph, and one thread for each of the workers.
    """

    def __init__(self) -> None:
        self.plain = os.environ["BENCHMARK_WRAPPER"] == "plain"
        graph = MODEL / "screen_detection_inferencer" / "1" / "model.onnx"
        options = ort.SessionOptions()
        model = graph.read_bytes()
        if self.plain:
            model = _with_planes(model)
        else:
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(model, options, ["CPUExecutionProvider"])
        calibrated = MODEL / "screen_detection_postprocessing" / "1" / "threshold.json"
        self.threshold = float(json.loads(calibrated.read_text())["threshold"])

    def __call__(self, photograph: bytes) -> Answer:
        """Score one JPEG or PNG file."""
        square = pixels.square(photograph)
        if self.plain:
            planes = (square.astype(np.float32) / 255).transpose(2, 0, 1)
            (scores,) = self.session.run(["SCORE"], {PLANES: planes[None]})
        else:
            (scores,) = self.session.run(["SCORE"], {"PIXELS": square[None]})
        score = float(scores[0, 0])
        return Answer(score, "screen" if score >= self.threshold else "document")


def _with_planes(graph: bytes) -> bytes:
    """The same network as it would be exported without arithmetic of ours in the graph.

    Its input is FP32 [batch, 3, height, width] in 0–1 instead of UINT8 [batch, height, width, 3].
    """
    model = onnx.load_from_string(graph)
    transpose, cast, *rest = model.graph.node
    if (transpose.op_type, cast.op_type, rest[0].op_type) != ("Transpose", "Cast", "Conv"):
        raise SystemExit("the sample model's graph begins in another way than it did")
    kernel = next(w for w in model.graph.initializer if w.name == rest[0].input[1])
    kernel.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(kernel) * 255, kernel.name))
    rest[0].input[0] = PLANES
    height, width, channels = (
        d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim[1:]
    )
    shape: list[str | int | None] = ["batch", channels, height, width]
    planes = helper.make_tensor_value_info(PLANES, TensorProto.FLOAT, shape)
    model.graph.input[0].CopyFrom(planes)
    del model.graph.node[:2]
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
