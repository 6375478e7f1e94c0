"""Whether a config has to list its tensors is the repository's choice: ``explicit_tensors``."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.check import Finding, check
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from slipway.settings import Settings
from tests.check import fixture_repositories as repositories

TENSORS = re.compile(r"(input|output) \{[^}]*\}\n", re.DOTALL)
COMPLETES = (
    "    @staticmethod\n"
    "    def auto_complete_config(config: Any) -> Any:\n"
    '        config.add_input({"name": "WORDS", "data_type": "TYPE_STRING", "dims": [1]})\n'
    '        config.add_output({"name": "FEATURES", "data_type": "TYPE_FP32", "dims": [4]})\n'
    '        config.add_output({"name": "LENGTH", "data_type": "TYPE_INT64", "dims": [1]})\n'
    "        return config\n\n"
)


def without_tensors(root: Path, name: str) -> Path:
    """Write the good repository, and take the tensors out of the config of model ``name``."""
    repositories.make("good", root)
    path = root / "models" / "sound" / name / "config.pbtxt"
    path.write_text(TENSORS.sub("", path.read_text()))
    return path


def find(root: Path, *, explicit: bool) -> list[Finding]:
    settings = replace(repositories.load_settings(root), explicit_tensors=explicit)
    return check([root / "models" / "sound"], settings)


def rules(root: Path, *, explicit: bool) -> list[str]:
    return [finding.rule for finding in find(root, explicit=explicit)]


def test_a_valid_repository_passes_under_either_policy(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    assert rules(tmp_path, explicit=True) == rules(tmp_path, explicit=False) == []


def test_an_onnx_model_is_completed_from_its_graph(tmp_path: Path) -> None:
    without_tensors(tmp_path, "sound_inferencer")
    assert rules(tmp_path, explicit=True) == ["SW210", "SW210"]
    assert rules(tmp_path, explicit=False) == []


def test_a_step_is_held_to_what_its_graph_completes(tmp_path: Path) -> None:
    config = without_tensors(tmp_path, "sound_inferencer")
    pipeline = config.parents[1] / "sound_pipeline" / "config.pbtxt"
    pipeline.write_text(
        pipeline.read_text().replace('key: "SCORE" value: "score"', 'key: "SCOR" value: "score"', 1)
    )
    assert rules(tmp_path, explicit=False) == ["SW405"]


def test_the_batches_of_a_graph_are_those_that_the_backend_sets(tmp_path: Path) -> None:
    config = without_tensors(tmp_path, "sound_inferencer")
    config.write_text(config.read_text().replace("max_batch_size: 8\n", ""))
    repository = ModelRepository(Settings(root=tmp_path, explicit_tensors=False))
    model = ModelUnderCheck(config.parents[1], repository)
    _, completed = model.parsed["sound_inferencer"]
    assert completed.max_batch_size == 4 and completed.HasField("dynamic_batching")
    assert "SW423" in rules(tmp_path, explicit=False)  # the ensemble promises batches of 8


def test_a_python_model_may_complete_itself(tmp_path: Path) -> None:
    config = without_tensors(tmp_path, "sound_preprocessing")
    assert set(rules(tmp_path, explicit=False)) == {"SW210"}
    code = config.parent / "1" / "model.py"
    execute = "    def execute"
    code.write_text(code.read_text().replace(execute, f"{COMPLETES}{execute}", 1))
    assert rules(tmp_path, explicit=False) == []
    assert set(rules(tmp_path, explicit=True)) == {"SW210"}


@pytest.mark.parametrize("name", ["sound_pipeline", "sound_postprocessing"])
def test_what_no_backend_completes_is_an_error_under_either_policy(
    name: str, tmp_path: Path
) -> None:
    without_tensors(tmp_path, name)
    for explicit in (True, False):
        assert "SW210" in rules(tmp_path, explicit=explicit)


@pytest.mark.parametrize("backend", ["pytorch", "fil"])
def test_backends_that_complete_nothing(backend: str, tmp_path: Path) -> None:
    config = without_tensors(tmp_path, "sound_inferencer")
    config.write_text(config.read_text().replace("onnxruntime", backend))
    assert rules(tmp_path, explicit=False).count("SW210") == 2


def test_the_text_says_whose_choice_it_is(tmp_path: Path) -> None:
    without_tensors(tmp_path, "sound_inferencer")
    first = find(tmp_path, explicit=True)[0]
    assert "explicit_tensors in slipway.toml" in first.what
