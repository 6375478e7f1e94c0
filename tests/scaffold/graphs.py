"""Write small ONNX files that a scaffold must handle or refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

type Shape = list[int | str | None] | None

FLOAT = TensorProto.FLOAT


def tensor(name: str, shape: Shape, data_type: int = FLOAT) -> onnx.ValueInfoProto:
    """Return an input or output."""
    return helper.make_tensor_value_info(name, data_type, shape)


def node(operator: str, inputs: list[str], outputs: list[str], **attributes: Any) -> onnx.NodeProto:
    """Return a node."""
    return helper.make_node(operator, inputs, outputs, **attributes)


def save(
    file: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    weights: dict[str, Any] | None = None,
    *,
    external: str | None = None,
    opset: int = 17,
) -> Path:
    """Write a graph; ``external`` is the file in its folder that holds its weights."""
    tensors = [numpy_helper.from_array(np.asarray(v), n) for n, v in (weights or {}).items()]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, tensors)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    if external is None:
        onnx.save(model, file)
    else:
        onnx.save(model, file, save_as_external_data=True, location=external, size_threshold=0)
    return file


def doubler(file: Path, shape: Shape, data_type: int = FLOAT) -> Path:
    """Write a graph Y = X + X."""
    return save(
        file,
        [node("Add", ["X", "X"], ["Y"])],
        [tensor("X", shape, data_type)],
        [tensor("Y", shape, data_type)],
    )


def identity(file: Path, shape: Shape, data_type: int, *, x: str = "X", y: str = "Y") -> Path:
    """Write a graph Y = X, of any type."""
    return save(
        file,
        [node("Identity", [x], [y])],
        [tensor(x, shape, data_type)],
        [tensor(y, shape, data_type)],
    )
