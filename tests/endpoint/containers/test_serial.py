"""Containers one after another: a preprocessing one in front of Triton."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from slipway.endpoint.serving import RunningEndpoints
from slipway.settings import Settings
from tests.endpoint.containers import sample


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEndpoints]:
    """The endpoint ``rows``: lines of text to KServe's JSON, and that to Triton's ``adder``."""
    repository: Settings = sample.copy_repository(tmp_path_factory.mktemp("serial"))
    sample.release(repository, sample.build_rows(repository))
    sample.release(repository, sample.build_adder(repository))
    with sample.up(repository, "rows") as running:
        yield running


def ask(pipeline: RunningEndpoints, body: str, **parameters: Any) -> Any:
    client = sample.client(pipeline.url)
    return client.invoke_endpoint(
        EndpointName="rows", ContentType="text/csv", Body=body, **parameters
    )


def test_the_answer_of_the_first_is_the_request_of_triton(pipeline: RunningEndpoints) -> None:
    answer = ask(pipeline, "1;2;3;4;10;20;30;40\n0;0;0;0;5;6;7;8")
    outputs = json.load(answer["Body"])["outputs"]
    assert [output["data"] for output in outputs] == [[11, 22, 33, 44, 5, 6, 7, 8]]


def test_the_failure_of_a_container_names_it(pipeline: RunningEndpoints) -> None:
    with pytest.raises(ClientError, match="from wine-rows-1-0-0.*could not convert"):
        ask(pipeline, "one;two")
    with pytest.raises(ClientError, match="from adder-1-0-0.*true shape") as failed:
        ask(pipeline, "1;2")
    response: dict[str, Any] = dict(failed.value.response)
    assert response["OriginalStatusCode"] == 500  # of the real Triton


def test_a_host_name_is_refused_where_all_containers_answer(pipeline: RunningEndpoints) -> None:
    with pytest.raises(ClientError, match="ValidationError.*serial"):
        ask(pipeline, "1;2;3;4;1;2;3;4", TargetContainerHostname="wine-rows-1-0-0")
