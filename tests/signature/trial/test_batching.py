"""Only graphs whose rows are independent support batches, whatever their first size is called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from slipway.errors import SlipwayError
from slipway.scaffold import from_onnx
from slipway.signature.trial.batching import supports_batches
from slipway.signature.trial.graph import read_graph
from tests.scaffold.graphs import doubler, node, save, tensor


def test_a_free_first_size_in_every_tensor_allows_batches(tmp_path: Path) -> None:
    assert supports_batches(read_graph(doubler(tmp_path / "m.onnx", ["N", 3])))
    assert supports_batches(read_graph(doubler(tmp_path / "n.onnx", [None, 3])))


@pytest.mark.parametrize("shape", [[2, 3], [], [1, "N"]])
def test_a_fixed_first_size_allows_no_batches(
    tmp_path: Path, shape: list[int | str | None]
) -> None:
    assert not supports_batches(read_graph(doubler(tmp_path / "m.onnx", shape)))


def test_rows_that_depend_on_each_other_allow_no_batches(tmp_path: Path) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("Softmax", ["X"], ["Y"], axis=0)],
        [tensor("X", ["N", 3])],
        [tensor("Y", ["N", 3])],
    )
    assert not supports_batches(read_graph(file))


def test_an_output_with_a_different_first_size_allows_no_batches(tmp_path: Path) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("NonZero", ["X"], ["T"]), node("Transpose", ["T"], ["Y"])],
        [tensor("X", ["N", 3])],
        [tensor("Y", [None, 2], TensorProto.INT64)],
    )
    assert not supports_batches(read_graph(file))


def test_sixteen_rows_is_the_default_and_another_number_can_be_chosen(tmp_path: Path) -> None:
    file = doubler(tmp_path / "m.onnx", ["N", 3])
    assert from_onnx.derive(file).steps.max_batch_size == 16
    assert from_onnx.derive(file, 4).steps.max_batch_size == 4
    single = from_onnx.derive(file, 0).steps
    assert single.max_batch_size == 0 and single.inputs[0].dims == (-1, 3)


def test_batches_that_the_graph_does_not_support_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="does not support batches of 4") as caught:
        from_onnx.derive(doubler(tmp_path / "m.onnx", [2, 3]), 4)
    assert "--max-batch-size 0" in str(caught.value.fix)


def test_an_example_has_sizes_that_the_graph_accepts(tmp_path: Path) -> None:
    # a kernel of 5 is too large for the first sizes that are tried
    file = save(
        tmp_path / "m.onnx",
        [node("Conv", ["X", "W"], ["Y"])],
        [tensor("X", ["N", 1, "H", "W"])],
        [tensor("Y", ["N", 1, None, None])],
        {"W": np.ones((1, 1, 5, 5), np.float32)},
    )
    derived = from_onnx.derive(file)
    assert derived.steps.max_batch_size == 16
    assert derived.example is not None and derived.example.inputs["X"].shape == (1, 1, 8, 8)


def test_inputs_that_would_end_the_process_are_not_an_example(tmp_path: Path) -> None:
    # an integer division by zero raises SIGFPE
    file = save(
        tmp_path / "m.onnx",
        [node("Sub", ["X", "X"], ["zero"]), node("Div", ["X", "zero"], ["Y"])],
        [tensor("X", [2], TensorProto.INT32)],
        [tensor("Y", [2], TensorProto.INT32)],
    )
    assert from_onnx.derive(file).example is None


def test_inputs_whose_output_has_an_undeclared_shape_are_not_an_example(tmp_path: Path) -> None:
    # ONNX Runtime accepts it; Triton's ensembles do not
    file = save(
        tmp_path / "m.onnx",
        [node("Compress", ["X", "C"], ["Y"])],
        [tensor("X", [5]), tensor("C", [5], TensorProto.BOOL)],
        [tensor("Y", [4])],
    )
    example = from_onnx.derive(file).example
    assert example is None or example.outputs["Y"].shape == (4,)
