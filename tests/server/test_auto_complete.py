"""A repository whose configs may leave out what the server completes, on the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from slipway.errors import SlipwayError
from slipway.server import triton
from slipway.server.server import Server
from slipway.settings import Settings
from tests import fixture_models

COMPLETING = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        config.add_input({"name": "IN", "data_type": "TYPE_FP32", "dims": [2]})
        config.add_output({"name": "OUT", "data_type": "TYPE_FP32", "dims": [2]})
        return config

    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(
                [
                    pb_utils.Tensor(
                        "OUT", pb_utils.get_input_tensor_by_name(request, "IN").as_numpy() * 2
                    )
                ]
            )
            for request in requests
        ]
"""
IN = {"IN": np.array([1, 2], np.float32)}


def path_with_numpy(root: Path) -> str:
    """Return a PATH on which the server's stub finds a Python with numpy."""
    fixture_models.environment(root / "environment")
    return f"{root / 'environment' / 'bin'}:/usr/bin:/bin"


@pytest.fixture(scope="module")
def completing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server as the settings of a repository without explicit tensors start it."""
    settings = Settings(root=tmp_path_factory.mktemp("root"), explicit_tensors=False)
    path = path_with_numpy(settings.root)
    with triton.start(settings, environment={"PATH": path}) as server:
        yield server


def onnx_model(folder: Path, config: str, shape: list[Any]) -> Path:
    """Write a repository of one graph that returns its input X as Y."""
    (folder / "m" / "1").mkdir(parents=True)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", ["X"], ["Y"])],
        "identity",
        [info("X", TensorProto.INT64, shape)],
        [info("Y", TensorProto.INT64, shape)],
    )
    fixture_models.save(graph, folder / "m" / "1" / "model.onnx")
    (folder / "m" / "config.pbtxt").write_text(f'name: "m" backend: "onnxruntime"\n{config}')
    return folder


def python_model(folder: Path, code: str = COMPLETING) -> Path:
    """Write a repository of one Python model whose config has no tensors."""
    (folder / "m" / "1").mkdir(parents=True)
    (folder / "m" / "1" / "model.py").write_text(code)
    (folder / "m" / "config.pbtxt").write_text('name: "m" backend: "python"\n')
    return folder


def test_a_python_model_completes_its_own_config(completing: Server, tmp_path: Path) -> None:
    completing.load("own", python_model(tmp_path))
    assert completing.invoke("own", IN)["OUT"].tolist() == [2, 4]


def test_a_completion_that_needs_an_instance_fails_the_load(
    completing: Server, tmp_path: Path
) -> None:
    """SW505."""
    code = COMPLETING.replace("@staticmethod", "").replace("(config)", "(self, config)")
    with pytest.raises(SlipwayError, match="TypeError"):
        completing.load("instance", python_model(tmp_path, code))


def test_a_graph_with_open_first_sizes_gets_batches_of_four(
    completing: Server, tmp_path: Path
) -> None:
    completing.load("open", onnx_model(tmp_path, "", ["N", 2]))
    rows = np.arange(8).reshape(4, 2)
    assert np.array_equal(completing.invoke("open", {"X": rows})["Y"], rows)
    with pytest.raises(SlipwayError, match="batch-size must be <= 4"):
        completing.invoke("open", {"X": np.arange(10).reshape(5, 2)})


def test_a_graph_with_fixed_sizes_gets_no_batches(completing: Server, tmp_path: Path) -> None:
    completing.load("fixed", onnx_model(tmp_path, "", [3]))
    assert completing.invoke("fixed", {"X": np.arange(3)})["Y"].tolist() == [0, 1, 2]


def test_batches_that_a_graph_cannot_have_fail_the_load(completing: Server, tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="model does not support batching"):
        completing.load("batches", onnx_model(tmp_path, "max_batch_size: 2", [3]))


def test_what_a_config_lists_is_not_changed(completing: Server, tmp_path: Path) -> None:
    """Neither batches are added, nor tensors: SW211 has no finding in such a config."""
    listed = "".join(
        f'{side} {{ name: "{name}" data_type: TYPE_INT64 dims: [ -1, 2 ] }}\n'
        for side, name in (("input", "X"), ("output", "Y"))
    )
    completing.load("listed", onnx_model(tmp_path, listed, ["N", 2]))
    assert completing.invoke("listed", {"X": np.arange(10).reshape(5, 2)})["Y"].shape == (5, 2)


def test_by_default_no_server_completes_a_config(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path / "root")
    settings.root.mkdir()
    path = path_with_numpy(settings.root)
    with triton.start(settings, environment={"PATH": path}) as server:
        server.load("own", python_model(tmp_path / "python"))
        with pytest.raises(SlipwayError, match="expected 0 inputs but got 1"):
            server.invoke("own", IN)
        with pytest.raises(SlipwayError, match="configuration expects 0 inputs"):
            server.load("open", onnx_model(tmp_path / "onnx", "", ["N", 2]))
