"""Batches are for graphs whose rows do not touch each other, however their first size is called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from slipway.errors import SlipwayError
from slipway.scaffold import from_onnx, graph
from slipway.scaffold.batching import batches
from tests.scaffold.graphs import doubler, node, save, tensor


def test_a_free_first_size_everywhere_is_a_batch(tmp_path: Path) -> None:
    assert batches(graph.read(doubler(tmp_path / "m.onnx", ["N", 3])))
    assert batches(graph.read(doubler(tmp_path / "n.onnx", [None, 3])))


@pytest.mark.parametrize("shape", [[2, 3], [], [1, "N"]])
def test_a_fixed_first_size_is_none(tmp_path: Path, shape: list[int | str | None]) -> None:
    assert not batches(graph.read(doubler(tmp_path / "m.onnx", shape)))


def test_rows_that_touch_each_other_are_none(tmp_path: Path) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("Softmax", ["X"], ["Y"], axis=0)],
        [tensor("X", ["N", 3])],
        [tensor("Y", ["N", 3])],
    )
    assert not batches(graph.read(file))


def test_an_output_whose_first_size_is_another_is_none(tmp_path: Path) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("NonZero", ["X"], ["T"]), node("Transpose", ["T"], ["Y"])],
        [tensor("X", ["N", 3])],
        [tensor("Y", [None, 2], TensorProto.INT64)],
    )
    assert not batches(graph.read(file))


def test_sixteen_rows_is_the_default_and_another_number_can_be_chosen(tmp_path: Path) -> None:
    file = doubler(tmp_path / "m.onnx", ["N", 3])
    assert from_onnx.derive(file).steps.max_batch_size == 16
    assert from_onnx.derive(file, 4).steps.max_batch_size == 4
    alone = from_onnx.derive(file, 0).steps
    assert alone.max_batch_size == 0 and alone.inputs[0].dims == (-1, 3)


def test_batches_that_the_graph_does_not_take_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="takes no batches of 4") as caught:
        from_onnx.derive(doubler(tmp_path / "m.onnx", [2, 3]), 4)
    assert "--max-batch-size 0" in str(caught.value.fix)


def test_an_example_fits_the_sizes_that_the_graph_wants(tmp_path: Path) -> None:
    # a kernel of 5 does not fit the first sizes that are tried
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


def test_an_example_that_would_end_the_process_is_none(tmp_path: Path) -> None:
    # integers divided by zero: SIGFPE
    file = save(
        tmp_path / "m.onnx",
        [node("Sub", ["X", "X"], ["zero"]), node("Div", ["X", "zero"], ["Y"])],
        [tensor("X", [2], TensorProto.INT32)],
        [tensor("Y", [2], TensorProto.INT32)],
    )
    assert from_onnx.derive(file).example is None


def test_an_example_whose_answer_has_another_shape_than_promised_is_none(tmp_path: Path) -> None:
    # ONNX Runtime lets it pass; Triton's ensembles do not
    file = save(
        tmp_path / "m.onnx",
        [node("Compress", ["X", "C"], ["Y"])],
        [tensor("X", [5]), tensor("C", [5], TensorProto.BOOL)],
        [tensor("Y", [4])],
    )
    found = from_onnx.derive(file).example
    assert found is None or found.outputs["Y"].shape == (4,)
