"""The DAGs when things go wrong or happen at once: started by ``ci/airflow/test``.

Each test has an Airflow of its own, as each has another site.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.airflow import process, site
from tests.airflow.site import Site

MODELS = ("churn", "screen_detection")
DATE = "2026-11-30T12:00:00+00:00"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    described = site.description(site.repository(tmp_path / "repository", MODELS))
    with site.running(tmp_path / "site", process.airflow_python(), described) as found:
        yield found


def _wait(until: Callable[[], object], what: str, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def _created(place: Site, kind: str) -> list[str]:
    return [
        body[f"{kind}JobName"]
        for action, body in place.aws.requests
        if action == f"Create{kind}Job"
    ]


def test_a_worse_model_is_told_with_both_metrics_and_not_proposed(place: Site) -> None:
    (place.told / "verdict").write_text("worse")
    python = process.airflow_python()
    with process.started(place.folder / "process", python, place.variables()) as airflow:
        airflow.answer()
        ended = airflow.run("train_churn")
        again = airflow.run("train_churn")
    assert ended["state"] == "success"
    assert ended["tasks"]["proposal.propose"] == "skipped"
    assert [name.rpartition("-")[2] for name in _created(place, "Processing")] == [
        "evaluate",
        "compare",
    ]
    ((subject, text),) = place.published()
    assert subject == "Slipway: churn: worse than production, not proposed"
    assert "auc: 0.7 (production 1.0.0: 0.84) - 0.7 is below 0.8" in text
    assert place.slack.said == [f"*{subject}*\n{text}"]
    # what was worse is not trained again each day
    assert again["why"]["due"].startswith("nothing to do: churn-")


def test_two_models_are_trained_at_once(place: Site) -> None:
    (place.told / "wait").touch()
    python, homes = process.airflow_python(), {}
    for model in MODELS:
        (place.folder / model).mkdir()
        homes[model] = process.home(place.folder / model, python)
    ended: dict[str, dict[str, object]] = {}

    def train(model: str) -> None:
        environment = process.variables(homes[model], place.dags, place.aws.url, place.slack.url)
        with process.started(place.folder / model / "process", python, environment) as airflow:
            airflow.answer()
            ended[model] = airflow.run(f"train_{model}")

    threads = [threading.Thread(target=train, args=(model,)) for model in MODELS]
    for thread in threads:
        thread.start()
    _wait(lambda: len(_created(place, "Training")) == 2, "two trainings at once")
    assert {job.status for job in place.aws.jobs.values()} == {"InProgress"}
    (place.told / "wait").unlink()
    for thread in threads:
        thread.join()
    assert {model: one["state"] for model, one in ended.items()} == dict.fromkeys(MODELS, "success")
    assert sorted(subject for subject, _ in place.published()) == [
        f"Slipway: {model}: better than production" for model in MODELS
    ]


def test_a_run_that_was_killed_goes_on_with_the_job_that_it_had_started(place: Site) -> None:
    (place.told / "wait").touch()
    python = process.airflow_python()
    with process.started(place.folder / "first", python, place.variables()) as airflow:
        airflow.answer()
        airflow.order("train_churn", logical_date=DATE)
        _wait(lambda: _created(place, "Training"), "a training")
        os.killpg(airflow.process.pid, signal.SIGKILL)
        airflow.process.wait()
    (place.told / "wait").unlink()
    with process.started(place.folder / "second", python, place.variables()) as airflow:
        airflow.answer()
        ended = airflow.run("train_churn", logical_date=DATE)
        log = airflow.log.read_text()
    assert ended["state"] == "success"
    assert len(_created(place, "Training")) == 1
    assert re_taken(log)
    assert len(place.published()) == 1


def re_taken(log: str) -> bool:
    """Return whether the log says that a job was taken up."""
    return "of this run is at work already" in log or "of this run has ended already" in log


def test_a_fault_of_aws_is_tried_again(place: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, faults = place.aws.answer, [True]

    def faulty(action: str, kind: str, body: Any, moto: Any) -> Any:
        if action == "Create" and kind == "Processing" and faults:
            faults.pop()
            raise OSError("the service is away")  # the stand-in answers 500
        return answer(action, kind, body, moto)

    monkeypatch.setattr(place.aws, "answer", faulty)
    with process.started(
        place.folder / "process", process.airflow_python(), place.variables()
    ) as airflow:
        airflow.answer()
        ended = airflow.run("train_churn")
    assert ended["state"] == "success"
    assert not faults
    assert len(place.published()) == 1


def test_a_release_is_promoted_tried_and_told(place: Site) -> None:
    with process.started(
        place.folder / "process", process.airflow_python(), place.variables()
    ) as airflow:
        airflow.answer()
        released = airflow.run("deploy", conf={"model": "churn", "target": "1.1.0"})
        (place.told / "fail").write_text("smoke")
        failed = airflow.run("deploy", conf={"model": "churn", "target": "1.2.0"})
        airflow.order("deploy", conf={"model": "churn"})
        refused = airflow.answer()
    assert [released["state"], failed["state"]] == ["success", "failed"]
    first, second = place.published()
    assert first[0] == "Slipway: churn 1.1.0: released"
    assert second[0] == "Slipway: churn 1.2.0: smoke failed"
    assert "no rows to train on" in second[1] and "slipway rollback churn" in second[1]
    assert "/aws/sagemaker/ProcessingJobs" in second[1]
    assert "target" in refused["error"]
    arguments = [
        body["AppSpecification"]["ContainerArguments"]
        for action, body in place.aws.requests
        if action == "CreateProcessingJob"
    ]
    assert [one[0] for one in arguments] == ["promote", "smoke"] * 2
    assert {"model=churn", "target=1.1.0"} <= set(arguments[0])
