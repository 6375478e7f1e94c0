"""From somebody's repository to a release: adopted, checked, tested on a real server, published."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway import build
from slipway import environment as environments
from slipway.adopt.adopt import Adopted, Adoption
from slipway.adopt.adopt import adopt as adopt_plan
from slipway.adopt.plan import plan_adoption
from slipway.check import check
from slipway.environment import ExecutionEnvironment
from slipway.release.publish import publish
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.testing import golden, run
from tests.adopt import foreign_repositories
from tests.adopt.conftest import python_model, silent
from tests.scaffold import serving

RANDOM = """\
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        output = pb_utils.Tensor("Y", np.random.rand(1, 4).astype(np.float32))
        return [pb_utils.InferenceResponse([output]) for _ in requests]
"""
REFUSES = """\
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        error = pb_utils.TritonError("the model wants another input")
        return [pb_utils.InferenceResponse(error=error) for _ in requests]
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> ExecutionEnvironment:
    """Return an environment of this interpreter's numpy and Pillow."""
    return serving.environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture
def adopted(
    settings: Settings,
    without_index: None,
    environment: ExecutionEnvironment,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """Return the settings of a repository whose environments are this interpreter's packages."""
    monkeypatch.setattr(environments, "build_environment", lambda *_, **__: environment)
    return settings


def adopt(path: Path, settings: Settings) -> Adopted:
    """Adopt a repository of one served model, with golden cases from a server."""
    (result,) = adopt_plan(plan_adoption(path, None, settings), Adoption(settings, silent))
    return result


@pytest.mark.parametrize("name", ["bls_pipeline", "ocr"])
def test_an_adopted_repository_passes_check_and_its_tests_and_is_published(
    name: str, tmp_path: Path, adopted: Settings
) -> None:
    result = adopt(foreign_repositories.make(name, tmp_path), adopted)
    folder = adopted.root / "models" / result.name
    assert result.steps == ()
    assert [f for f in check([folder], adopted) if f.severity == "error"] == []
    assert len(golden.cases(folder)) == 1
    artifact = build.build(folder, adopted, tmp_path / "dist")
    assert run.run(folder, adopted.root, artifact=artifact.path) == 0
    release = publish(artifact, open_stage(adopted, "staging"))
    assert release.created and release.name == result.name


def test_a_model_whose_answers_vary_gets_a_request_and_no_golden_case(
    source: Path, adopted: Settings
) -> None:
    python_model(source, "score", RANDOM)
    result = adopt(source, adopted)
    assert "differ from call to call" in result.steps[0].what
    folder = adopted.root / "models" / "score"
    assert golden.cases(folder) == []
    assert (folder / "tests" / "request" / "input.json").is_file()


def test_a_model_that_refuses_every_request_is_a_step_with_its_message(
    source: Path, adopted: Settings
) -> None:
    python_model(source, "score", REFUSES)
    (step,) = adopt(source, adopted).steps
    assert "the model refuses every request that was tried" in step.what
    assert "the model wants another input" in step.what
    assert "models/score/tests/cases/example/input.json" in step.fix
