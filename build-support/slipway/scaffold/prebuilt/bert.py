"""The graph of a BERT encoder with mean pooling, from its weights.

Exporting it with PyTorch would take gigabytes of packages to the same end: an encoder is six times
the same dozen of operators. The answers are compared with those of sentence-transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

type Array = np.ndarray[Any, Any]

OPSET, IR = 17, 8  # LayerNormalization is of 17; Triton 23.12 and later read both
FAR = -1e9  # added to the score of what is masked


@dataclass(frozen=True)
class Shape:
    """What the weights do not say: ``config.json`` of the model has it."""

    layers: int
    heads: int
    epsilon: float


@dataclass
class _Builder:
    """Nodes and constants of a graph; each method returns the name of its result."""

    weights: Mapping[str, Array]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        result = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))
        return result

    def weight(self, name: str, *, transpose: bool = False) -> str:
        value = self.weights[name]
        self.constants[name] = np.ascontiguousarray(value.T) if transpose else value
        return name

    def constant(self, name: str, value: Any, datatype: type) -> str:
        self.constants[name] = np.array(value, datatype)
        return name

    def linear(self, source: str, name: str) -> str:
        product = self.add("MatMul", source, self.weight(f"{name}.weight", transpose=True))
        return self.add("Add", product, self.weight(f"{name}.bias"))

    def norm(self, source: str, name: str, epsilon: float) -> str:
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", source, scale, bias, axis=-1, epsilon=epsilon)


def sentence_encoder(weights: Mapping[str, Array], shape: Shape) -> bytes:
    """Return the graph TOKENS, MASK INT64 [batch, length] → EMBEDDING FP32 [batch, size].

    The embedding is the mean over what MASK names, of length 1.
    """
    build = _Builder(weights)
    mask = build.add("Cast", "MASK", to=TensorProto.FLOAT)
    hidden = _embed(build, shape)
    bias = _bias(build, mask)
    for layer in range(shape.layers):
        hidden = _layer(build, hidden, bias, f"encoder.layer.{layer}", shape)
    _pool(build, hidden, mask)
    size = weights["embeddings.word_embeddings.weight"].shape[1]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        build.nodes,
        "sentence_encoder",
        [value(name, TensorProto.INT64, ["batch", "length"]) for name in ("TOKENS", "MASK")],
        [value("EMBEDDING", TensorProto.FLOAT, ["batch", size])],
        [numpy_helper.from_array(array, name) for name, array in build.constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _embed(build: _Builder, shape: Shape) -> str:
    words = build.add("Gather", build.weight("embeddings.word_embeddings.weight"), "TOKENS", axis=0)
    sizes = build.add("Shape", "TOKENS", start=1, end=2)
    positions = build.add(
        "Slice",
        build.weight("embeddings.position_embeddings.weight"),
        build.constant("zero", [0], np.int64),
        sizes,
    )
    # all tokens are of the first of two texts
    build.constants["first_text"] = build.weights["embeddings.token_type_embeddings.weight"][0]
    placed = build.add("Add", build.add("Add", words, "first_text"), positions)
    return build.norm(placed, "embeddings.LayerNorm", shape.epsilon)


def _bias(build: _Builder, mask: str) -> str:
    """Return 0 for what MASK names and FAR for the rest, [batch, 1, 1, length]."""
    lacking = build.add("Sub", build.constant("one", 1, np.float32), mask)
    scaled = build.add("Mul", lacking, build.constant("far", FAR, np.float32))
    return build.add("Unsqueeze", scaled, build.constant("middle", [1, 2], np.int64))


def _layer(build: _Builder, hidden: str, bias: str, name: str, shape: Shape) -> str:
    attended = build.linear(
        _attention(build, hidden, bias, f"{name}.attention.self", shape),
        f"{name}.attention.output.dense",
    )
    summed = build.add("Add", attended, hidden)
    hidden = build.norm(summed, f"{name}.attention.output.LayerNorm", shape.epsilon)
    wide = _gelu(build, build.linear(hidden, f"{name}.intermediate.dense"))
    summed = build.add("Add", build.linear(wide, f"{name}.output.dense"), hidden)
    return build.norm(summed, f"{name}.output.LayerNorm", shape.epsilon)


def _attention(build: _Builder, hidden: str, bias: str, name: str, shape: Shape) -> str:
    size = build.weights[f"{name}.query.bias"].shape[0]
    split = build.constant("split", [0, 0, shape.heads, size // shape.heads], np.int64)
    joined = build.constant("joined", [0, 0, size], np.int64)

    def heads(part: str, order: list[int]) -> str:
        rows = build.add("Reshape", build.linear(hidden, f"{name}.{part}"), split)
        return build.add("Transpose", rows, perm=order)

    query, key = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1])
    scale = build.constant("scale", np.sqrt(size / shape.heads), np.float32)
    scores = build.add("Div", build.add("MatMul", query, key), scale)
    weights = build.add("Softmax", build.add("Add", scores, bias), axis=-1)
    mixed = build.add("MatMul", weights, heads("value", [0, 2, 1, 3]))
    return build.add("Reshape", build.add("Transpose", mixed, perm=[0, 2, 1, 3]), joined)


def _gelu(build: _Builder, source: str) -> str:
    root = build.constant("root_of_two", np.sqrt(2), np.float32)
    raised = build.add("Add", build.add("Erf", build.add("Div", source, root)), "one")
    half = build.add("Mul", source, build.constant("half", 0.5, np.float32))
    return build.add("Mul", half, raised)


def _pool(build: _Builder, hidden: str, mask: str) -> None:
    length = build.constant("length_axis", [1], np.int64)
    column = build.add("Unsqueeze", mask, build.constant("last", [-1], np.int64))
    summed = build.add("ReduceSum", build.add("Mul", hidden, column), length, keepdims=0)
    count = build.add("ReduceSum", mask, length, keepdims=1)
    mean = build.add("Div", summed, count)
    norm = build.add("ReduceL2", mean, axes=[1], keepdims=1)
    build.nodes.append(helper.make_node("Div", [mean, norm], ["EMBEDDING"]))
