"""Twelve kinds of repositories: what is left to do by hand in each, and nothing else is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check import check
from slipway.settings import Settings
from tests.adopt import foreign_repositories
from tests.adopt.conftest import Adopt

# the rules of the steps that are left, besides golden cases; docs/adopt.md has the same numbers
STEPS: dict[str, list[str]] = {
    "bert_ensemble": [],
    "bls_pipeline": [],
    "config_too_deep": [],
    "dali_ensemble": [],
    "fil_ensemble": [],
    "ocr": [],
    "packed_environment": [],
    "single_models": ["SW210", "SW210", "SW232"],
    "tensorrt_llm": ["SW201", "SW201", "SW201", "SW201"],
    "weights_elsewhere": ["SW321"],
    "whisper": [],
    "yolo": [],
}


@pytest.mark.parametrize("name", foreign_repositories.names())
def test_only_the_steps_by_hand_are_left(
    name: str, tmp_path: Path, settings: Settings, adopt: Adopt
) -> None:
    results = adopt(foreign_repositories.make(name, tmp_path))
    steps = [step for result in results for step in result.steps]
    assert sorted(str(step.rule) for step in steps) == STEPS[name], steps
    named = {step.where.partition(":")[0] for step in steps}
    for result in results:
        folder = settings.root / "models" / result.name
        for finding in check([folder], settings):
            where = finding.location.file.relative_to(settings.root)
            if finding.severity == "error":
                # at the place of a step, or of the model's directory around it
                assert any(
                    Path(path).is_relative_to(where) or where == Path(path).parent for path in named
                ), finding


def test_a_repository_becomes_as_many_folders_as_it_has_served_models(
    tmp_path: Path, settings: Settings, adopt: Adopt
) -> None:
    names = {
        name: [result.name for result in adopt(foreign_repositories.make(name, tmp_path))]
        for name in ("ocr", "single_models", "bls_pipeline")
    }
    assert names == {
        "ocr": ["ocr"],
        "single_models": [
            "densenet_onnx",
            "identity_fp32",
            "inception_graphdef",
            "resnet50_torch",
            "scaler",
        ],
        "bls_pipeline": ["bls_pipeline"],
    }
