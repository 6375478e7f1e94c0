"""MWAA's API takes short paths only: what is asked instead, and what cannot be."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.mwaa import Mwaa
from slipway.training.airflow.short_paths import LONGEST

DAG, RUN = "train_screen_detection", "screen_detection-20261130T233000Z-abc123"
PATH = f"/dags/{DAG}/dagRuns/{RUN}"


def client_of_mwaa() -> Any:
    return boto3.client(
        "mwaa", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


def send(method: str, path: str, asked: dict[str, Any], answer: dict[str, Any]) -> Any:
    """Ask through a client whose request and answer botocore's model checks."""
    client = client_of_mwaa()
    with Stubber(client) as stub:
        stub.add_response(
            "invoke_rest_api",
            {"RestApiStatusCode": 200, "RestApiResponse": answer},
            {"Name": "site", **asked},
        )
        return Mwaa("site", TrainingPlaceSettings(), client).send(method, path)


def test_the_limit_is_that_of_aws() -> None:
    client = client_of_mwaa()
    shape = client.meta.service_model.shape_for("RestApiPath")
    assert shape.metadata["max"] == LONGEST < len(PATH)


def test_a_run_is_found_among_the_newest_of_its_dag() -> None:
    asked = {
        "Path": "/dags/~/dagRuns/list",
        "Method": "POST",
        "Body": {"dag_ids": [DAG], "order_by": "-run_after", "page_limit": 100},
    }
    runs = [{"dag_run_id": "another"}, {"dag_run_id": RUN, "state": "running"}]
    found = send("GET", PATH, asked, {"dag_runs": runs})
    assert (found.status, found.body) == (200, runs[1])
    assert send("GET", PATH, asked, {"dag_runs": runs[:1]}).status == 404


def test_the_tasks_of_a_run_are_those_of_the_list() -> None:
    asked = {
        "Path": "/dags/~/dagRuns/~/taskInstances/list",
        "Method": "POST",
        "Body": {"dag_ids": [DAG], "dag_run_ids": [RUN], "page_limit": 100},
    }
    tasks = {"task_instances": [{"task_id": "train", "state": "success"}]}
    assert send("GET", f"{PATH}/taskInstances", asked, tasks).body == tasks


@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", "/taskInstances/verdict/xcomEntries/return_value"), ("PATCH", "/taskInstances/train"),
     ("PATCH", "")],
)  # fmt: skip
def test_what_has_no_list_needs_the_function(method: str, rest: str) -> None:
    client = client_of_mwaa()
    with pytest.raises(SlipwayError, match="paths of 64 characters") as refused:
        Mwaa("site", TrainingPlaceSettings(), client).send(method, f"{PATH}{rest}")
    assert "lambda:NAME" in str(refused.value.fix)
