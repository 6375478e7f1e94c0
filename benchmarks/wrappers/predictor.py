"""The sample model in one process: its own preprocessing, its own graph, its own threshold."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

MODEL = Path(os.environ["BENCHMARK_MODEL"])
"""The unpacked artifact."""
SOURCE = Path(os.environ["BENCHMARK_SOURCE"])
"""The model's folder."""
PLANES = "planes"
FOLDED = "fold/"
"""Begins the names of what slipway fold added to the graph."""
RAW = "raw/SCORE"
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
    Pillow, normalisation to FP32 planes in Python and ONNX Runtime as it comes. ``tuned``: UINT8
    into the graph, one thread for each of the workers, and Pillow without needless copies.
    ``same``: tuned, with the quicker decoder of JPEG that Slipway's model has as well. In one
    process the threshold costs nothing, so all apply it in Python.
    """

    def __init__(self) -> None:
        wrapper = os.environ["BENCHMARK_WRAPPER"]
        self.plain = wrapper == "plain"
        if wrapper != "same":
            pixels.simplejpeg.decode_jpeg = _no_decoder
        graph = MODEL / "screen_detection_inferencer" / "1" / "model.onnx"
        options = ort.SessionOptions()
        model = _without_postprocessing(onnx.load(str(graph)))
        if self.plain:
            _take_planes(model)
        else:
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(
            model.SerializeToString(), options, ["CPUExecutionProvider"]
        )
        folded = SOURCE / "folded" / "screen_detection_postprocessing"
        calibrated = folded / "1" / "threshold.json"
        self.threshold = float(json.loads(calibrated.read_text())["threshold"])

    def __call__(self, photograph: bytes) -> Answer:
        """Score one JPEG or PNG file."""
        if self.plain:
            planes = (_square(photograph).astype(np.float32) / 255).transpose(2, 0, 1)
            (scores,) = self.session.run([RAW], {PLANES: planes[None]})
        else:
            square = pixels.square(photograph)
            (scores,) = self.session.run([RAW], {"PIXELS": square[None]})
        score = float(scores[0, 0])
        return Answer(score, "screen" if score >= self.threshold else "document")


def _no_decoder(*_: object, **__: object) -> Any:
    """As the quicker decoder refuses a file: Pillow decodes it then."""
    raise ValueError


def _square(photograph: bytes) -> Any:
    """The pixels at the centre, by Pillow alone."""
    with Image.open(io.BytesIO(photograph)) as image:
        left, top = (image.width - pixels.SIDE) // 2, (image.height - pixels.SIDE) // 2
        square = image.convert("RGB").crop((left, top, left + pixels.SIDE, top + pixels.SIDE))
        return np.asarray(square)


def _without_postprocessing(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network alone, as its training exported it."""
    graph = model.graph
    fields: tuple[Any, ...] = (graph.node, graph.initializer)
    for field in fields:
        kept = [entry for entry in field if not entry.name.startswith(FOLDED)]
        del field[:]
        field.extend(kept)
    del graph.input[1:]
    del graph.output[:]
    shape: list[str | int | None] = ["batch", 1]
    graph.output.append(helper.make_tensor_value_info(RAW, TensorProto.FLOAT, shape))
    onnx.checker.check_model(model)
    return model


def _take_planes(model: onnx.ModelProto) -> None:
    """Make the network what it would be without arithmetic of ours in the graph.

    Its input is FP32 [batch, 3, height, width] in 0–1 instead of UINT8 [batch, height, width, 3].
    """
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
