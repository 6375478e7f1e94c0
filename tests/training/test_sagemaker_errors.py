"""How a job ended badly, and what SageMaker refuses, with what to do."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.sagemaker.client import JobsClient
from slipway.training.sagemaker.follow import follow_job


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


class Ended(JobsClient):
    """A job that ended as told."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.region = "us-east-1"
        self._description = description

    def describe(self, kind: Any, name: str) -> dict[str, Any]:
        return {f"{kind}JobStatus": "Failed", **self._description}

    def log_tail(self, kind: Any, name: str) -> list[str]:
        return ["round 1", "KeyError: rows"]


@pytest.mark.parametrize(
    ("description", "what", "fix"),
    [
        ({"FailureReason": 'AlgorithmError: ErrorMessage "x"'}, "AlgorithmError", "--on local"),
        ({"FailureReason": "CapacityError: no ml.p5"}, "CapacityError", "no such instance free"),
        ({"FailureReason": "InternalServerError: x"}, "InternalServerError", "start it again"),
        ({"FailureReason": "ClientError: no objects"}, "ClientError", "the channels, the role"),
        (
            {"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxRuntimeExceeded"},
            "was stopped: MaxRuntimeExceeded",
            "raise max_hours",
        ),
        (
            {"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxWaitTimeExceeded"},
            "was stopped: MaxWaitTimeExceeded",
            "spot = false",
        ),
        (
            {"TrainingJobStatus": "Stopped", "SecondaryStatus": "Stopped"},
            "was stopped",
            "start it again",
        ),
    ],
)
def test_a_job_that_ends_badly_says_why_and_what_to_do(
    description: dict[str, Any], what: str, fix: str
) -> None:
    with pytest.raises(SlipwayError, match=what) as caught:
        follow_job(Ended(description), "Training", "job", lambda _: None)
    assert "KeyError: rows" in caught.value.what
    assert caught.value.fix is not None and fix in caught.value.fix
    assert caught.value.where is not None
    assert "$252Faws$252Fsagemaker$252FTrainingJobs" in caught.value.where


class Refusing:
    """A client of boto3 whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            raise self._error

        return call


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateTrainingJob")


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (
            refused(
                "AccessDeniedException",
                "User: x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:r",
            ),
            "allow iam:PassRole on arn:aws:iam::1:r",
        ),
        (refused("AccessDeniedException", "no"), "iam:PassRole on the role"),
        (refused("ExpiredTokenException", "x"), "renew them"),
        (refused("ResourceLimitExceeded", "0 instances"), "a higher quota"),
        (refused("ThrottlingException", "x"), "try again in a minute"),
        (refused("ValidationException", "bad image"), "correct what the message names"),
        (EndpointConnectionError(endpoint_url="https://x"), "check the network"),
    ],
)
def test_what_sagemaker_refuses_is_said_with_what_to_do(error: Exception, fix: str) -> None:
    client = JobsClient(TrainingPlaceSettings(region="us-east-1"))
    client._sagemaker = Refusing(error)
    with pytest.raises(SlipwayError, match="creating the job churn-1") as caught:
        client.create("Training", {"TrainingJobName": "churn-1"})
    assert caught.value.fix is not None and fix in caught.value.fix


def test_a_job_is_asked_for_in_the_region_of_its_image() -> None:
    repository = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/slipway-training"
    client = JobsClient(TrainingPlaceSettings(repository=repository))
    assert client.region == "eu-central-1"
    assert client.console_link("Training", "x").startswith("https://eu-central-1.console.aws")
