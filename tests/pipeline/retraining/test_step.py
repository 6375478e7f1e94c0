"""The steps ``compare`` and ``propose`` as a container runs them, with SageMaker's folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.pipeline.retraining import step
from slipway.training.run import TrainingRun, load_run, run_path
from tests.pipeline.history import NOBODY
from tests.pipeline.retraining import trainings
from tests.pipeline.retraining.trainings import FOLDER, NAME, SERVED, Trainings

CHANGED = ("dvc.lock", "training/metrics.json", "training/params.yaml")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trainings:
    for key in [key for key in os.environ if key.startswith(("CI_", "SLIPWAY_", "GITLAB_"))]:
        monkeypatch.delenv(key)
    for key, value in {**NOBODY, "DVC_NO_ANALYTICS": "1"}.items():
        monkeypatch.setenv(key, value)
    made = trainings.begin(tmp_path)
    monkeypatch.setenv("SLIPWAY_PRODUCTION_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    monkeypatch.setenv("SLIPWAY_REPOSITORY", str(made.history.origin))
    made.release({"test.auc": 0.91})
    # the container works in the code's archive, not in a checkout
    monkeypatch.chdir(shutil.copytree(made.root, tmp_path / "code", ignore=_git))
    return made


def _git(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == ".git"]


def evaluated(project: Trainings, rounds: int, base: Path) -> TrainingRun:
    """What the steps before leave: results in the input ``evaluation``, weights in the remote."""
    run = project.train(rounds)
    subprocess.run([sys.executable, "-m", "dvc", "push", "-q"], cwd=project.root, check=True)
    results = base / "processing" / "input" / "evaluation"
    for name in CHANGED:
        target = results / "files" / FOLDER / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.root / FOLDER / name, target)
    shutil.copy(run_path(project.root / FOLDER), results / "run.json")
    project.history.git("checkout", "--quiet", "--", ".")
    return run


def output(base: Path, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((base / "processing" / "output" / name).read_text())
    return found


def test_a_container_compares_and_proposes_from_a_clone_of_the_commit_that_it_ran(
    project: Trainings, tmp_path: Path
) -> None:
    base = tmp_path / "ml"
    run = evaluated(project, 40, base)
    step.main(["compare", f"model={NAME}", f"run={run.id}", "set.train.rounds=40"])
    comparison = output(base, "comparison.json")
    assert comparison["verdict"] == "better" and comparison["release"] == "1.0.0"
    compared = output(base, "run.json")["compared"]
    assert isinstance(compared, dict) and compared["metrics"] == {"test.auc": 0.91}
    # main has moved on meanwhile: the proposal is of the commit that was trained
    project.history.write("README.md", "newer words\n")
    project.history.git("commit", "--quiet", "--all", "--message=newer")
    project.history.push()
    step.main(["propose", f"model={NAME}", f"run={run.id}"])
    proposal = output(base, "proposal.json")
    assert proposal["state"] == "proposed"
    assert proposal["merge_request"] == "http://gitlab.invalid/team/models/-/merge_requests/7"
    clone = tmp_path / "elsewhere"
    origin, branch = project.history.origin, f"retrain/{NAME}"
    subprocess.run(["git", "clone", "-q", "-b", branch, origin, clone], check=True)
    assert (clone / "README.md").read_text() == "words\n"
    assert (clone / FOLDER / "model_version.txt").read_text() == "1.1.0\n"
    kept = load_run(clone / FOLDER)
    assert kept is not None and kept.id == run.id and kept.compared is not None
    pointer = f"{FOLDER}/{SERVED}.dvc"
    subprocess.run([sys.executable, "-m", "dvc", "pull", "-q", pointer], cwd=clone, check=True)
    # a retry of the task changes nothing
    step.main(["propose", f"model={NAME}", f"run={run.id}"])
    assert output(base, "proposal.json")["state"] == "unchanged"


def test_a_failed_step_says_why_where_sagemaker_reads_it(
    project: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "ml"
    run = evaluated(project, 40, base)
    monkeypatch.delenv("SLIPWAY_REPOSITORY")
    with pytest.raises(SlipwayError, match="no repository to propose to") as caught:
        step.main(["propose", f"model={NAME}", f"run={run.id}"])
    assert "SLIPWAY_REPOSITORY" in str(caught.value.fix)
    assert "no repository" in (base / "output" / "message").read_text()
    with pytest.raises(SlipwayError, match="not of other"):
        step.main(["compare", "model=other", f"run={run.id}"])
    for words in (["nothing"], []):
        with pytest.raises(SlipwayError, match="no step") as caught:
            step.main(words)
        assert "train, evaluate, compare, propose" in str(caught.value.fix)
    with pytest.raises(SlipwayError, match="names no model"):
        step.main(["compare", "run=x"])


def test_results_with_a_file_that_is_none_of_the_training_are_refused(
    project: Trainings, tmp_path: Path
) -> None:
    base = tmp_path / "ml"
    run = evaluated(project, 40, base)
    other = base / "processing/input/evaluation/files/models/one/one/1/model.py"
    other.parent.mkdir(parents=True)
    other.write_text("import os\n")
    with pytest.raises(SlipwayError, match="is no result of a training of adder"):
        step.main(["propose", f"model={NAME}", f"run={run.id}"])
    assert not project.history.git("ls-remote", "origin", f"retrain/{NAME}")
