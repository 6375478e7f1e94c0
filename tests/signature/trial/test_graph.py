"""Graphs that cannot be served are refused with the reason; all others are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from slipway.errors import SlipwayError
from slipway.signature.trial.graph import read_graph
from tests.scaffold.graphs import FLOAT, doubler, identity, node, save, tensor


def refused(file: Path) -> str:
    with pytest.raises(SlipwayError) as caught:
        read_graph(file)
    assert caught.value.fix and str(file) in str(caught.value.where)
    return caught.value.what


@pytest.mark.parametrize(
    ("data_type", "type_name"),
    [
        (TensorProto.COMPLEX64, "COMPLEX64"),
        (TensorProto.BFLOAT16, "BF16"),
        (TensorProto.FLOAT8E4M3FN, "FLOAT8E4M3FN"),
        (TensorProto.INT4, "INT4"),
    ],
)
def test_an_input_of_a_type_that_triton_does_not_support_is_refused(
    tmp_path: Path, data_type: int, type_name: str
) -> None:
    what = refused(identity(tmp_path / "m.onnx", ["N"], data_type))
    assert what == f"input 'X' is {type_name}, which Triton does not support"


def test_a_sequence_among_the_outputs_is_refused(tmp_path: Path) -> None:
    sequence = helper.make_tensor_sequence_value_info("S", FLOAT, None)
    file = save(
        tmp_path / "m.onnx",
        [node("SplitToSequence", ["X"], ["S"])],
        [tensor("X", [4])],
        [sequence],
    )
    assert refused(file) == "output 'S' is sequence(FP32), which Triton does not support"


def test_a_map_among_the_outputs_is_refused(tmp_path: Path) -> None:
    inner = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(FLOAT, []))
    maps = helper.make_value_info("Z", helper.make_sequence_type_proto(inner))
    zipped = node("ZipMap", ["X"], ["Z"], domain="ai.onnx.ml", classlabels_int64s=[1, 2])
    file = save(tmp_path / "m.onnx", [zipped], [tensor("X", [1, 2])], [maps])
    assert "output 'Z' is sequence(map(INT64, FP32))" in refused(file)


def test_a_size_of_zero_is_refused(tmp_path: Path) -> None:
    assert "input 'X' has a size of 0 in [0, 3]" in refused(doubler(tmp_path / "m.onnx", [0, 3]))


def test_an_input_of_unknown_rank_is_refused(tmp_path: Path) -> None:
    assert "how many dimensions input 'X' has" in refused(doubler(tmp_path / "m.onnx", None))


def test_a_scalar_string_is_refused(tmp_path: Path) -> None:
    file = identity(tmp_path / "m.onnx", [], TensorProto.STRING)
    assert "input 'X' is a scalar string" in refused(file)


def test_a_graph_without_inputs_is_refused(tmp_path: Path) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("Identity", ["W"], ["Y"])],
        [],
        [tensor("Y", [2])],
        {"W": np.ones(2, np.float32)},
    )
    assert "no required input" in refused(file)


def test_a_file_that_is_not_a_graph_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(b"version https://git-lfs\n")
    assert "not an ONNX model" in refused(file)
    assert "no such file" in refused(tmp_path / "absent.onnx")


def test_a_graph_that_onnx_runtime_cannot_open_is_refused_with_its_message(tmp_path: Path) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("NoSuchOperator", ["X"], ["Y"])],
        [tensor("X", [1])],
        [tensor("Y", [1])],
    )
    assert "NoSuchOperator" in refused(file)


def test_external_data_must_exist_in_the_folder_of_the_graph(tmp_path: Path) -> None:
    nodes = [node("Add", ["X", "W"], ["Y"])]
    weights = {"W": np.ones(4, np.float32)}
    inputs, outputs = [tensor("X", [4])], [tensor("Y", [4])]
    file = save(tmp_path / "a" / "m.onnx", nodes, inputs, outputs, weights, external="w.bin")
    assert read_graph(file).external == ("w.bin",)
    (file.parent / "w.bin").rename(tmp_path / "w.bin")
    assert "are in 'w.bin', which does not exist" in refused(file)
    model = onnx.load(file, load_external_data=False)
    model.graph.initializer[0].external_data[0].value = "../w.bin"
    onnx.save(model, file)
    assert "are in '../w.bin', outside its folder" in refused(file)


def test_an_input_with_a_default_value_is_not_required(tmp_path: Path) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("Add", ["X", "W"], ["Y"])],
        [tensor("X", ["N", 1]), tensor("W", [1])],
        [tensor("Y", ["N", 1])],
        {"W": np.ones(1, np.float32)},
    )
    graph = read_graph(file)
    assert [declared.name for declared in graph.inputs] == ["X"]
    assert graph.optional == ("W",)


def test_shapes_are_those_that_onnx_runtime_infers(tmp_path: Path) -> None:
    # its native backend compares the config with them, and outputs must be equal
    file = save(
        tmp_path / "m.onnx",
        [node("Identity", ["X"], ["Y"]), node("Shape", ["X"], ["S"])],
        [tensor("X", ["N", 3])],
        [tensor("Y", [None, None]), tensor("S", [None], TensorProto.INT64)],
    )
    shapes = {output.name: output.shape for output in read_graph(file).outputs}
    assert shapes["Y"] is not None and shapes["Y"][1] == 3
    assert shapes["S"] == (2,)
