"""Containers that callers name: an unmodified boto3 client, and what SageMaker would refuse."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from slipway.catalog import keys
from slipway.endpoint.serving import RunningEndpoints
from slipway.release.publish import Release
from tests.endpoint.containers import sample
from tests.endpoint.containers.sample import FOREST, LOGISTIC, ROW


@pytest.fixture
def client(running: RunningEndpoints) -> Any:
    return sample.client(running.url)


@pytest.fixture
def hostnames(releases: list[Release]) -> list[str]:
    return [keys.hostname(release.target) for release in releases]


def ask(client: Any, **parameters: Any) -> Any:
    values = {"EndpointName": "wines", "ContentType": "text/csv", "Body": ROW, **parameters}
    return client.invoke_endpoint(**values)


def refusal(client: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        ask(client, **parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_each_container_answers_by_its_host_name(client: Any, hostnames: list[str]) -> None:
    answers = [
        json.load(ask(client, TargetContainerHostname=hostname)["Body"]) for hostname in hostnames
    ]
    assert [answer["probabilities"] for answer in answers] == [[LOGISTIC], [FOREST]]


def test_content_type_and_accept_are_passed_on(client: Any, hostnames: list[str]) -> None:
    answer = ask(
        client,
        TargetContainerHostname=hostnames[0],
        ContentType="application/json",
        Accept="text/csv",
        Body=json.dumps({"rows": [[float(cell) for cell in ROW.split(",")]]}),
    )
    assert answer["ContentType"] == "text/csv"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["Body"].read() == b"0.001570,0.001525,0.996905"


def test_an_answer_of_the_container_that_is_no_200_is_a_model_error(
    client: Any, hostnames: list[str]
) -> None:
    with pytest.raises(client.exceptions.ModelError) as failed:
        ask(client, TargetContainerHostname=hostnames[0], Body="1,2")
    assert failed.value.response["OriginalStatusCode"] == 400
    assert "rows of 13 numbers" in failed.value.response["OriginalMessage"]
    assert f"from {hostnames[0]} with message" in str(failed.value)


def test_a_missing_unknown_or_superfluous_name_is_a_validation_error(
    client: Any, hostnames: list[str]
) -> None:
    code, message = refusal(client)
    assert code == "ValidationError" and hostnames[0] in message
    code, message = refusal(client, TargetContainerHostname="wines-9-9-9")
    assert code == "ValidationError" and "not found" in message
    code, message = refusal(client, TargetContainerHostname=hostnames[0], TargetModel="x.tar.gz")
    # AWS's own words: aws/amazon-sagemaker-examples, issue 1026
    assert message == (
        "Endpoint wines is not a multi-model endpoint and does not support target model header."
    )


def test_a_body_above_six_mebibytes_is_refused(client: Any, hostnames: list[str]) -> None:
    code, _ = refusal(client, TargetContainerHostname=hostnames[0], Body=b"1" * (6_291_456 + 1))
    assert code == "413"


def test_the_page_and_the_metrics_show_every_container(
    client: Any, running: RunningEndpoints, hostnames: list[str]
) -> None:
    ask(client, TargetContainerHostname=hostnames[0])
    state = requests.get(f"{running.url}/state", timeout=10).json()["endpoints"]["wines"]
    assert state["source"] == "2 containers, invoked directly"
    assert {model["target"]: model["state"] for model in state["models"]} == dict.fromkeys(
        hostnames, "loaded"
    )
    metrics = requests.get(f"{running.url}/metrics", timeout=10).text
    line = f'Invocations_total{{EndpointName="wines",TargetModel="{hostnames[0]}"}}'
    assert line in metrics


def test_the_endpoint_is_in_service_for_boto3(running: RunningEndpoints) -> None:
    control = boto3.client(
        "sagemaker",
        endpoint_url=running.url,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="a",
    )
    assert control.describe_endpoint(EndpointName="wines")["EndpointStatus"] == "InService"
