"""Small ONNX graphs for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

type Sizes = Sequence[int | str | None] | None


def tensor(name: str, shape: Sizes, data_type: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """An input or output."""
    return helper.make_tensor_value_info(name, data_type, shape)


def save(
    path: Path,
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    *,
    initializers: Sequence[onnx.TensorProto] = (),
    nodes: Sequence[onnx.NodeProto] | None = None,
    opset: int = 17,
    ir_version: int = 8,
    **more: Any,
) -> Path:
    """Write a model whose outputs are its inputs, unless ``nodes`` say otherwise."""
    if nodes is None:
        nodes = [
            helper.make_node("Identity", [i.name], [o.name])
            for i, o in zip(inputs, outputs, strict=False)  # the spare ones stay unconnected
        ]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializers)
    opsets = more.pop("opsets", [helper.make_opsetid("", opset)])
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(
        helper.make_model(graph, opset_imports=opsets, ir_version=ir_version, **more), str(path)
    )
    return path


def constant(name: str, *shape: int) -> onnx.TensorProto:
    """An initializer of zeros."""
    return numpy_helper.from_array(np.zeros(shape, np.float32), name)
