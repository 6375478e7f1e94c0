"""A folder created from an ONNX file passes check and is served with ONNX Runtime's answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto

from slipway.check import check
from slipway.environment import ExecutionEnvironment
from slipway.scaffold import from_onnx
from slipway.server.server import Server
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


def create(file: Path, settings: Settings, name: str = "sample") -> Path:
    """Create a model folder from ``file`` and check that it has no findings."""
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
        case_folder = folder / "tests" / "cases" / case
        got = golden.outcome(Model(server, target), case_folder)
        assert golden.differences(case_folder, got) == []
        return got
    finally:
        server.unload(target)


def test_everything_a_model_needs_is_written(tmp_path: Path, settings: Settings) -> None:
    folder = create(doubler(tmp_path / "m.onnx", ["N", 3]), settings)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "BUILD",
        "README.md",
        "model_version.txt",
        "requirements.txt",
        "requirements.lock",
        "sample_preprocessing/config.pbtxt",
        "sample_preprocessing/1/model.py",
        "sample_inferencer/config.pbtxt",
        "sample_inferencer/1/model.onnx",
        "sample_inferencer/1/model.onnx.dvc",
        "sample_inferencer/1/model.onnx.signature.json",
        "sample_postprocessing/config.pbtxt",
        "sample_postprocessing/1/model.py",
        "sample_pipeline/config.pbtxt",
        "tests/test_sample.py",
        "tests/cases/example/input.json",
        "tests/cases/example/expected.json",
    }
    assert (folder / "model_version.txt").read_text() == "0.1.0\n"
    assert [path.name for path in (settings.root / "models").iterdir()] == ["sample"]


def test_check_needs_no_weights_if_the_pointer_has_a_signature(
    tmp_path: Path, settings: Settings
) -> None:
    folder = create(doubler(tmp_path / "m.onnx", ["N", 3]), settings)
    (folder / "sample_inferencer" / "1" / "model.onnx").unlink()
    assert check([folder], settings) == []


def test_all_python_that_is_written_compiles(tmp_path: Path, settings: Settings) -> None:
    file = identity(tmp_path / "m.onnx", ["N"], TensorProto.FLOAT, x='cl"ass', y="a\nb")
    for path in create(file, settings).rglob("*.py"):
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
    folder = create(file, settings)
    assert config.load_config(folder / "sample_inferencer" / "config.pbtxt").max_batch_size == 16
    answer = served(folder, environment, server)
    assert answer["Y"].shape == (1, 3) and answer["Z"].shape == (1, 1)


def test_every_type_is_served(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("Identity", [f"X_{name}"], [f"Y_{name}"]) for name in TYPES],
        [tensor(f"X_{name}", [2, "N"], data_type) for name, data_type in TYPES.items()],
        [tensor(f"Y_{name}", [2, "N"], data_type) for name, data_type in TYPES.items()],
    )
    answer = served(create(file, settings), environment, server)
    assert {name: answer[f"Y_{name}"].shape for name in TYPES} == dict.fromkeys(TYPES, (2, 3))


def test_scalars_are_passed_as_one_element(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    folder = create(doubler(tmp_path / "m.onnx", []), settings)
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
    folder = create(file, settings)
    assert "Y" in served(folder, environment, server)


def test_colliding_or_unsafe_names_are_changed_for_clients_only(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    # an input that is also an output, names that differ by case, and one that means status 507
    file = save(
        tmp_path / "m.onnx",
        [node("Neg", ["X"], ["x"]), node("Abs", ["X"], ["BEDROOMS"])],
        [tensor("X", [2])],
        [tensor("X", [2]), tensor("x", [2]), tensor("BEDROOMS", [2])],
    )
    answer = served(create(file, settings), environment, server)
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
    assert set(served(create(file, settings), environment, server)) == {"Y"}


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
    folder = create(file, settings)
    version = folder / "sample_inferencer" / "1"
    assert (version / "model.onnx" / "weights" / "w.bin").is_file()
    assert (version / "model.onnx.dvc").is_file()
    assert "Y" in served(folder, environment, server)


def test_a_graph_with_random_outputs_has_no_golden_case(tmp_path: Path, settings: Settings) -> None:
    file = save(
        tmp_path / "m.onnx",
        [node("RandomNormalLike", ["X"], ["Y"])],
        [tensor("X", [2, 2])],
        [tensor("Y", [2, 2])],
    )
    folder = create(file, settings)
    assert not golden.cases(folder)
    assert golden.inputs(folder / "tests" / "request")["X"].shape == (2, 2)


def test_a_graph_that_accepts_no_example_is_written_without_one(
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
    create(file, settings)


def test_large_tensors_of_a_case_are_files_next_to_its_json(
    tmp_path: Path, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    folder = create(doubler(tmp_path / "m.onnx", ["N", 3, 64, 64]), settings)
    case = folder / "tests" / "cases" / "example"
    assert len((case / "input.json").read_text()) < 200
    expected = json.loads((case / "expected.json").read_text())
    assert expected["outputs"]["Y"]["data"] == {"file": "expected_Y.npy"}
    served(folder, environment, server)


def test_the_version_and_the_batch_size_can_be_chosen(tmp_path: Path, settings: Settings) -> None:
    derived = from_onnx.derive(doubler(tmp_path / "m.onnx", ["N", 3]), 2)
    folder = from_onnx.write("sample", derived, settings, version="2.0.0-rc.1")
    assert (folder / "model_version.txt").read_text() == "2.0.0-rc.1\n"
    assert config.load_config(folder / "sample_pipeline" / "config.pbtxt").max_batch_size == 2
