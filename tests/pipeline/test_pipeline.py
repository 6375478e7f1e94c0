"""The whole pipeline, run: gitlab-ci-local on a repository of small models, against S3 and real
endpoints over HTTP. Jobs hold no keys of AWS, only the token that GitLab gives them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from slipway import settings
from slipway.catalog.catalog import Catalog
from slipway.profile.build import build_profile
from slipway.settings.release import StageName
from slipway.store.open import open_stage
from slipway.triton.datatypes import Array
from tests.drift.traffic import Traffic, release
from tests.pipeline import gitlab, platform, scratch
from tests.pipeline.gitlab import Run
from tests.pipeline.history import History
from tests.pipeline.notify import receivers
from tests.pipeline.notify.receivers import Receiver
from tests.pipeline.platform import Platform

pytestmark = pytest.mark.skipif(
    gitlab.program() is None,
    reason="gitlab-ci-local is not here: ci/gitlab-ci-local --version installs it",
)
BRANCH = {
    "quality",
    "code quality",
    "build and test",
    "version",
    "publish to staging",
    "smoke staging",
    "report",
}
MAIN = BRANCH - {"version", "report"} | {"promote", "smoke production", "notify released"}
# without the job "quality", which two whole pipelines have: Pants serves one job after the other
RELEASING = ("build and test", "publish to staging")
ROLLBACK = {"rollback", "smoke after rollback", "notify rolled back"}


@dataclass(frozen=True)
class Project:
    """A repository, and what its pipelines meet."""

    history: History
    platform: Platform

    def edit(self, name: str, batch: int, version: str | None = None) -> None:
        """Change a model: the largest batch that it takes, and its release version."""
        config = f"models/{name}/{name}/config.pbtxt"
        lines = (self.history.root / config).read_text(encoding="utf-8").splitlines()
        changed = [f"max_batch_size: {batch}" if "max_batch" in line else line for line in lines]
        self.history.write(config, "\n".join(changed) + "\n")
        if version:
            self.history.write(f"models/{name}/model_version.txt", f"{version}\n")

    def branch(self, name: str) -> None:
        """Begin a branch at main."""
        self.history.git("checkout", "--quiet", "-B", name, "main")

    def push(self, last: str = "", **more: str) -> Run:
        """Commit what was edited, push it, and run what GitLab runs then; or only what the job
        ``last`` needs, and it."""
        self.history.commit()
        self.history.push()
        return self.run([last] if last else [], needs=bool(last), **more)

    def merge(self, name: str, jobs: Sequence[str] = ()) -> Run:
        """Commit what was edited on a branch, merge it to main, and run main's pipeline, or only
        ``jobs``."""
        self.history.commit()
        self.history.git("checkout", "--quiet", "main")
        before = self.history.git("rev-parse", "HEAD")
        self.history.git("merge", "--quiet", "--no-ff", "-m", f"Merge {name}", name)
        self.history.push()
        variables = {"CI_COMMIT_BEFORE_SHA": before, "CI_COMMIT_REF_PROTECTED": "true"}
        return self.run(jobs, needs=False, **variables)

    def run(
        self,
        jobs: Sequence[str] = (),
        unset: Sequence[str] = (),
        *,
        needs: bool = False,
        **variables: str,
    ) -> Run:
        """Run a pipeline, or some of its jobs, with variables of GitLab's."""
        own = {"SLIPWAY_HOME": "", "SLIPWAY_PYTHON": sys.executable}
        given = self.platform.variables | own | variables
        return gitlab.run(self.history.root, given, unset, jobs, needs=needs)

    def served(self, stage: StageName, name: str) -> str | None:
        """The SHA-256 of what a stage's alias stands for."""
        catalog = Catalog(open_stage(settings.load(self.history.root), stage))
        alias = catalog.find_alias(name)
        return catalog.record(name, alias.target).sha256 if alias else None

    def built(self, name: str, version: str = "1.0.0") -> str:
        """The SHA-256 of the artifact that was built last."""
        checksum = self.history.root / "dist" / f"{name}_{version}.tar.gz.sha256"
        return checksum.read_text(encoding="utf-8").split()[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Models small_00 to small_03, two endpoints, nothing released."""
    root = tmp_path_factory.mktemp("project") / "checkout"
    history = scratch.make(root, 4)
    with pytest.MonkeyPatch.context() as monkeypatch, platform.up(root, monkeypatch) as made:
        try:
            yield Project(history, made)
        finally:
            scratch.end_pants(root)


@pytest.fixture(scope="module")
def released(project: Project) -> Run:
    """The pipeline of a merge that releases small_01 and small_02 as 1.0.0."""
    project.branch("first")
    project.edit("small_01", 32)
    project.edit("small_02", 32)
    # outside of the models' folders: Pants looks for what depends on the changed files
    project.history.write("notes.md", "Two models take larger batches.\n")
    return project.merge("first")


def test_a_push_of_a_branch_brings_its_model_to_staging_and_says_what_changes(
    project: Project,
) -> None:
    project.branch("topic")
    project.edit("small_00", 16)
    run = project.push()
    assert run.jobs == dict.fromkeys(BRANCH, "passed"), run.said
    assert project.served("staging", "small_00") == project.built("small_00")
    assert project.served("production", "small_00") is None
    assert "✓ one_and_two" in run.log("smoke staging")
    report = (project.history.root / "report.md").read_text(encoding="utf-8")
    assert "small_00" in report and "small_01" not in report
    # a file that jobs leave behind would be a change of the next one in the same checkout
    assert project.history.git("status", "--porcelain") == ""
    # retried: the same bytes are there already
    again = project.run(["publish to staging"])
    assert again.jobs == {"publish to staging": "passed"}
    assert "(already there)" in again.log("publish to staging")


def test_a_merge_releases_the_bytes_that_staging_has_and_no_other_model(
    project: Project, released: Run
) -> None:
    assert released.jobs == dict.fromkeys(MAIN, "passed"), released.said
    for name in ("small_01", "small_02"):
        assert project.served("production", name) == project.built(name)
        assert project.served("staging", name) == project.built(name)
        assert f"{name} on production: {name}_1.0.0.tar.gz" in released.log("smoke production")
    assert project.served("production", "small_03") is None


def test_a_version_that_production_has_is_stopped_before_it_is_merged(
    project: Project, released: Run
) -> None:
    assert released.jobs["promote"] == "passed"
    served = project.served("production", "small_02")
    project.branch("same-version")
    project.edit("small_02", 8)
    run = project.push("version")
    assert run.jobs == {"build and test": "passed", "version": "failed"}, run.said
    said = run.log("version")
    assert "1.0.0" in said and "fix:" in said and "What to do: Run slipway bump MODEL" in said
    assert project.served("production", "small_02") == served


def test_a_model_whose_test_fails_reaches_no_stage(project: Project) -> None:
    project.branch("failing")
    base = project.history.git("rev-parse", "HEAD")
    wrong = project.history.root / "models/small_03" / scratch.CASE / "expected.json"
    expected = json.loads(wrong.read_text(encoding="utf-8"))
    expected["outputs"]["SUM"]["data"][0] += 1
    project.history.write(str(wrong.relative_to(project.history.root)), json.dumps(expected))
    project.history.commit()
    project.history.push()
    run = project.run(
        [*RELEASING, "smoke staging"],
        unset=["CI_COMMIT_BRANCH"],
        CI_PIPELINE_SOURCE="merge_request_event",
        CI_MERGE_REQUEST_IID="7",
        CI_MERGE_REQUEST_EVENT_TYPE="detached",
        CI_MERGE_REQUEST_DIFF_BASE_SHA=base,
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
    )
    assert run.jobs == {"build and test": "failed"}, run.said
    said = run.log("build and test")
    assert "one_and_two" in said and "What to do:" in said
    assert project.served("staging", "small_03") is None


def test_a_rollback_holds_though_an_old_job_is_started_again(
    project: Project, released: Run
) -> None:
    assert released.jobs["promote"] == "passed"
    first = project.served("production", "small_01")
    project.branch("second")
    project.edit("small_01", 4, "1.1.0")
    second = project.merge("second", [*RELEASING, "promote"])
    assert second.jobs["promote"] == "passed", second.said
    before = project.history.git("rev-parse", "HEAD^1")
    assert project.served("production", "small_01") == project.built("small_01", "1.1.0")
    back = project.run(CI_PIPELINE_SOURCE="web", NAME="small_01")
    assert back.jobs == dict.fromkeys(ROLLBACK, "passed"), back.said
    assert project.served("production", "small_01") == first
    # the job of the merge, again: it must not undo what a person undid
    again = project.run(["promote"], CI_COMMIT_BEFORE_SHA=before)
    assert again.jobs == {"promote": "passed"}, again.said
    assert project.served("production", "small_01") == first
    checked = project.run(CI_PIPELINE_SOURCE="schedule", TASK="verify")
    assert checked.jobs == {"verify": "passed"}, checked.said


def test_a_scheduled_check_finds_drift_tells_people_once_and_starts_a_training(
    project: Project,
) -> None:
    nothing = project.run(CI_PIPELINE_SOURCE="schedule", TASK="drift")
    assert nothing.jobs == {"drift": "allowed to fail"}, nothing.said
    assert "nothing was captured since" in nothing.log("drift")

    configured = settings.load(project.history.root)
    store = open_stage(configured, "production").store
    profile = build_profile(*_rows(2000), source="train.csv")
    target = release(store, "production", "observed", profile, "1.0.0")
    captured = Traffic(configured)
    captured.capture(target, *_rows(600, shift=2), now=datetime.now(UTC))
    with receivers.running(Receiver()) as receiver:
        hook = f"{receiver.url}/hook"
        first = project.run(
            CI_PIPELINE_SOURCE="schedule", TASK="drift", RETRAIN="true", SLIPWAY_WEBHOOK_URL=hook
        )
        assert first.jobs == {"drift": "allowed to fail", "retrain drifted": "passed"}, first.said
        assert "observed on production: drift" in first.log("drift")
        # it has no training: that is said, and no other model is trained
        alone = "observed  leave alone  no stage of dvc.yaml trains it"
        assert alone in first.log("retrain drifted")
        again = project.run(CI_PIPELINE_SOURCE="trigger", TASK="drift", SLIPWAY_WEBHOOK_URL=hook)
        assert again.jobs == {"drift": "allowed to fail"}, again.said
    [message] = receiver.requests
    assert "Drift in production: observed 1.0.0" in message.json["text"]
    report = json.loads((project.history.root / "drift.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "drift"
    assert "<h1>" in (project.history.root / "drift.html").read_text(encoding="utf-8")


def _rows(count: int, shift: float = 0.0) -> tuple[dict[str, Array], dict[str, Array]]:
    random = np.random.default_rng(count)
    rows = {name: random.normal(shift, size=(count, 4)).astype(np.float32) for name in "AB"}
    return rows, {"SUM": rows["A"] + rows["B"]}
