"""The DAGs, run by Airflow itself in one process against stand-ins for AWS and Slack.

One Airflow serves the whole file: it takes ten seconds to start. Its database is the one that the
tests before have left, as a real one's is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow import process, site
from tests.airflow.process import Airflow
from tests.airflow.site import Site

MODELS = ("churn", "screen_detection")
CHURN = "training/churn/"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("airflow")
    python = process.airflow_python()
    described = site.description(site.repository(folder / "repository", MODELS))
    with site.running(folder / "site", python, described) as found:
        yield found


@pytest.fixture(scope="module")
def airflow(place: Site) -> Iterator[Airflow]:
    with process.started(place.folder / "process", process.airflow_python(), place.variables()) as (
        started
    ):
        assert started.answer() == {
            "dags": ["deploy", "train_churn", "train_screen_detection"],
            "errors": {},
        }
        yield started


@pytest.fixture(autouse=True)
def _quiet(place: Site) -> Iterator[None]:
    place.slack.said.clear()
    place.aws.requests.clear()
    yield
    for file in place.told.iterdir():
        file.unlink()


def _created(place: Site) -> list[str]:
    return [
        body[f"{action.removeprefix('Create').removesuffix('Job')}JobName"]
        for action, body in place.aws.requests
        if action.startswith("Create")
    ]


def _without_run(text: str) -> str:
    text = re.sub(r"churn-\d{8}T\d{6}Z-[0-9a-f]{6}", "RUN", text)
    return re.sub(r"http://\S+/dags/train_churn/runs/\S+", "PAGE", text)


def test_a_model_is_trained_measured_compared_told_and_proposed(
    place: Site, airflow: Airflow
) -> None:
    ended = airflow.run("train_churn", conf={"reason": "a test"})
    assert ended["state"] == "success", ended
    assert [name.rpartition("-")[2] for name in _created(place)][1:] == [
        "evaluate",
        "compare",
        "propose",
    ]
    text = "Training RUN: better: auc.\n\nauc: 0.85 (production 1.0.0: 0.84)\n\nRun: PAGE"
    subject = "Slipway: churn: better than production"
    assert [(one, _without_run(told)) for one, told in place.published()] == [(subject, text)]
    assert [_without_run(said) for said in place.slack.said] == [f"*{subject}*\n{text}"]
    skipped = {task for task, state in ended["tasks"].items() if state == "skipped"}
    assert skipped == {"failure.clean", "failure.tell.slack", "failure.tell.sns"}
    # each job was waited for in the triggerer, and no worker by
    log = airflow.log.read_text()
    assert log.count("new_state=deferred") == 4


def test_where_the_same_was_trained_nothing_is_to_do(place: Site, airflow: Airflow) -> None:
    ended = airflow.run("train_churn")
    assert ended["state"] == "success"
    assert re.fullmatch(
        r"nothing to do: churn-\S+ made the same 0\.0 days ago", ended["why"]["due"]
    )
    assert {state for task, state in ended["tasks"].items() if task != "due"} == {"skipped"}
    assert (_created(place), place.slack.said) == ([], [])


def test_a_training_that_fails_is_told_with_the_place_of_its_log_and_leaves_nothing(
    place: Site, airflow: Airflow
) -> None:
    (place.told / "fail").write_text("train")
    before, sent = place.keys(CHURN), len(place.published())
    ended = airflow.run("train_churn", conf={"parameters": {"train.rounds": 3}})
    assert ended["state"] == "failed"
    assert len(_created(place)) == 1  # a training that failed is not tried again
    request = next(body for action, body in place.aws.requests if action == "CreateTrainingJob")
    assert request["HyperParameters"]["set.train.rounds"] == "3"
    name = request["TrainingJobName"]
    ((subject, text),) = place.published()[sent:]
    assert subject == "Slipway: churn: training failed at train"
    assert "no rows to train on" in text
    assert f"Log: /aws/sagemaker/TrainingJobs, streams {name}/…: https://{site.REGION}." in text
    assert place.slack.said == [f"*{subject}*\n{text}"]
    assert set(place.keys(CHURN)) - set(before) == {f"{CHURN}{name}/failed.json"}
    group = place.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )
    assert len(group["logStreams"]) == 1  # it is there


def test_a_parameter_that_the_model_does_not_have_starts_nothing(
    place: Site, airflow: Airflow
) -> None:
    airflow.order("train_churn", conf={"parameters": {"train.round": 3}})
    refused = airflow.answer()
    assert "train.round" in refused["error"]
    assert _created(place) == []


def test_the_log_names_no_secret(place: Site, airflow: Airflow) -> None:
    assert "B0/secret" not in airflow.log.read_text()
    assert Path(place.dags / "slipway_training.json").is_file()
