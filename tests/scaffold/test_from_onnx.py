"""A folder around an ONNX file: sound, packed, served, and answering as ONNX Runtime does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from slipway.check import check
from slipway.environment import ExecutionEnvironment
from slipway.scaffold import from_onnx
from slipway.server.triton import Server
from slipway.settings import Settings
from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton import config
from tests.scaffold.graphs import doubler, identity, node, save, tensor
from tests.scaffold.serving import artifact

TYPES = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def make(file: Path, settings: Settings, name: str = "made") -> Path:
    """A model folder around ``file``, in which check finds nothing."""
    folder = from_onnx.write(name, from_onnx.derive(file), settings)
    assert check([folder], settings) == []
    return folder


def served(
    folder: Path, environment: ExecutionEnvironment, server: Server, case: str = "example"
) -> Any:
    """Return the server's answer to the golden case, after comparing it with the expected one."""
    target = f"{folder.name}.tar.gz"
    server.load(target, artifact(folder, environment))
    try:
        place = folder / "tests" / "cases" / case
        got = golden.outcome(Model(server, target), place)
        assert golden.differences(place, got) == []
        return got
    finally:
        server.unload(target)


def test_everything_a_model_needs_is_written(tmp_path: Path, settings: Settings) -> None:
    folder = make(doubler(tmp_path / "m.onnx", ["N", 3]), settings)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "BUILD",
        "README.md",
        "model_version.txt",
        "requirements.txt",
        "requirements.lock",
        "made_preprocessing/config.pbtxt",
        "made_preprocessing/1/model.py",
        "made_inferencer/config.pbtxt",
        "made_inferencer/1/model.onnx",
        "made_inferencer/1/model.onnx.dvc",
        "made_inferencer/1/model.onnx.signature.json",
        "made_postprocessing/config.pbtxt",
        "made_postprocessing/1/model.py",
        "made_pipeline/config.pbtxt",
        "tests/test_made.py",
        "tests/cases/example/input.json",
        "tests/cases/example/expected.json",
    }
    assert (folder / "model_version.txt").read_text() == "0.1.0\n"
    assert [path.name for path in (settings.root / "models").iterdir()] == ["made"]


def test_check_needs_no_weights_where_the_pointer_has_a_signature(
    tmp_path: Path, settings: Settings
) -> None:
    folder = make(doubler(tmp_path / "m.onnx", ["N", 3]), settings)
    (folder / "made_inferencer" / "1" / "model.onnx").unlink()
    assert check([folder], settings) == []


def test_all_python_that_is_written_compiles(tmp_path: Path, settings: Settings) -> None:
    file = identity(tmp_path / "m.onnx", ["N"], TensorProto.FLOAT, x='cl"ass', y="a\nb")
    for path in make(file, settings).rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), str(path), "exec")


def test_a_graph_with_batches_is_served(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    # a row of the second output has no dimension of its own
    file = save(
        tmp_path / "m.onnx",
        [node("Softmax", ["X"], ["Y"]), node("ReduceMax", ["X"], ["Z"], axes=[1], keepdims=0)],
        [tensor("X", ["N", 3])],
        [tensor("Y", ["N", 3]), tensor("Z", ["N"])],
    )
    folder = make(file, settings)
    assert config.load_config(folder / "made_inferencer" / "config.pbtxt").max_batch_size == 16
    answer = served(folder, environment, server)
    assert answer["Y"].shape == (1, 3) and answer["Z"].shape == (1, 1)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_served(
    name: str, tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    folder = make(identity(tmp_path / "m.onnx", [2, "N"], TYPES[name]), settings)
    answer = served(folder, environment, server)
    assert answer["Y"].shape == (2, 3)


def test_scalars_travel_as_one_element(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    folder = make(doubler(tmp_path / "m.onnx", []), settings)
    assert served(folder, environment, server)["Y"].shape == (1,)


def test_an_output_of_unknown_rank_is_served(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("Reshape", ["X", "S"], ["Y"])],
        [tensor("X", [4]), tensor("S", ["K"], TensorProto.INT64)],
        [tensor("Y", None)],
    )
    derived = from_onnx.derive(file)
    assert derived.graph.outputs[0].shape is None
    folder = make(file, settings)
    assert "Y" in served(folder, environment, server)


def test_names_that_would_collide_or_do_harm_are_changed_for_clients_only(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    # an input that is an output as well, names that differ by case, and one that means 507
    file = save(
        tmp_path / "m.onnx",
        [node("Neg", ["X"], ["x"]), node("Abs", ["X"], ["BEDROOMS"])],
        [tensor("X", [2])],
        [tensor("X", [2]), tensor("x", [2]), tensor("BEDROOMS", [2])],
    )
    answer = served(make(file, settings), environment, server)
    assert set(answer) == {"X_2", "x", "bedrooms"}
    np.testing.assert_array_equal(answer["X_2"], -answer["x"])


def test_an_input_that_nothing_uses_is_served(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("Neg", ["X"], ["Y"])],
        [tensor("X", [2]), tensor("UNUSED", [3])],
        [tensor("Y", [2])],
    )
    assert set(served(make(file, settings), environment, server)) == {"Y"}


def test_external_data_is_tracked_and_served(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    (tmp_path / "weights").mkdir()
    file = save(
        tmp_path / "graph.onnx",
        [node("Add", ["X", "W"], ["Y"])],
        [tensor("X", ["N", 4])],
        [tensor("Y", ["N", 4])],
        {"W": np.arange(4, dtype=np.float32)},
        external="weights/w.bin",
    )
    folder = make(file, settings)
    version = folder / "made_inferencer" / "1"
    assert (version / "model.onnx" / "weights" / "w.bin").is_file()
    assert (version / "model.onnx.dvc").is_file()
    assert "Y" in served(folder, environment, server)


def test_what_never_answers_twice_alike_has_no_golden_case(
    tmp_path: Path, settings: Settings
) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("RandomNormalLike", ["X"], ["Y"])],
        [tensor("X", [2, 2])],
        [tensor("Y", [2, 2])],
    )
    folder = make(file, settings)
    assert not golden.cases(folder)
    assert golden.inputs(folder / "tests" / "request")["X"].shape == (2, 2)


def test_a_graph_that_takes_no_example_is_written_without_one(
    tmp_path: Path, settings: Settings
) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("Gather", ["T", "X"], ["Y"]), node("Reshape", ["Y", "S"], ["Z"])],
        [tensor("X", ["N"], TensorProto.INT64), tensor("S", [2], TensorProto.INT64)],
        [tensor("Z", [None, None])],
        {"T": np.ones((1, 7), np.float32)},
    )
    derived = from_onnx.derive(file)
    assert derived.example is None or derived.example.outputs["Z"].size == 7 * 3
    make(file, settings)


def test_large_tensors_of_a_case_lie_beside_its_json(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    folder = make(doubler(tmp_path / "m.onnx", ["N", 3, 64, 64]), settings)
    case = folder / "tests" / "cases" / "example"
    assert len((case / "input.json").read_text()) < 200
    said = json.loads((case / "expected.json").read_text())
    assert said["outputs"]["Y"]["data"] == {"file": "expected_Y.npy"}
    served(folder, environment, server)


def test_the_version_and_the_batch_are_as_they_are_asked_for(
    tmp_path: Path, settings: Settings
) -> None:
    derived = from_onnx.derive(doubler(tmp_path / "m.onnx", ["N", 3]), 2)
    folder = from_onnx.write("made", derived, settings, version="2.0.0-rc.1")
    assert (folder / "model_version.txt").read_text() == "2.0.0-rc.1\n"
    assert config.load_config(folder / "made_pipeline" / "config.pbtxt").max_batch_size == 2
