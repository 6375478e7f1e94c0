"""Models with golden cases, packed, to be tuned on a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from tests import fixture_models

CONFIG = """\
name: "{name}"
backend: "onnxruntime"
max_batch_size: 8
input {{ name: "X" data_type: TYPE_FP32 dims: 4 }}
output {{ name: "Y" data_type: TYPE_FP32 dims: 4 }}
# on the CPU
instance_group {{ kind: KIND_CPU count: 1 }}
"""


def save_model(folder: Path, node: Any, answers: list[tuple[list[float], list[float]]]) -> Path:
    """Write the model of one ``node`` from X to Y below ``folder``, with a case for each answer."""
    name = folder.name
    (folder / name / "1").mkdir(parents=True)
    (folder / name / "config.pbtxt").write_text(CONFIG.format(name=name), encoding="utf-8")
    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 4]) for n in ("X", "Y")]
    nodes = node if isinstance(node, list) else [node]
    graph = helper.make_graph(nodes, name, tensors[:1], tensors[1:])
    fixture_models.save(graph, folder / name / "1" / "model.onnx")
    for number, (given, expected) in enumerate(answers):
        case = folder / "tests" / "cases" / f"case_{number}"
        case.mkdir(parents=True)
        (case / "input.json").write_text(json.dumps({"inputs": {"X": given}}))
        output = {"shape": [1, 4], "datatype": "FP32", "data": expected}
        (case / "expected.json").write_text(json.dumps({"outputs": {"Y": output}}))
    return folder


def doubling(folder: Path) -> Path:
    """A model that doubles: it answers the same in every config."""
    node = helper.make_node("Add", ["X", "X"], ["Y"])
    return save_model(folder, node, [([1.0, 2, 3, 4], [2.0, 4, 6, 8]), ([0.0] * 4, [0.0] * 4)])


def mixing(folder: Path) -> Path:
    """A model that subtracts the mean over its batch: rows that are joined change each other."""
    nodes = [
        helper.make_node("ReduceMean", ["X"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["X", "mean"], ["Y"]),
    ]
    answers = [([float(n)] * 4, [0.0] * 4) for n in range(8)]
    return save_model(folder, nodes, answers)


def packed(folder: Path, into: Path) -> Artifact:
    """The artifact of a model's folder."""
    path = fixture_models.pack(folder, into / f"{folder.name}_1.0.0.tar.gz")
    manifest = Manifest(folder.name, "1.0.0", folder.name, {}, {}, None, "slipway")
    return Artifact(path, manifest=manifest)


def ones(count: int) -> np.ndarray[Any, Any]:
    """A row of ones."""
    return np.ones((1, count), np.float32)
