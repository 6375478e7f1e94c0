"""Configs against ONNX graphs: a finding exactly where the native backend refuses the config."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check.config_file import ConfigFile
from slipway.check.fix.from_signature import fixes_for_missing_io
from slipway.check.model_files import loaded_versions
from slipway.check.shapes import compare
from slipway.check.tensors.graphs import graphs_of_config
from slipway.signature import GraphTensor, Shape
from slipway.triton import config
from tests.check import fixture_graphs
from tests.check import fixture_repositories as repositories
from tests.check.fixture_graphs import graph, value


@pytest.mark.parametrize("fixture", sorted(fixture_graphs.GRAPHS))
def test_the_fixtures_graphs_match_this_module(fixture: str) -> None:
    path = repositories.FIXTURES / fixture / fixture_graphs.FILE
    assert path.read_bytes() == fixture_graphs.GRAPHS[fixture]().SerializeToString()


@pytest.mark.parametrize(
    ("dims", "shape", "batches", "output", "verdict"),
    [
        ("dims: [ 4 ]", ("N", 4), True, True, "fits"),
        ("dims: [ 4 ]", (None, 4), True, False, "fits"),
        ("dims: [ 4 ]", ("N", "M"), True, False, "fits"),
        ("dims: [ 4 ]", ("N", "M"), True, True, "open"),
        ("dims: [ -1 ]", ("N", "M"), True, True, "fits"),
        ("dims: [ -1 ]", ("N", 4), True, False, "shape"),
        ("dims: [ -1 ]", ("N", 4), True, True, "shape"),
        ("dims: [ 4, 1 ]", ("N", 4), True, False, "shape"),
        ("dims: [ 4 ]", (8, 4), True, False, "batch"),
        ("dims: [ 8, 4 ]", (8, 4), False, True, "fits"),
        ("dims: [ -1, 4 ]", ("N", 4), False, True, "fits"),
        ("dims: [ 1 ]", (), False, True, "fits"),
        ("dims: [ 1 ]", (), True, True, "fits"),
        ("dims: [ 2 ]", (), False, False, "shape"),
        ("dims: [ 1 ]", None, False, False, "fits"),
        ("dims: [ 2 ]", None, False, False, "shape"),
        ("dims: [ 2 ]", None, True, True, "open"),
        ("dims: [ 4 ] reshape { shape: [ 2, 2 ] }", ("N", 2, 2), True, False, "fits"),
        ("dims: [ 4 ] reshape { shape: [ 2, 2 ] }", ("N", 4), True, False, "shape"),
        ("dims: [ 1 ] reshape { shape: [ ] }", ("N",), True, True, "fits"),
        ("dims: [ -1 ] allow_ragged_batch: true", ("N",), True, False, "fits"),
        ("dims: [ -1 ] allow_ragged_batch: true", ("N", "M"), True, False, "ragged"),
    ],
)
def test_dims_are_compared_as_the_native_backend_does(
    dims: str, shape: Shape | None, batches: bool, output: bool, verdict: str
) -> None:
    side = "output" if output else "input"
    [declared] = getattr(config.parse_config(f"{side} {{ {dims} }}", where="test"), side)
    assert (
        compare(declared, GraphTensor("X", "FP32", shape), batches=batches, output=output)
        == verdict
    )


def written(
    folder: Path, text: str, model: bytes | None = None, name: str = "model.onnx"
) -> ConfigFile:
    """Write a model with this config, and the good graph or ``model`` as its first version."""
    (folder / "m" / "1").mkdir(parents=True)
    (folder / "m" / "1" / name).write_bytes(model or graph().SerializeToString())
    (folder / "m" / "config.pbtxt").write_text(text, encoding="utf-8")
    return ConfigFile(folder / "m" / "config.pbtxt")


def completed_text(written_config: ConfigFile) -> str:
    text = written_config.text
    for side in ("input", "output"):
        for edit in fixes_for_missing_io(written_config, side):
            text += edit.text
    return text


def test_missing_inputs_and_outputs_are_added_from_the_graph(tmp_path: Path) -> None:
    written_config = written(tmp_path, 'backend: "onnxruntime"\nmax_batch_size: 8\n')
    message = config.parse_config(completed_text(written_config), where="test")
    assert [(t.name, t.data_type, list(t.dims)) for t in message.input] == [("FEATURES", 11, [4])]
    assert [(t.name, t.data_type, list(t.dims)) for t in message.output] == [("SCORE", 11, [2])]


def test_only_the_missing_side_is_added(tmp_path: Path) -> None:
    given = (
        'backend: "onnxruntime"\ninput { name: "FEATURES" data_type: TYPE_FP32 dims: [ -1, 4 ] }'
    )
    message = config.parse_config(completed_text(written(tmp_path, given)), where="test")
    assert len(message.input) == 1
    assert [list(tensor.dims) for tensor in message.output] == [[-1, 2]]


def test_fields_that_the_graph_does_not_determine_are_not_added(tmp_path: Path) -> None:
    unknown = graph([value("FEATURES", None)], [value("SCORE", None)]).SerializeToString()
    fixed = fixture_graphs.one_row().SerializeToString()
    for name, model, batch in (("rank", unknown, 0), ("batch", fixed, 8)):
        text = f'backend: "onnxruntime"\nmax_batch_size: {batch}\n'
        assert completed_text(written(tmp_path / name, text, model)) == text


def test_a_scalar_in_a_batch_is_added_with_a_reshape(tmp_path: Path) -> None:
    flat = fixture_graphs.flat_output().SerializeToString()
    text = completed_text(written(tmp_path, 'backend: "onnxruntime"\nmax_batch_size: 8\n', flat))
    [output] = config.parse_config(text, where="test").output
    assert list(output.dims) == [1] and output.HasField("reshape")


@pytest.mark.parametrize(
    ("policy", "versions"),
    [
        ("", ["10"]),
        ("version_policy { latest { num_versions: 2 } }", ["2", "10"]),
        ("version_policy { all { } }", ["1", "2", "10"]),
        ("version_policy { specific { versions: [ 1, 3 ] } }", ["1"]),
    ],
)
def test_only_the_versions_that_triton_loads_are_read(
    tmp_path: Path, policy: str, versions: list[str]
) -> None:
    written_config = written(tmp_path, f'backend: "onnxruntime" {policy}')
    for name in ("2", "10", "010"):
        (written_config.directory / name).mkdir()
    assert written_config.message is not None
    assert [
        path.name for path in loaded_versions(written_config, written_config.message)
    ] == versions


def test_another_file_name_and_a_directory_are_found(tmp_path: Path) -> None:
    named = written(
        tmp_path / "named",
        'backend: "onnxruntime" default_model_filename: "net.onnx"',
        name="net.onnx",
    )
    [graph_found] = graphs_of_config(named, named.message)
    assert graph_found.signature is not None and graph_found.name == "1/net.onnx"

    folder = written(tmp_path / "folder", 'platform: "onnxruntime_onnx"', name="other")
    directory = folder.directory / "1" / "model.onnx"
    directory.mkdir()
    (folder.directory / "1" / "other").rename(directory / "model.onnx")
    [graph_found] = graphs_of_config(folder, folder.message)
    assert graph_found.signature is not None
