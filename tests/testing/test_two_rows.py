"""Where a config allows several rows, two are answered as one is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from slipway.model.interface import Interface, Tensor, blank_request
from slipway.server import triton
from slipway.server.server import Server
from slipway.settings import Settings
from slipway.testing.model import Model
from slipway.testing.two_rows import check_two_rows, takes_rows
from tests import fixture_models

LABEL = Path(__file__).parents[1] / "signature" / "trial" / "fixtures" / "one_row_label.onnx"
ROWS = """
name: "rows"
backend: "onnxruntime"
max_batch_size: 0
input { name: "input" data_type: TYPE_FP32 dims: [ -1, 30 ] }
output { name: "label" data_type: TYPE_INT64 dims: [ 1 ] }
output { name: "probabilities" data_type: TYPE_FP32 dims: [ -1, 2 ] }
"""
# an ensemble in front of it checks the shapes of what it passes on
PIPELINE = """
name: "rows_pipeline"
platform: "ensemble"
max_batch_size: 0
input { name: "input" data_type: TYPE_FP32 dims: [ -1, 30 ] }
output { name: "scaled" data_type: TYPE_INT64 dims: [ 1 ] }
ensemble_scheduling {
  step {
    model_name: "rows"
    model_version: -1
    input_map { key: "input" value: "input" }
    output_map { key: "label" value: "raw" }
  }
  step {
    model_name: "after"
    model_version: -1
    input_map { key: "X" value: "raw" }
    output_map { key: "Y" value: "scaled" }
  }
}
"""
AFTER = """
name: "after"
backend: "python"
max_batch_size: 0
input { name: "X" data_type: TYPE_INT64 dims: [ 1 ] }
output { name: "Y" data_type: TYPE_INT64 dims: [ 1 ] }
instance_group { kind: KIND_CPU }
parameters {
  key: "EXECUTION_ENV_PATH" value { string_value: "$$TRITON_MODEL_DIRECTORY/python_env" }
}
"""
PYTHON = """
name: "single"
backend: "python"
max_batch_size: %d
input { name: "X" data_type: TYPE_INT64 dims: [ 2 ] }
output { name: "Y" data_type: TYPE_INT64 dims: [ 2 ] }
instance_group { kind: KIND_CPU }
parameters {
  key: "EXECUTION_ENV_PATH" value { string_value: "$$TRITON_MODEL_DIRECTORY/python_env" }
}
"""
MODEL = """
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        answers = []
        for request in requests:
            x = request.inputs()[0].as_numpy()
            answers.append(pb_utils.InferenceResponse([pb_utils.Tensor("Y", %s)]))
        return answers
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all tests here."""
    with triton.start(Settings(root=tmp_path_factory.mktemp("repository"))) as running:
        yield running


def python_model(folder: Path, name: str, config: str, answer: str) -> None:
    """Write a Python model that answers with the expression ``answer`` of its input ``x``."""
    (folder / name / "1").mkdir(parents=True)
    (folder / name / "config.pbtxt").write_text(config, encoding="utf-8")
    (folder / name / "1" / "model.py").write_text(MODEL % answer, encoding="utf-8")
    fixture_models.environment(folder / name / "python_env")


def problems(server: Server, folder: Path) -> list[str]:
    """Load a model, and return the problems of two rows."""
    target = f"{folder.name}.tar.gz"
    server.load(target, folder)
    model = Model(server, target)
    found = check_two_rows(model, blank_request(model.interface))
    server.unload(target)
    return found


def test_an_ensemble_whose_graph_declares_one_row_is_named_with_its_graph(
    server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "declared"
    for name, config in (("rows", ROWS), ("rows_pipeline", PIPELINE)):
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "config.pbtxt").write_text(config, encoding="utf-8")
    shutil.copyfile(LABEL, folder / "rows" / "1" / "model.onnx")
    (folder / "rows_pipeline" / "1" / "README").touch()
    python_model(folder, "after", AFTER, "x * 2")
    failed, declared = problems(server, folder)
    assert failed.startswith("two rows fail, and one does not: ")
    assert "unexpected shape for input 'X' for model 'after'. Expected [1], got [2]" in failed
    assert declared == (
        "rows/1/model.onnx: output 'label' is declared [1], and has the shape [2] for two rows"
    )


@pytest.mark.parametrize(
    ("answer", "rows", "problem"),
    [
        ("x + 1", 4, None),
        ("x if len(x) == 1 else undefined", 4, "two rows fail, and one does not: "),
        ("x[:1]", 4, "output 'Y' is [1, 2] for one row, and [1, 2] for two"),
        ("x + len(x)", 4, "output 'Y' is another for two equal rows than for one of them"),
        ("x + len(x)", 1, None),  # the server passes on one row only
    ],
)
def test_a_python_model_answers_two_rows_as_it_answers_one(
    server: Server, tmp_path: Path, answer: str, rows: int, problem: str | None
) -> None:
    python_model(tmp_path / "model", "single", PYTHON % rows, answer)
    found = problems(server, tmp_path / "model")
    assert [line[: len(problem or "")] for line in found] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("max_batch_size", "dims", "expected"),
    [
        (2, (3,), True),
        (1, (-1, 3), False),
        (0, (-1, 3), True),
        (0, (1, 3), False),
        (0, (), False),
    ],
)
def test_two_rows_are_sent_where_the_config_allows_them(
    max_batch_size: int, dims: tuple[int, ...], expected: bool
) -> None:
    interface = Interface(max_batch_size, {"X": Tensor("FP32", dims)}, {})
    assert takes_rows(interface, {"X": np.zeros((1, 3), np.float32)}) is expected
