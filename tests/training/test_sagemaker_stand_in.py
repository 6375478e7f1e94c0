"""What stands in for SageMaker's jobs keeps the contract of its containers."""

from __future__ import annotations

import io
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.training.sagemaker_stand_in import StandIn, running

STEP = """
import json, os, pathlib, signal, sys, time
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
values = json.loads((base / "input/config/hyperparameters.json").read_text())
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
assert sys.argv[1:] == ["train"]
if values.get("fail"):
    (base / "output/failure").write_text("no rows")
    sys.exit(1)
done = base / "checkpoints" / "done"
count = int(done.read_text()) if done.is_file() else 0
while count < int(values["rounds"]):
    count += 1
    if done.parent.is_dir():
        done.write_text(str(count))
    print(f"round {count} loss={1 / count:.3f}", flush=True)
    time.sleep(float(values.get("pause", 0)))
rows = (base / "input/data/rows/table.csv").read_text()
(base / "model/model.txt").write_text(f"{count} rounds over {rows}")
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    step = tmp_path / "step.py"
    step.write_text(STEP)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with running([sys.executable, str(step)], tmp_path / "jobs") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        boto3.client("s3").create_bucket(Bucket="training")
        boto3.client("s3").put_object(Bucket="training", Key="data/table.csv", Body=b"1,2")
        yield server
        for bucket in boto3.resource("s3").buckets.all():
            bucket.objects.all().delete()
            bucket.delete()


def _request(name: str, spot: bool = False, **values: str) -> dict[str, Any]:
    request: dict[str, Any] = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/training:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([0-9.]+)"}],
        },
        "RoleArn": "arn:aws:iam::123456789012:role/slipway-training",
        "InputDataConfig": [
            {
                "ChannelName": "rows",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": "s3://training/data",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://training/output"},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "HyperParameters": {"rounds": "3", **values},
    }
    if spot:
        request["EnableManagedSpotTraining"] = True
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = 7200
        request["CheckpointConfig"] = {"S3Uri": f"s3://training/checkpoints/{name}"}
    return request


def _model(description: Any) -> str:
    bucket, _, key = description["ModelArtifacts"]["S3ModelArtifacts"][5:].partition("/")
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        file = tar.extractfile("model.txt")
        assert file is not None
        return file.read().decode()


def test_a_job_reads_its_channels_and_leaves_its_model_in_s3(stand_in: StandIn) -> None:
    client: Any = boto3.client("sagemaker")
    client.create_training_job(**_request("plain"))
    stand_in.wait("plain")
    description = client.describe_training_job(TrainingJobName="plain")
    assert description["TrainingJobStatus"] == "Completed"
    assert _model(description) == "3 rounds over 1,2"
    assert description["FinalMetricDataList"][0]["Value"] == pytest.approx(0.333, abs=1e-3)


def test_a_failed_job_says_what_its_container_wrote(stand_in: StandIn) -> None:
    client: Any = boto3.client("sagemaker")
    client.create_training_job(**_request("failing", fail="1"))
    stand_in.wait("failing")
    description = client.describe_training_job(TrainingJobName="failing")
    assert description["TrainingJobStatus"] == "Failed"
    assert "no rows" in description["FailureReason"]
    assert "ModelArtifacts" not in description


def test_a_spot_job_goes_on_from_its_checkpoint(stand_in: StandIn) -> None:
    client: Any = boto3.client("sagemaker")
    stand_in.interrupt("round 2")
    stand_in.interrupt("round 4")
    client.create_training_job(**_request("spot", spot=True, rounds="5", pause="0.2"))
    job = stand_in.wait("spot")
    assert job.attempts == 3
    rounds = [line.split()[1] for line in job.log if line.startswith("round")]
    assert len(rounds) < 5 + 2 + 4  # it did not begin again
    description = client.describe_training_job(TrainingJobName="spot")
    statuses = [item["Status"] for item in description["SecondaryStatusTransitions"]]
    assert statuses.count("Interrupted") == 2 and statuses[-1] == "Completed"
    assert _model(description) == "5 rounds over 1,2"


def test_a_stopped_job_ends_as_stopped(stand_in: StandIn) -> None:
    client: Any = boto3.client("sagemaker")
    client.create_training_job(**_request("long", rounds="100000", pause="0.05"))
    while not stand_in.jobs["long"].log:
        time.sleep(0.05)
    client.stop_training_job(TrainingJobName="long")
    stand_in.wait("long")
    description = client.describe_training_job(TrainingJobName="long")
    assert description["TrainingJobStatus"] == "Stopped"


def test_the_log_is_where_cloudwatch_has_it(stand_in: StandIn) -> None:
    boto3.client("sagemaker").create_training_job(**_request("logged"))
    stand_in.wait("logged")
    logs = boto3.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="logged/")[
        "logStreams"
    ]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])
    assert [event["message"] for event in events["events"]][-1] == "round 3 loss=0.333"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"TrainingJobName": "under_score"}, "does not match"),
        ({"RoleArn": "slipway-training-role-name"}, "does not match"),
        ({"ResourceConfig": {"InstanceType": "ml.huge", "VolumeSizeInGB": 10}}, "is not one of"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "MaxRuntimeInSeconds"),
    ],
)
def test_what_aws_refuses_is_refused(
    stand_in: StandIn, change: dict[str, Any], message: str
) -> None:
    client: Any = boto3.client("sagemaker")
    with pytest.raises(Exception, match=message):
        client.create_training_job(**{**_request("refused"), **change})
    assert not stand_in.jobs


def test_a_name_is_used_once(stand_in: StandIn) -> None:
    client: Any = boto3.client("sagemaker")
    client.create_training_job(**_request("once"))
    with pytest.raises(client.exceptions.ResourceInUse):
        client.create_training_job(**_request("once"))
