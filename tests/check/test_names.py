"""Equal names in two artifacts matter only to calls between models; the real server judges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slipway.check import check
from slipway.settings import Settings
from tests.check.real_server import Outcome, RealServer, as_arrays

TENSORS = """max_batch_size: 0
input { name: "X" data_type: TYPE_FP32 dims: [ 1 ] }
output { name: "Y" data_type: TYPE_FP32 dims: [ 1 ] }
"""
CODE = """import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        x = pb_utils.get_input_tensor_by_name(request, "X")
        {body}
        return pb_utils.InferenceResponse([pb_utils.Tensor("Y", y)])
"""
CALL = """call = pb_utils.InferenceRequest(
            model_name="common", requested_output_names=["Y"], inputs=[x]
        )
        answer = call.exec()
        if answer.has_error():
            raise pb_utils.TritonModelException(answer.error().message())
        y = pb_utils.get_output_tensor_by_name(answer, "Y").as_numpy()"""
REQUEST = as_arrays({"X": np.array([1], np.float32)})


def add_model(folder: Path, name: str, body: str) -> None:
    (folder / name / "1").mkdir(parents=True)
    (folder / name / "config.pbtxt").write_text(f'name: "{name}"\nbackend: "python"\n{TENSORS}')
    (folder / name / "1" / "model.py").write_text(CODE.format(body=body))


def artifact(root: Path, name: str, steps: list[str], factor: int) -> Path:
    """Write a folder with a model ``common``, and an ensemble of ``steps`` unless there are none.

    Its model ``<name>_caller`` calls ``common``.
    """
    folder = root / "models" / name
    add_model(folder, "common", f"y = x.as_numpy() * {factor}")
    for step in steps:
        if step != "common":
            body = CALL if step.endswith("_caller") else "y = x.as_numpy() * 3"
            add_model(folder, step, body)
    maps = "".join(
        f'step {{ model_name: "{step}" model_version: -1'
        f' input_map {{ key: "X" value: "{"X" if at == 0 else f"t{at}"}" }}'
        f' output_map {{ key: "Y" value: "{"Y" if at == len(steps) - 1 else f"t{at + 1}"}" }} }}\n'
        for at, step in enumerate(steps)
    )
    if steps:
        (folder / f"{name}_pipeline" / "1").mkdir(parents=True)
        (folder / f"{name}_pipeline" / "1" / "kept").touch()
        (folder / f"{name}_pipeline" / "config.pbtxt").write_text(
            f'name: "{name}_pipeline"\nplatform: "ensemble"\n{TENSORS}'
            f"ensemble_scheduling {{\n{maps}}}\n"
        )
    return folder


@pytest.mark.parametrize(
    ("steps", "of_other", "broken"),
    [
        (["a_caller", "common"], ["common"], True),
        (["a_caller", "common"], ["b_own"], True),  # a directory that no step names
        (["a_caller", "common"], [], False),  # the served model's name is mapped
        (["common"], ["common"], False),
        (["common"], ["b_caller", "common"], False),  # b's call breaks, a answers
    ],
)
def test_a_name_of_two_artifacts_is_an_error_where_a_call_fails(
    steps: list[str], of_other: list[str], broken: bool, tmp_path: Path
) -> None:
    a = artifact(tmp_path, "a", steps, 2)
    b = artifact(tmp_path, "b", of_other, 10)
    settings = Settings(root=tmp_path)
    found = [[f.rule for f in check([folder], settings) if f.rule == "SW112"] for folder in (a, b)]
    with RealServer(tmp_path / "server") as server:
        outcomes: list[Outcome] = [server.outcome(folder, [REQUEST], [b]) for folder in (a,)]
    assert outcomes[0].refused == ""
    failed = isinstance(outcomes[0].answers[0], str)
    assert failed == broken
    called = any(step.endswith("_caller") for step in (*steps, *of_other)) and of_other != []
    assert found == [["SW112"] * called] * 2


def test_a_name_that_nobody_calls_may_be_any(tmp_path: Path) -> None:
    """SW119 asks for unique names only of models that are called."""
    a = artifact(tmp_path, "a", ["common"], 2)
    settings = Settings(root=tmp_path)
    assert not [f for f in check([a], settings) if f.rule in ("SW112", "SW119")]
    b = artifact(tmp_path / "calling", "b", ["b_caller", "common"], 2)
    found = [f for f in check([b], Settings(root=tmp_path / "calling")) if f.rule == "SW119"]
    assert [finding.fix for finding in found] == ["rename it: b_common"]
