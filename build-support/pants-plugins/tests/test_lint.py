"""`lint` checks all models in one process, and tells of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import repository as made
from pants.core.goals.lint import Lint, LintResult
from pants.core.util_rules.partitions import Partitions
from pants.testutil.rule_runner import GoalRuleResult
from repository import Repository, model

from slipway_pants.linting import CheckModelFieldSet, CheckModelsRequest

SOUND = [f"sound{number}" for number in range(4)]
BROKEN = ["broken", "worse"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def repository(home: Path) -> Repository:
    broken = [model(name, lock="broken") for name in BROKEN]
    return made.of(home, *map(model, SOUND), *broken)


def lint(repository: Repository, *specs: str, options: tuple[str, ...] = ()) -> GoalRuleResult:
    """Run the goal with `options`, as if nothing had been checked before."""
    home = Path(repository.environment["HOME"])
    (home / "checked").write_text("")
    return repository.goal(Lint, *specs, options=("--lint-only=slipway-check", *options))


def checked(repository: Repository) -> list[dict[str, list[str]]]:
    """What each process of the check was told to look at, and what it saw."""
    lines = Path(repository.environment["HOME"], "checked").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_one_process_checks_all_models_however_many(repository: Repository) -> None:
    assert lint(repository, "::", options=("--lint-batch-size=1",)).exit_code == 1
    (process,) = checked(repository)
    assert process["folders"] == [f"models/{name}" for name in sorted(SOUND + BROKEN)]


def test_a_broken_model_hides_no_other(repository: Repository) -> None:
    fields = [
        CheckModelFieldSet.create(repository.target(name, "artifact")) for name in SOUND + BROKEN
    ]
    asked = CheckModelsRequest.PartitionRequest(tuple(fields))
    (partition,) = repository.engine.request(Partitions, [asked])
    batch = CheckModelsRequest.Batch("", partition.elements, partition.metadata)
    result = repository.engine.request(LintResult, [batch])
    assert result.exit_code == 1
    said = "mistakes in models/broken/requirements.lock models/worse/requirements.lock"
    assert said in result.stderr


def test_a_model_is_checked_beside_the_configs_of_all(repository: Repository) -> None:
    assert lint(repository, "models/sound0:").exit_code == 0
    (process,) = checked(repository)
    assert process["folders"] == ["models/sound0"]
    own = [file for file in process["seen"] if file.startswith("models/sound0/")]
    assert own == [
        "models/sound0/README.md",
        "models/sound0/model_version.txt",
        "models/sound0/requirements.lock",
        "models/sound0/requirements.txt",
        "models/sound0/sound0_inferencer/1/model.onnx.dvc",
        "models/sound0/sound0_inferencer/config.pbtxt",
        "models/sound0/sound0_preprocessing/1/model.py",
        "models/sound0/sound0_preprocessing/config.pbtxt",
    ]
    others = [file for file in process["seen"] if file not in own]
    assert len(others) == 2 * (len(SOUND) + len(BROKEN) - 1)
    assert {Path(file).name for file in others} == {"config.pbtxt"}


def test_a_changed_pointer_alone_has_its_model_checked(repository: Repository) -> None:
    assert lint(repository, "models/sound1/sound1_inferencer/1/model.onnx.dvc").exit_code == 0
    assert checked(repository)[0]["folders"] == ["models/sound1"]


def test_a_report_that_is_asked_for_lies_in_dist(repository: Repository) -> None:
    result = lint(repository, "models/sound2:", options=("--slipway-check-report=gitlab",))
    assert result.exit_code == 0
    report = Path(repository.engine.build_root, "dist/lint/slipway-check/gitlab.json")
    assert report.read_text() == "gitlab report"


def test_check_can_be_skipped(repository: Repository) -> None:
    assert lint(repository, "::", options=("--slipway-check-skip",)).exit_code == 0
    assert checked(repository) == []
