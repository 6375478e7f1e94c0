"""A retrained model becomes a merge request: git's own server with hooks, DVC's own remote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.pipeline.handover.merge_request import escaped
from slipway.pipeline.retraining.proposal import Options, propose_checkout
from slipway.training.run import load_run
from tests.pipeline.history import NOBODY
from tests.pipeline.retraining import trainings
from tests.pipeline.retraining.trainings import FOLDER, NAME, SERVED, Trainings

BRANCH = f"retrain/{NAME}"
JOB = {
    "CI_PIPELINE_SOURCE": "schedule",
    "GITLAB_USER_LOGIN": "someone",
    "CI_JOB_URL": "http://gitlab.invalid/team/models/-/jobs/5",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trainings:
    for key in [key for key in os.environ if key.startswith(("CI_", "SLIPWAY_", "GITLAB_"))]:
        monkeypatch.delenv(key)
    for key, value in {**NOBODY, "DVC_NO_ANALYTICS": "1"}.items():
        monkeypatch.setenv(key, value)
    return trainings.begin(tmp_path)


def tip(project: Trainings) -> str:
    """The commit of the branch in the origin; "" if there is none."""
    return project.history.git("ls-remote", "origin", BRANCH).partition("\t")[0]


def state(project: Trainings, *, allow_worse: bool = False) -> str:
    made = propose_checkout(project.root, NAME, JOB, Options(allow_worse=allow_worse))
    return "nothing" if made is None else made.state


def test_a_training_becomes_a_branch_from_which_anyone_gets_the_weights(
    project: Trainings, tmp_path: Path
) -> None:
    project.release({"test.auc": 0.91})
    run = project.train(40, reason="97 days old, at most 90")
    before = project.history.git("status", "--porcelain")
    made = propose_checkout(project.root, NAME, JOB, Options())
    assert made is not None and made.state == "proposed"
    assert made.title == "adder 1.1.0: retrained, better than production's 1.0.0"
    assert made.link == "http://gitlab.invalid/team/models/-/merge_requests/7"
    # the checkout is as it was
    assert project.history.git("status", "--porcelain") == before
    assert project.history.git("log", "--format=%s", "-1") == "a model"
    # what GitLab's hook sees
    options = project.options()
    assert options[:4] == [
        "merge_request.create",
        "merge_request.target=main",
        f"merge_request.title={made.title}",
        "merge_request.remove_source_branch",
    ]
    description = options[4].removeprefix("merge_request.description=").replace("\\n", "\n")
    assert description == made.text.strip()
    # another machine
    clone = tmp_path / "elsewhere"
    subprocess.run(["git", "clone", "-q", "-b", BRANCH, project.history.origin, clone], check=True)
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "pull", "-q", f"{FOLDER}/{SERVED}.dvc"], cwd=clone, check=True)
    trained = (project.root / FOLDER / "training/model.onnx").read_bytes()
    assert (clone / FOLDER / SERVED).read_bytes() == trained
    subprocess.run([*dvc, "pull", "-q"], cwd=clone, check=True)
    status = subprocess.run([*dvc, "status"], cwd=clone, check=True, capture_output=True, text=True)
    assert "up to date" in status.stdout
    assert (clone / FOLDER / "model_version.txt").read_text() == "1.1.0\n"
    kept = load_run(clone / FOLDER)
    assert kept is not None and kept.id == run.id
    assert kept.compared is not None and kept.compared.verdict == "better"


def test_the_text_has_both_metrics_what_changed_who_started_it_and_what_to_decide(
    project: Trainings,
) -> None:
    project.release({"test.auc": 0.91})
    project.history.write(f"{FOLDER}/training/rows.csv", "1,2,3,4\n")
    project.train(40, reason="rows.csv changed")
    made = propose_checkout(project.root, NAME, JOB, Options(show=True))
    assert made is not None and made.state == "shown" and not tip(project)
    for line in (
        "| `test.auc` | 0.94 | 0.91 | higher, margin 0.01 | better |",
        "- parameters: `train.rounds`: `10` → `40`",
        "- code: as in the training before",
        "- weights: `training/model.onnx` became `adder/1/model.onnx`",
        "- version: 1.0.0 → **1.1.0** (minor: weights adder/1/model.onnx changed)",
        "- started by a schedule, `someone`: rows.csv changed",
        "- http://gitlab.invalid/team/models/-/jobs/5",
        "    git fetch origin && git switch retrain/adder",
    ):
        assert line in made.text.splitlines(), made.text
    assert "- data: `models/adder/training/rows.csv`: `" in made.text
    assert "- [ ] Golden cases hold the answers of the weights before: `ones`." in made.text


def test_a_second_proposal_changes_nothing_and_a_newer_run_moves_the_same_branch(
    project: Trainings,
) -> None:
    project.release({"test.auc": 0.91})
    first = project.train(40)
    assert state(project) == "proposed"
    commit = tip(project)
    assert state(project) == "unchanged" and tip(project) == commit
    project.train(50)
    assert state(project) == "updated"
    moved = tip(project)
    assert moved != commit
    # one commit above main, not two
    project.history.git("fetch", "--quiet", "origin", BRANCH)
    assert project.history.git("rev-list", "--count", "main..FETCH_HEAD") == "1"
    # a slow job of the older run
    project.train(40, id=first.id)
    assert state(project) == "older" and tip(project) == moved


def test_a_persons_commit_on_the_branch_is_never_overwritten(project: Trainings) -> None:
    project.train(40)
    assert state(project) == "proposed"
    project.history.git("stash", "--quiet", "--include-untracked")
    project.history.git("fetch", "--quiet", "origin", BRANCH)
    project.history.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    project.history.write(f"{FOLDER}/README.md", "a person's words\n")
    theirs = project.history.commit("a person's")
    project.history.git("push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}")
    project.history.git("checkout", "--quiet", "main")
    project.train(50)
    with pytest.raises(SlipwayError, match="not a training's") as caught:
        state(project)
    assert "delete the branch" in str(caught.value.fix) and tip(project) == theirs
    # what the error says helps
    project.history.git("push", "--quiet", "origin", "--delete", BRANCH)
    assert state(project) == "proposed"


def test_a_push_that_is_refused_leaves_the_checkout_and_can_be_repeated(
    project: Trainings,
) -> None:
    project.train(40)
    before = project.history.git("status", "--porcelain")
    head = project.history.git("rev-parse", "HEAD")
    (project.hooks / "refuse").touch()
    with pytest.raises(SlipwayError, match="GitLab: this branch may not be pushed"):
        state(project)
    assert not tip(project)
    assert project.history.git("status", "--porcelain") == before
    assert project.history.git("rev-parse", "HEAD") == head
    (project.hooks / "refuse").unlink()
    assert state(project) == "proposed"


def test_a_remote_that_opens_no_merge_requests_is_an_error_and_the_text_can_be_shown(
    project: Trainings,
) -> None:
    project.train(40)
    setting = ["git", "config", "receive.advertisePushOptions", "false"]
    subprocess.run(setting, cwd=project.history.origin, check=True)
    with pytest.raises(SlipwayError, match="opens no merge requests") as raised:
        state(project)
    assert "slipway propose --show" in str(raised.value.fix) and not tip(project)
    made = propose_checkout(project.root, NAME, JOB, Options(show=True))
    assert made is not None and made.text


def test_a_worse_model_is_not_proposed_unless_asked_and_then_as_a_draft(
    project: Trainings,
) -> None:
    project.release({"test.auc": 0.99})
    project.train(40)
    assert state(project) == "worse" and not tip(project)
    assert state(project, allow_worse=True) == "proposed"
    assert "merge_request.draft" in project.options()
    assert "❌ refused: worse by 0\\.05, allowed is 0\\.01" in project.options()[-1] or (
        "❌ refused: worse by 0.05, allowed is 0.01" in project.options()[-1]
    )


@given(st.text(max_size=200))
def test_a_text_becomes_one_line_from_which_gitlab_reads_the_same_lines(text: str) -> None:
    option = escaped(text)
    assert not {"\n", "\0", "\r"} & {*option}  # git refuses them
    # MergeRequests::PushOptionsHandlerService: description.gsub('\\n', "\n")
    read = option.replace("\\n", "\n")
    kept = text.replace("\\n", "\\\u200bn").replace("\r", "").replace("\0", "").strip()
    assert read == kept or "\0" in text or "\r" in text


def test_a_text_that_is_longer_than_a_packet_of_git_is_cut_and_says_so() -> None:
    option = escaped("é" * 50_000)
    assert len(option.encode()) < 65_000 and option.endswith("… cut: it is too long.")


def test_nothing_is_proposed_twice_after_a_merge(project: Trainings) -> None:
    project.train(40, commit=True)
    assert state(project) == "nothing"


def test_a_candidate_that_the_training_did_not_make_is_an_error_with_its_outputs(
    project: Trainings,
) -> None:
    project.history.write(f"{FOLDER}/training.toml", '[weights]\n"training/other.onnx" = "x/1/y"\n')
    project.train(40)
    with pytest.raises(SlipwayError, match=r"training/other\.onnx is not an output") as caught:
        state(project)
    assert "training/model.onnx" in str(caught.value.fix) and not tip(project)
