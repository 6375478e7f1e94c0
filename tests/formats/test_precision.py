"""Weights in a lower precision, as ONNX Runtime's own tools write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from slipway.errors import SlipwayError
from slipway.formats.graphs.precision import lower

random = np.random.default_rng(0)
WEIGHTS = random.normal(0, 0.1, (64, 32)).astype(np.float32)
ROWS = random.normal(0, 1, (16, 64)).astype(np.float32)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Y = relu(X · W), for any number of rows."""
    tensors = [
        helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 64]),
        helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 32]),
    ]
    nodes = [helper.make_node("MatMul", ["X", "W"], ["h"]), helper.make_node("Relu", ["h"], ["Y"])]
    weights = [numpy_helper.from_array(WEIGHTS, "W")]
    return _save(helper.make_graph(nodes, "g", tensors[:1], tensors[1:], weights), tmp_path)


def _save(graph: Any, folder: Path) -> Path:
    path = folder / "model.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def _answers(path: Path) -> Any:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["Y"], {"X": ROWS})[0]


@pytest.mark.parametrize(
    ("precision", "smaller", "within"),
    [("fp16", 0.6, 0.005), ("int8", 0.5, 0.05), ("int8-static", 0.7, 0.05)],
)
def test_the_file_is_smaller_and_answers_nearly_the_same(
    graph: Path, tmp_path: Path, precision: str, smaller: float, within: float
) -> None:
    out = tmp_path / "out" / "lower.onnx"
    out.parent.mkdir()
    lower(graph, out, precision, [{"X": ROWS}])
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [graph.name]
    assert list(out.parent.iterdir()) == [out]
    assert out.stat().st_size < smaller * graph.stat().st_size
    answers, expected = _answers(out), _answers(graph)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers, expected, atol=within * float(np.abs(expected).max()))
    assert onnx.load(out).ir_version <= 8


def test_convolutions_stay_as_they_are_in_dynamic_int8(tmp_path: Path) -> None:
    tensors = [
        helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 64]),
        helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 32]),
    ]
    kernel = random.normal(0, 1, (1, 1, 3, 3)).astype(np.float32)
    constants = {
        "W": WEIGHTS,
        "K": kernel,
        "image": np.array([-1, 1, 8, 8]),
        "row": np.array([-1, 64]),
    }
    nodes = [
        helper.make_node("Reshape", ["X", "image"], ["i"]),
        helper.make_node("Conv", ["i", "K"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Reshape", ["c", "row"], ["r"]),
        helper.make_node("MatMul", ["r", "W"], ["Y"]),
    ]
    weights = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = _save(helper.make_graph(nodes, "g", tensors[:1], tensors[1:], weights), tmp_path)
    out = tmp_path / "lower.onnx"
    lower(graph, out, "int8", [])
    expected = _answers(graph)
    np.testing.assert_allclose(_answers(out), expected, atol=0.05 * float(np.abs(expected).max()))


def test_a_graph_without_weights_has_nothing_to_lower(tmp_path: Path) -> None:
    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 4]) for n in ("X", "Y")]
    node = helper.make_node("Relu", ["X"], ["Y"])
    path = _save(helper.make_graph([node], "g", tensors[:1], tensors[1:]), tmp_path)
    with pytest.raises(SlipwayError, match="no weights that fp16 makes smaller"):
        lower(path, tmp_path / "out.onnx", "fp16", [])


def test_static_int8_needs_examples(graph: Path, tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="example requests to calibrate on"):
        lower(graph, tmp_path / "out.onnx", "int8-static", [])
