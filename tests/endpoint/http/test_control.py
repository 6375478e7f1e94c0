"""The control plane that clients ask first, and parameters that a multi-model endpoint lacks.

The clients are unmodified: boto3, its waiters, and the SageMaker SDK's content types.
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from slipway.server.client import TARGET
from slipway.triton import kserve
from tests.endpoint.conftest import Opener
from tests.endpoint.http.test_app import asked, of_size, refused
from tests.endpoint.shelf import Shelf, Up


@pytest.fixture(scope="module")
def target(shared_shelf: Shelf) -> str:
    return shared_shelf.put(72)


@pytest.fixture
def sagemaker(shared: Up) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client(
        "sagemaker",
        endpoint_url=shared.url,
        region_name="eu-west-1",
        aws_access_key_id="anything",
        aws_secret_access_key="anything",
        config=config,
    )


def test_an_endpoint_is_described(sagemaker: Any) -> None:
    described = sagemaker.describe_endpoint(EndpointName="local")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointArn"] == "arn:aws:sagemaker:eu-west-1:000000000000:endpoint/local"
    assert [v["VariantName"] for v in described["ProductionVariants"]] == ["AllTraffic"]
    assert 0 <= (datetime.now(UTC) - described["CreationTime"]).total_seconds() < 3600


def test_the_waiters_of_boto3_end(sagemaker: Any) -> None:
    once = {"Delay": 0, "MaxAttempts": 1}
    in_service = sagemaker.get_waiter("endpoint_in_service")
    in_service.wait(EndpointName="local", WaiterConfig=once)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="gone", WaiterConfig=once)
    with pytest.raises(WaiterError, match="ValidationException"):
        in_service.wait(EndpointName="gone", WaiterConfig=once)


def test_endpoints_are_listed_and_filtered(sagemaker: Any) -> None:
    def names(**filters: Any) -> list[str]:
        return [e["EndpointName"] for e in sagemaker.list_endpoints(**filters)["Endpoints"]]

    assert (
        names() == names(NameContains="OCA", StatusEquals="InService", SortBy="Name") == ["local"]
    )
    assert names(NameContains="x") == names(StatusEquals="Failed") == []
    assert names(CreationTimeBefore=datetime(2020, 1, 1, tzinfo=UTC)) == []
    pages = sagemaker.get_paginator("list_endpoints").paginate(MaxResults=1)
    assert sum(len(page["Endpoints"]) for page in pages) == 1


def test_another_operation_says_what_is_there(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="DescribeEndpoint and ListEndpoints") as caught:
        sagemaker.delete_endpoint(EndpointName="local")
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("TargetVariant", "blue", "Variant 'blue' of endpoint local not found"),
        ("InferenceComponentName", "llama", "Inference component 'llama'"),
        ("TargetContainerHostname", "second", "Container 'second'"),
        ("SessionId", "NEW_SESSION", "Session 'NEW_SESSION'"),
        ("EnableExplanations", "`true`", "EnableExplanations"),
    ],
)
def test_what_the_endpoint_does_not_have_is_a_validation_error(
    shared: Up, target: str, parameter: str, value: str, message: str
) -> None:
    answer = refused(shared.caller, target, **{parameter: value})
    assert answer["Error"]["Code"] == "ValidationError"
    assert message in answer["Error"]["Message"]


def test_the_variant_that_exists_and_an_inference_id_are_accepted(shared: Up, target: str) -> None:
    body, content_type = kserve.encode({"X": np.ones(2, np.float32)})
    answer = shared.caller.boto3.invoke_endpoint(
        EndpointName="local",
        TargetModel=target,
        Body=body,
        ContentType=content_type,
        TargetVariant="AllTraffic",
        InferenceId="mine",
    )
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_asynchronous_and_streaming_calls_say_what_to_call(shared: Up) -> None:
    client = shared.caller.boto3
    with pytest.raises(client.exceptions.ValidationError, match="call InvokeEndpoint"):
        client.invoke_endpoint_async(EndpointName="local", InputLocation="s3://bucket/key")
    with pytest.raises(client.exceptions.ValidationError, match="cannot stream"):
        client.invoke_endpoint_with_response_stream(EndpointName="local", Body=b"{}")


@pytest.mark.parametrize(
    ("content_type", "name"), [("text/csv", "CSVSerializer"), ("application/x-npy", "NumpySerial")]
)
def test_what_the_sdks_serializers_send_is_answered_with_what_to_send(
    shared: Up, target: str, content_type: str, name: str
) -> None:
    array = io.BytesIO()
    np.save(array, np.ones((1, 4), np.float32))
    body = b"1,2,3,4" if content_type == "text/csv" else array.getvalue()
    with pytest.raises(shared.errors.ModelError) as caught:
        shared.caller.boto3.invoke_endpoint(
            EndpointName="local", TargetModel=target, Body=body, ContentType=content_type
        )
    original = caught.value.response["OriginalMessage"]
    assert name in original and 'application/json with {"inputs"' in original


def test_the_limit_of_a_body_is_an_option(up: Opener, shelf: Shelf) -> None:
    target = shelf.put(3)
    with up(body=7_000_000) as running:
        body, headers = of_size(6_900_000)
        assert asked(running.url, body=body, headers={TARGET: target, **headers})[0] == 200
        body, headers = of_size(7_000_001)
        status, _, answer = asked(running.url, body=body, headers={TARGET: target, **headers})
        assert status == 413
        assert json.loads(answer)["Message"] == "HTTP content length exceeded 7000000 bytes."
