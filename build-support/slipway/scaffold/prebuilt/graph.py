"""Give a graph other inputs, outputs and constants, and its weights half their size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALL = 1000  # elements: smaller tensors stay as they are


def complete(
    model: onnx.ModelProto, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]
) -> bytes:
    """Return the bytes of the model with other inputs and outputs."""
    graph = model.graph
    del graph.input[:], graph.output[:]
    graph.input.extend(inputs)
    graph.output.extend(outputs)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def numbers(*values: int) -> dict[str, Any]:
    """Return scalars by name: ``slipway_2`` is 2."""
    return {f"slipway_{value}": np.array(value, np.int64) for value in values}


def tensors(values: Mapping[str, Any]) -> list[onnx.TensorProto]:
    """Return arrays as initialisers."""
    return [numpy_helper.from_array(value, name) for name, value in values.items()]


def zero(datatype: type) -> onnx.TensorProto:
    """Return what ConstantOfShape fills with."""
    return numpy_helper.from_array(np.zeros(1, datatype))


def halve(graph: onnx.GraphProto) -> None:
    """Store weights as FP16, which halves the file. Loaded, they are FP32 again."""
    casts = []
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.float32 and value.size > SMALL:
            name = tensor.name
            half = value.astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_fp16"))
            casts.append(helper.make_node("Cast", [f"{name}_fp16"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
