"""Postprocessings as code, and ensembles around them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from slipway.fold.python_model import PythonModel

BATCH = 8
CODE = """\
import json
from pathlib import Path
import numpy as np
import triton_python_backend_utils as pb_utils
{head}

class TritonPythonModel:
    def initialize(self, args):
{initialise}

    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
{inputs}
{body}
        return pb_utils.InferenceResponse([{outputs}])
"""
type Tensors = dict[str, tuple[str, list[int]]]


def write_step(
    folder: Path,
    inputs: Tensors,
    outputs: Tensors,
    body: str,
    *,
    initialise: str = "pass",
    head: str = "",
    batch: int = BATCH,
) -> PythonModel:
    """Write a Python model whose code computes ``outputs`` of ``inputs``, variables of the body."""
    (folder / "1").mkdir(parents=True, exist_ok=True)
    code = CODE.format(
        head=head,
        initialise=indent(dedent(initialise), " " * 8),
        inputs="\n".join(
            f'        {name} = pb_utils.get_input_tensor_by_name(request, "{name}").as_numpy()'
            for name in inputs
        ),
        body=indent(dedent(body).strip("\n"), " " * 8),
        outputs=", ".join(f'pb_utils.Tensor("{name}", {name})' for name in outputs),
    )
    (folder / "1" / "model.py").write_text(code)
    (folder / "config.pbtxt").write_text(config(folder.name, "python", inputs, outputs, batch))
    return PythonModel(folder)


def config(name: str, backend: str, inputs: Tensors, outputs: Tensors, batch: int = BATCH) -> str:
    """Return a config."""
    key = "platform" if backend == "ensemble" else "backend"
    lines = [f'name: "{name}"', f'{key}: "{backend}"', f"max_batch_size: {batch}"]
    for side, tensors in (("input", inputs), ("output", outputs)):
        lines += [
            f'{side} {{\n  name: "{tensor}"\n  data_type: TYPE_{kind}\n  dims: {dims}\n}}'
            for tensor, (kind, dims) in tensors.items()
        ]
    return "\n".join(lines) + "\n"


POSTPROCESSING = """
bad = PROBLEM.astype(np.bool_)
LABEL = np.where(bad, b"", self.labels[RAW.argmax(axis=1)][:, np.newaxis]).astype(np.object_)
SCORE = np.where(bad, np.float32(-1), RAW.max(axis=1, keepdims=True))
ERROR = PROBLEM
"""
LABELS = 'self.labels = np.array([b"cat", b"dog", b"owl"], dtype=np.object_)'
PREPARE = """
PIXELS = X * np.float32(2)
PROBLEM = np.where(X[:, :1] > 0, b"", b"too dark").astype(np.object_)
"""
PIPELINE = """\
ensemble_scheduling {
  step {
    model_name: "owl_preprocessing"
    model_version: -1
    input_map { key: "X" value: "X" }
    output_map { key: "PIXELS" value: "pixels" }
    output_map { key: "PROBLEM" value: "problem" }
  }
  # the network
  step {
    model_name: "owl_inferencer"
    model_version: -1
    input_map { key: "PIXELS" value: "pixels" }
    output_map { key: "SCORE" value: "raw" }
  }
  step {
    model_name: "owl_postprocessing"
    model_version: -1
    input_map { key: "RAW" value: "raw" }
    input_map { key: "PROBLEM" value: "problem" }
    output_map { key: "LABEL" value: "LABEL" }
    output_map { key: "SCORE" value: "SCORE" }
    output_map { key: "ERROR" value: "ERROR" }
  }
}
"""


def write_owl(root: Path, body: str = POSTPROCESSING, opset: int = 17) -> Path:
    """Write ``models/owl``: scores of three classes, whose label is looked up in Python."""
    folder = root / "models" / "owl"
    text, number = ("STRING", [1]), ("FP32", [1])
    pixels, scores = ("FP32", [4]), ("FP32", [3])
    write_step(
        folder / "owl_preprocessing", {"X": pixels}, {"PIXELS": pixels, "PROBLEM": text}, PREPARE
    )
    answers: Tensors = {"LABEL": text, "SCORE": number, "ERROR": text}
    write_step(
        folder / "owl_postprocessing",
        {"RAW": scores, "PROBLEM": text},
        answers,
        body,
        initialise=LABELS,
    )
    inferencer = folder / "owl_inferencer"
    (inferencer / "1").mkdir(parents=True)
    onnx.save(network(opset), inferencer / "1" / "model.onnx")
    text_of = config("owl_inferencer", "onnxruntime", {"PIXELS": pixels}, {"SCORE": scores})
    (inferencer / "config.pbtxt").write_text("# by hand\n" + text_of)
    pipeline = folder / "owl_pipeline"
    (pipeline / "1").mkdir(parents=True)
    (pipeline / "1" / ".keep").touch()
    written = config("owl_pipeline", "ensemble", {"X": pixels}, answers)
    (pipeline / "config.pbtxt").write_text(written + PIPELINE)
    (folder / "model_version.txt").write_text("1.0.0\n")
    (folder / "requirements.txt").write_text("numpy==1.26.*\n")
    return folder


def network(opset: int = 17) -> onnx.ModelProto:
    """Return PIXELS [batch, 4] → SCORE [batch, 3], a softmax."""
    weights = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["PIXELS", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["SCORE"], axis=1),
    ]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "owl",
            [helper.make_tensor_value_info("PIXELS", TensorProto.FLOAT, ["batch", 4])],
            [helper.make_tensor_value_info("SCORE", TensorProto.FLOAT, ["batch", 3])],
            [numpy_helper.from_array(weights, "weights")],
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=8,
    )
