"""The goals, on models some of which are broken."""

from __future__ import annotations

from pathlib import Path

import pytest
import repository as made
from pants.backend.python.goals.pytest_runner import PytestPluginSetup
from pants.core.goals.package import Package
from pants.core.goals.publish import Publish
from pants.core.goals.run import Run
from pants.engine.fs import DigestContents
from pants.engine.internals.scheduler import ExecutionError
from pants.testutil.rule_runner import mock_console
from repository import Repository, model

from slipway_pants.testing import ArtifactForTestsRequest

SOUND = model("sound", pointer="a", lock="the same")
TWIN = model("twin", pointer="b", lock="the same")
BROKEN = model("broken", pointer="broken")
UNLOCKED = model("unlocked", lock="broken")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def repository(home: Path) -> Repository:
    return made.of(home, SOUND, TWIN, BROKEN, UNLOCKED)


@pytest.fixture(scope="module")
def packaged(repository: Repository) -> str:
    """`package ::`'s error."""
    with pytest.raises(ExecutionError) as raised:
        repository.goal(Package, "::")
    return str(raised.value)


def written(repository: Repository) -> list[str]:
    dist = Path(repository.engine.build_root, "dist")
    return sorted(str(path.relative_to(dist)) for path in dist.rglob("*"))


def test_package_writes_every_artifact_that_can_be_built_and_nothing_else(
    repository: Repository, packaged: str
) -> None:
    names = [f"{name}_1.0.0.tar.gz" for name in ("sound", "twin")]
    assert written(repository) == sorted(names + [f"{name}.sha256" for name in names])


def test_package_fails_when_a_model_could_not_be_built(packaged: str) -> None:
    assert "was not built" in packaged


def test_an_artifact_holds_the_model_with_its_weights_and_environment_and_nothing_else(
    repository: Repository, packaged: str
) -> None:
    artifact = Path(repository.engine.build_root, "dist", "sound_1.0.0.tar.gz").read_text()
    assert artifact.splitlines() == [
        "models/sound/model_version.txt: 1.0.0",
        "models/sound/sound_inferencer/1/model.onnx: weights of a",
        "models/sound/sound_inferencer/1/model.onnx.dvc: a",
        "models/sound/sound_inferencer/config.pbtxt: ",
        "models/sound/sound_preprocessing/1/model.py: code",
        "models/sound/sound_preprocessing/config.pbtxt: ",
        "environment/environment.tar.gz: packages of the same",
    ]


def test_models_with_equal_locks_share_one_build(home: Path, packaged: str) -> None:
    assert (home / "built").read_text().split("\n").count("the same") == 1


def test_weights_in_the_checkout_are_not_what_is_packed(home: Path) -> None:
    beside = {"models/sound/sound_inferencer/1/model.onnx": "of another day"}
    repository = made.of(home, SOUND, beside)
    assert "weights of a" in repository.built("sound").text
    assert "another day" not in repository.built("sound").text


def test_a_broken_pointer_is_told_in_the_library_s_words(repository: Repository) -> None:
    problem = repository.built("broken").problem
    pointer = "models/broken/broken_inferencer/1/model.onnx.dvc"
    assert problem == f"error: {pointer}: no such object\nfix: mend it"


def test_a_broken_lock_is_told_by_its_own_name(repository: Repository) -> None:
    problem = repository.built("unlocked").problem
    assert problem is not None
    assert problem.startswith("error: models/unlocked/requirements.lock:1: does not match")


def provided(repository: Repository, name: str) -> dict[str, bytes]:
    request = ArtifactForTestsRequest(repository.test(name))
    setup = repository.engine.request(PytestPluginSetup, [request])
    contents = repository.engine.request(DigestContents, [setup.digest])
    return {file.path: file.content for file in contents}


def test_a_model_s_tests_get_its_artifact_cases_and_settings(repository: Repository) -> None:
    assert sorted(provided(repository, "sound")) == [
        ".slipway/artifacts/sound.tar.gz",
        "models/sound/tests/cases/one/input.json",
        "slipway.toml",
    ]


def test_a_broken_model_s_tests_get_the_error_instead(repository: Repository) -> None:
    files = provided(repository, "broken")
    assert b"no such object" in files[".slipway/artifacts/broken.error.txt"]
    assert ".slipway/artifacts/broken.tar.gz" not in files


def test_publish_publishes_what_it_can_and_fails_for_the_rest(repository: Repository) -> None:
    with mock_console(repository.engine.options_bootstrapper):
        result = repository.goal(Publish, "models/sound:", "models/broken:")
    assert result.exit_code == 1
    assert "sound_1.0.0.tar.gz published to the release store" in result.stderr
    assert "broken_1.0.0.tar.gz failed" in result.stderr


def test_run_serves_the_packed_artifact(repository: Repository) -> None:
    with mock_console(repository.engine.options_bootstrapper):
        assert repository.goal(Run, "models/sound:artifact").exit_code == 0
