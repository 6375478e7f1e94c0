"""From ``slipway train NAME --on airflow`` to the merge request, with nothing left out.

Airflow has its api-server, scheduler, DAG processor and triggerer; trainings are real; GitLab is a
bare repository."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from slipway.training.run import RUN_ID
from tests.airflow import process, repository, servers
from tests.airflow.repository import Repository

PARAMETERS = {
    "churn": ["train.rounds=30"],
    # photographs are few, so that it takes a minute
    "screen_detection": ["prepare.pairs=4", "train.epochs=1", "train.crops=1"],
}
SERVED = {"churn": {"auc": 0.84}, "screen_detection": {"test.auc": 0.01}}
METRIC = {"churn": "auc", "screen_detection": "test.auc"}


@pytest.fixture(params=["churn", "screen_detection"])
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Repository, servers.Servers]]:
    python = process.airflow_python()
    with repository.running(tmp_path, monkeypatch, model) as made:
        repository.describe(made, tmp_path / "dags")
        home = process.home(tmp_path, python)
        environment = process.variables(home, tmp_path / "dags", made.aws.url, made.slack.url)
        with servers.running(python, tmp_path / "servers", environment) as airflow:
            _wait_for_dag(airflow, f"train_{model}")
            yield made, airflow


def _wait_for_dag(airflow: servers.Servers, dag: str) -> None:
    body = {"username": servers.USER, "password": servers.PASSWORD}
    token = requests.post(f"{airflow.url}/auth/token", json=body, timeout=30).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    end = time.monotonic() + 300
    while time.monotonic() < end:
        found = requests.get(f"{airflow.url}/api/v2/dags/{dag}", headers=headers, timeout=30)
        if found.status_code == 200:
            return
        time.sleep(1)
    raise AssertionError(f"no DAG {dag}:\n{airflow.log('dag-processor')[-3000:]}")


def test_a_model_is_trained_by_airflow_and_proposed(
    place: tuple[Repository, servers.Servers], model: str
) -> None:
    made, airflow = place
    made.serve(model, SERVED[model])
    settings = [word for value in PARAMETERS[model] for word in ("--set", value)]
    variables = {
        "SLIPWAY_TRAINING_AIRFLOW": airflow.url,
        "SLIPWAY_AIRFLOW_USER": servers.USER,
        "SLIPWAY_AIRFLOW_PASSWORD": servers.PASSWORD,
    }
    done = made.slipway("train", model, "--on", "airflow", *settings, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    match = re.search(rf"run: {re.escape(airflow.url)}/dags/train_{model}/runs/(\S+)", said)
    assert match is not None and RUN_ID.fullmatch(match[1])
    assert "waits for its job" in said  # deferred to the triggerer; short waits may be missed
    assert "against 1.0.0 in production: better" in said
    assert "http://gitlab.invalid/team/models/-/merge_requests/7" in said
    options = made.options()
    assert f"merge_request.title={model} " in options
    assert f"| `{METRIC[model]}` |" in options
    assert f"run `{match[1]}`, on airflow" in options
    assert f"{airflow.url}/dags/train_{model}/runs/{match[1]}" in options
    branch = made.git(
        "show", f"retrain/{model}:models/{model}/training/run.json", folder=made.origin
    )
    assert match[1] in branch
    assert servers.PASSWORD not in said + "".join(airflow.log(part) for part in servers.PARTS)
    # the same again: nothing is to do
    again = made.slipway("train", model, "--on", "airflow", *settings, **variables)
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"nothing to do: {match[1]} made the same 0.0 days ago" in again.stdout
