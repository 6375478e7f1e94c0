"""``slipway train --on sagemaker``: real stages in jobs that really run, brought home."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slipway import settings
from slipway.errors import SlipwayError
from slipway.training.local import LocalPlace
from slipway.training.run import load_run
from slipway.training.sagemaker.job_settings import job_name
from tests.training.sagemaker_repository import Project, project


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with (
        pytest.MonkeyPatch.context() as patch,
        project(tmp_path_factory.mktemp("sagemaker"), patch, "rows", "other") as made,
    ):
        yield made


@pytest.fixture
def here(shared: Project, tmp_path: Path) -> Project:
    return shared.clone(tmp_path / "checkout")


def test_jobs_that_were_taken_away_twice_leave_the_bytes_that_this_machine_would(
    here: Project, tmp_path: Path
) -> None:
    parameters = {"train.rounds": "6", "train.pause": "0.3"}
    here.stand_in.interrupt("round 2 ")
    here.stand_in.interrupt("round 4 ")
    request = here.request(parameters=parameters)
    outcome = here.place.start(request).wait()
    job = here.stand_in.jobs[job_name(request.run_id)]
    assert job.attempts == 3
    rounds = [line for line in job.log if line.strip().startswith("round")]
    assert len(rounds) < 6 + 4 + 2, "a checkpoint was not continued from"
    local = here.clone(tmp_path / "local")
    again = local.request(parameters=parameters, force=True)
    LocalPlace(settings.load(local.root)).start(again).wait()
    assert here.files() == local.files()
    run = load_run(here.root / "models/rows")
    assert run == outcome.run
    assert run is not None and run.place == "sagemaker"
    assert run.commit == here.git("rev-parse", "HEAD").strip() and not run.dirty
    assert run.image is not None and run.image.startswith("sha256:")
    assert run.metrics == {"sum": 24.0}
    kinds = [arn.split(":")[-1].partition("/")[0] for arn in run.jobs]
    assert kinds == ["training-job", "processing-job"]
    changed = {line[3:] for line in here.git("status", "--porcelain").splitlines()}
    assert changed == {
        "models/rows/dvc.lock",
        "models/rows/training/metrics.json",
        "models/rows/training/params.yaml",
        "models/rows/training/run.json",
    }


def test_a_failed_run_is_started_once_says_why_and_leaves_nothing(here: Project) -> None:
    request = here.request(parameters={"train.fail": "1"})
    first, second = here.place.start(request), here.place.start(request)
    assert first.jobs == second.jobs
    with pytest.raises(SlipwayError, match="the rows cannot be learned") as caught:
        second.wait()
    assert caught.value.where is not None and "logsV2:log-groups" in caught.value.where
    assert here.git("status", "--porcelain") == ""


def test_two_detached_trainings_are_collected_by_another_machine(
    here: Project, tmp_path: Path
) -> None:
    requests = [here.request(model, force=True) for model in ("rows", "other")]
    for request in requests:
        here.place.start(request)
    other = here.clone(tmp_path / "other")
    with ThreadPoolExecutor() as pool:
        waiting = [
            pool.submit(other.place.resume(other.request(r.model, run_id=r.run_id)).wait)
            for r in requests
        ]
        outcomes = [future.result() for future in waiting]
    for request, outcome in zip(requests, outcomes, strict=True):
        assert load_run(other.root / "models" / request.model) == outcome.run
        assert outcome.run.id == request.run_id
    assert here.git("status", "--porcelain") == ""


def test_an_interrupted_command_stops_its_job(here: Project) -> None:
    """Without a terminal, as in a job of a pipeline that is cancelled: nobody can be asked."""

    def report(line: str) -> None:
        if line.startswith("  Training"):
            raise KeyboardInterrupt

    request = here.request(parameters={"train.rounds": "600", "train.pause": "0.5"}, report=report)
    started = here.place.start(request)
    with pytest.raises(KeyboardInterrupt):
        started.wait()
    with pytest.raises(SlipwayError, match="was stopped") as caught:
        here.place.resume(here.request(run_id=request.run_id)).wait()
    assert caught.value.fix is not None and "start it again" in caught.value.fix
    assert here.git("status", "--porcelain") == ""


def test_a_folder_as_dvcs_remote_is_refused_before_anything_is_started(here: Project) -> None:
    config = here.root / ".dvc/config"
    config.write_text("[core]\n    remote = here\n['remote \"here\"']\n    url = ../remote\n")
    here.commit()
    known = len(here.stand_in.requests)
    with pytest.raises(SlipwayError, match="DVC's default remote here is the folder") as caught:
        here.place.start(here.request())
    assert caught.value.fix is not None and "dvc remote add --default" in caught.value.fix
    assert len(here.stand_in.requests) == known


def test_a_parameter_of_another_type_is_refused_before_anything_is_started(here: Project) -> None:
    known = len(here.stand_in.requests)
    with pytest.raises(SlipwayError, match="--set train.rounds=many"):
        here.place.start(here.request(parameters={"train.rounds": "many"}))
    assert len(here.stand_in.requests) == known


def test_an_image_that_was_not_built_is_said_before_anything_is_started(here: Project) -> None:
    lock = here.root / "models/rows/training/requirements.lock"
    lock.write_text("# other packages\n")
    here.commit()
    with pytest.raises(SlipwayError, match="is not in the registry") as caught:
        here.place.start(here.request())
    assert caught.value.fix == "ci/image training rows"


def test_a_run_that_nobody_started_is_named(here: Project) -> None:
    run_id = "rows-20260101T000000Z-000000"
    with pytest.raises(SlipwayError, match="no training was started as"):
        here.place.resume(here.request(run_id=run_id))
