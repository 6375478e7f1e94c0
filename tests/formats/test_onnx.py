"""ONNX graphs: repaired, compared with the file as it was, and refused where rows mix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnxruntime.datasets import get_example

from slipway.errors import SlipwayError
from slipway.formats.conversion import Conversion
from slipway.formats.convert import convert
from slipway.formats.format import Options
from slipway.formats.kinds.onnx import Onnx
from slipway.formats.plan import Demands
from slipway.formats.recognise import recognise
from tests.scaffold.graphs import doubler, node, save, tensor

type Convert = Callable[..., Conversion]


@pytest.fixture
def run(tmp_path: Path) -> Convert:
    """Return a function that converts a graph for a release, with settings."""
    numbers = iter(range(10))

    def go(
        file: Path, triton: str = "25.04", rows: Path | None = None, **settings: str
    ) -> Conversion:
        options = Options("", triton, None, settings)
        return convert(file, tmp_path / f"out{next(numbers)}", options, Demands(rows))

    return go


def test_a_classifier_of_skl2onnx_loses_its_maps(run: Convert) -> None:
    # trained and exported by the authors of ONNX Runtime; a request of three rows is fixed in it
    conversion = run(Path(get_example("logreg_iris.onnx")))

    assert conversion.converted.repairs[0].startswith("probabilities is a tensor of all classes")
    probabilities = conversion.answers["probabilities"]
    assert probabilities.shape[1:] == (3, 3)
    assert np.allclose(probabilities.sum(axis=-1), 1, atol=1e-5)
    assert conversion.difference is not None and conversion.difference < 1e-6
    assert conversion.record["versions"]["served by onnxruntime"].startswith("1.21.")


def test_the_runtime_of_the_release_answers(run: Convert, tmp_path: Path) -> None:
    conversion = run(doubler(tmp_path / "a.onnx", ["N", 2]), "24.09")
    assert conversion.record["versions"]["served by onnxruntime"].startswith("1.19.")


def test_a_graph_that_needs_no_repair_is_served_byte_for_byte(run: Convert, tmp_path: Path) -> None:
    file = doubler(tmp_path / "a.onnx", ["N", 2])
    conversion = run(file)
    assert (conversion.folder / "model.onnx").read_bytes() == file.read_bytes()
    assert conversion.converted.max_batch_size == 16 and conversion.difference == 0.0
    assert not conversion.converted.repairs


def test_a_graph_that_is_too_new_for_the_release_is_lowered(run: Convert, tmp_path: Path) -> None:
    file = doubler(tmp_path / "a.onnx", ["N", 2])
    graph = onnx.load(file)
    graph.ir_version, graph.opset_import[0].version = 12, 24
    file.write_bytes(graph.SerializeToString())

    first, second = run(file), run(file)
    assert first.converted.repairs == (
        "opset 22 instead of 24, for Triton 25.04",
        "IR 10 instead of 12",
    )
    assert first.record == second.record


def test_rows_that_influence_one_another_are_refused_and_served_one_by_one(
    run: Convert, tmp_path: Path
) -> None:
    mean = node("ReduceMean", ["X"], ["mean"], axes=[0], keepdims=1)
    nodes = [mean, node("Sub", ["X", "mean"], ["Y"])]
    file = save(tmp_path / "a.onnx", nodes, [tensor("X", ["N", 2])], [tensor("Y", ["N", 2])])

    with pytest.raises(SlipwayError, match="with other rows in its batch") as raised:
        run(file)
    assert "serve one row at a time: --set max_batch_size=0" in (raised.value.fix or "")


def test_weights_in_files_of_their_own_go_along(run: Convert, tmp_path: Path) -> None:
    file = save(
        tmp_path / "source" / "a.onnx",
        [node("Mul", ["X", "w"], ["Y"])],
        [tensor("X", ["N", 2])],
        [tensor("Y", ["N", 2])],
        {"w": np.array([2, 3], np.float32)},
        external="a.weights",
    )
    conversion = run(file)
    assert conversion.recognised.beside == ("a.weights",)
    assert conversion.converted.files == ("model.onnx", "a.weights")
    assert np.array_equal(
        conversion.answers["Y"], conversion.rows["X"] * np.array([2, 3], np.float32)
    )
    size = file.stat().st_size + (tmp_path / "source" / "a.weights").stat().st_size
    assert conversion.record["source"]["size"] == size


def test_a_size_that_the_graph_takes_is_found_for_what_is_free(
    run: Convert, tmp_path: Path
) -> None:
    file = save(
        tmp_path / "a.onnx",
        [node("Conv", ["X", "w"], ["Y"])],
        [tensor("X", ["N", 1, "H", "W"])],
        [tensor("Y", ["N", 1, None, None])],
        {"w": np.ones((1, 1, 20, 20), np.float32)},
    )
    conversion = run(file)
    assert conversion.rows["X"].shape[1:] == (1, 32, 32)
    assert conversion.converted.inputs[0].dims == (1, -1, -1)


def test_a_sequence_is_refused_with_what_avoids_it(run: Convert, tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    file = doubler(tmp_path / "a.onnx", ["N", 2])
    graph = onnx.load(file)
    graph.graph.node.append(helper.make_node("SequenceConstruct", ["X"], ["S"]))
    graph.graph.output.append(
        helper.make_tensor_sequence_value_info("S", TensorProto.FLOAT, ["N", 2])
    )
    file.write_bytes(graph.SerializeToString())
    with pytest.raises(SlipwayError, match="'S' is seq.*Triton has tensors only") as raised:
        run(file)
    assert raised.value.fix


def test_a_model_of_a_newer_onnx_than_any_release_takes_is_refused(tmp_path: Path) -> None:
    file = doubler(tmp_path / "a.onnx", ["N", 2])
    graph = onnx.load(file)
    graph.ir_version, graph.opset_import[0].version = 99, 99
    file.write_bytes(graph.SerializeToString())
    with pytest.raises(SlipwayError, match="of opset 99 and IR 99, newer than any") as raised:
        recognise(file)
    assert raised.value.where == str(file)


def test_the_head_of_a_saved_model_is_not_onnx(tmp_path: Path) -> None:
    # schema version 1, then a graph of 300 bytes
    file = tmp_path / "saved_model.pb"
    file.write_bytes(b"\x08\x01\x12\xac\x02" + b"\x0a" * 300)
    with pytest.raises(SlipwayError) as raised:
        recognise(file)
    assert "ONNX" not in raised.value.what


@pytest.mark.parametrize("triton, as_it_is", [("23.01", False), ("24.05", True)])
def test_a_graph_is_served_as_it_is_where_its_versions_are_known(
    tmp_path: Path, triton: str, as_it_is: bool
) -> None:
    file = save(
        tmp_path / "a.onnx",
        [node("Relu", ["X"], ["Y"])],
        [tensor("X", ["N", 2])],
        [tensor("Y", ["N", 2])],
        opset=18,
    )
    form, recognised = recognise(file)
    assert isinstance(form, Onnx)
    assert form.is_served_as_it_is(recognised, triton) == as_it_is
