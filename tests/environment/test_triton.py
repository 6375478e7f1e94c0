"""Environments in the real Triton."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from slipway.environment import ExecutionEnvironment, build_environment, lock_requirements
from slipway.server import triton
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse

CONFIG = """
name: "probe"
backend: "python"
max_batch_size: 8
input [{ name: "NUMBERS" data_type: TYPE_FP32 dims: [ 3 ] }]
output [
  { name: "DOUBLED" data_type: TYPE_FP32 dims: [ 3 ] },
  { name: "FACTS" data_type: TYPE_STRING dims: [ 4 ] }
]
instance_group [{ kind: KIND_CPU }]
parameters {
  key: "EXECUTION_ENV_PATH" value { string_value: "$$TRITON_MODEL_DIRECTORY/python_env%s" }
}
"""
MODEL = """
import asyncio, ctypes, decimal, importlib.metadata, json, logging, multiprocessing, sqlite3, sys
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        answers = []
        for request in requests:
            numbers = pb_utils.get_input_tensor_by_name(request, "NUMBERS").as_numpy()
            with open("/proc/self/maps") as maps:
                library = next(line.split()[-1] for line in maps if "libpython" in line)
            facts = [sys.prefix, json.__file__, np.__file__, library]
            facts = np.array([facts] * len(numbers), dtype=object)
            answers.append(pb_utils.InferenceResponse([
                pb_utils.Tensor("DOUBLED", numbers * 2), pb_utils.Tensor("FACTS", facts)
            ]))
        return answers
"""


@pytest.fixture
def built(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> ExecutionEnvironment:
    wheelhouse.installed("numpy")
    return build_environment(lock_requirements(requirements("numpy"), settings), settings)


def artifact(folder: Path, built: ExecutionEnvironment, layout: str) -> Path:
    model = folder / "probe"
    (model / "1").mkdir(parents=True)
    (model / "config.pbtxt").write_text(CONFIG % (".tar.gz" if layout == "archive" else ""))
    (model / "1" / "model.py").write_text(MODEL)
    if layout == "archive":
        (model / "python_env.tar.gz").write_bytes(built.archive.read_bytes())
    else:
        with tarfile.open(built.archive) as archive:
            archive.extractall(model / "python_env", filter="data")
    return folder


@pytest.mark.parametrize("layout", ["directory", "archive"])
def test_a_model_is_served_with_its_environments_own_python_and_packages(
    built: ExecutionEnvironment, settings: Settings, tmp_path: Path, layout: str
) -> None:
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    with triton.start(settings) as server:
        server.load("probe.tar.gz", artifact(tmp_path / "artifact", built, layout))
        outputs = server.invoke("probe.tar.gz", {"NUMBERS": numbers})
    np.testing.assert_array_equal(outputs["DOUBLED"], numbers * 2)
    prefix, json_file, numpy_file, library = (fact.decode() for fact in outputs["FACTS"][0])
    assert "python_env" in prefix
    assert json_file.startswith(f"{prefix}/lib/python312.zip/")
    assert numpy_file.startswith(f"{prefix}/lib/python3.12/site-packages/")
    assert library.startswith(f"{prefix}/lib/")
