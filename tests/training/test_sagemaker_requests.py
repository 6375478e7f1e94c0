"""What SageMaker is asked for keeps the limits that AWS's own description of its API states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.model.training_settings import SageMakerSettings, TrainingSettings
from slipway.settings import TrainingPlaceSettings
from slipway.training.run import new_run_id
from slipway.training.sagemaker.job_settings import JobSettings, job_name
from slipway.training.sagemaker.request import STEPS, processing_job, training_job
from tests.training.service_model import violations

PLACES = TrainingPlaceSettings(
    bucket="slipway-training",
    role="arn:aws:iam::111122223333:role/slipway-training",
    repository="111122223333.dkr.ecr.us-east-1.amazonaws.com/slipway-training",
)
FULL = TrainingPlaceSettings(
    bucket="slipway-training",
    role="arn:aws:iam::111122223333:role/slipway-training",
    repository="111122223333.dkr.ecr.us-east-1.amazonaws.com/slipway-training",
    kms_key="arn:aws:kms:us-east-1:111122223333:key/0f1e2d3c",
    subnets=("subnet-0a1b2c3d",),
    security_groups=("sg-0a1b2c3d",),
    tags={"team": "Bildverarbeitung Köln", "cost center": "4711"},
    environment={"SLIPWAY_PRODUCTION_STORE": "s3://releases/production"},
)
DEFAULTS = TrainingSettings()
RUN = "screen_detection-20261130t234500z-0a1b2c"


def settings(
    places: TrainingPlaceSettings = PLACES,
    training: TrainingSettings = DEFAULTS,
    parameters: dict[str, str] | None = None,
    run_id: str = RUN,
) -> JobSettings:
    return JobSettings(
        run_id,
        "screen_detection",
        "s3://slipway-training/training/code/" + "0" * 64 + ".tar.gz",
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/slipway-training@sha256:" + "0" * 64,
        places,
        training,
        {"commit": "0" * 40, "dirty": "false", "place": "sagemaker"},
        parameters or {},
    )


@pytest.mark.parametrize("places", [PLACES, FULL], ids=["least", "everything"])
@pytest.mark.parametrize("spot", [False, True])
def test_aws_accepts_a_training_job(places: TrainingPlaceSettings, spot: bool) -> None:
    chosen = TrainingSettings(
        sagemaker=SageMakerSettings(spot=spot, channels={"training/raw": "s3://data/raw/"}),
        metrics={"validation loss": "loss=([0-9.]+)"},
    )
    body = training_job(settings(places, chosen, {"train.rounds": "20"}))
    assert violations("sagemaker", "CreateTrainingJob", body) == []


@pytest.mark.parametrize("places", [PLACES, FULL], ids=["least", "everything"])
@pytest.mark.parametrize("step", STEPS)
def test_aws_accepts_a_processing_job_of_each_step(
    places: TrainingPlaceSettings, step: str
) -> None:
    body = processing_job(step, settings(places), {"SLIPWAY_PRODUCTION_STORE": "s3://x/y"})
    assert violations("sagemaker", "CreateProcessingJob", body) == []


def test_a_spot_job_may_wait_and_keeps_checkpoints() -> None:
    spot = TrainingSettings(sagemaker=SageMakerSettings(spot=True, max_hours=2))
    body = training_job(settings(training=spot))
    stopping = body["StoppingCondition"]
    assert stopping == {"MaxRuntimeInSeconds": 7200, "MaxWaitTimeInSeconds": 14400}
    assert body["EnableManagedSpotTraining"] is True
    assert body["CheckpointConfig"]["S3Uri"].endswith(f"{RUN}/checkpoints")


def test_a_job_on_demand_has_no_waiting_time_which_aws_would_refuse() -> None:
    assert "MaxWaitTimeInSeconds" not in training_job(settings())["StoppingCondition"]


def test_everything_at_rest_is_encrypted_with_the_key() -> None:
    training, processing = training_job(settings(FULL)), processing_job("compare", settings(FULL))
    assert training["OutputDataConfig"]["KmsKeyId"] == FULL.kms_key
    assert training["ResourceConfig"]["VolumeKmsKeyId"] == FULL.kms_key
    assert processing["ProcessingOutputConfig"]["KmsKeyId"] == FULL.kms_key
    cluster = processing["ProcessingResources"]["ClusterConfig"]
    assert cluster["VolumeKmsKeyId"] == FULL.kms_key


@pytest.mark.parametrize("instance", ["ml.g4dn.xlarge", "ml.g5.2xlarge", "ml.p4d.24xlarge"])
def test_an_instance_with_disks_of_its_own_gets_no_key_for_a_volume(instance: str) -> None:
    chosen = TrainingSettings(sagemaker=SageMakerSettings(instance=instance))
    body = training_job(settings(FULL, chosen))
    assert "VolumeKmsKeyId" not in body["ResourceConfig"]
    assert body["OutputDataConfig"]["KmsKeyId"] == FULL.kms_key


@pytest.mark.parametrize("instance", ["ml.m5.xlarge", "ml.c5.large", "ml.p3.2xlarge"])
def test_any_other_instance_gets_it(instance: str) -> None:
    chosen = TrainingSettings(sagemaker=SageMakerSettings(instance=instance))
    assert "VolumeKmsKeyId" in training_job(settings(FULL, chosen))["ResourceConfig"]


def test_the_steps_read_what_the_steps_before_them_wrote() -> None:
    chosen = settings()
    outputs, inputs = {}, {}
    for step in STEPS:
        body = processing_job(step, chosen)
        for entry in body["ProcessingOutputConfig"]["Outputs"]:
            outputs[entry["OutputName"]] = entry["S3Output"]["S3Uri"]
        inputs[step] = {e["InputName"]: e["S3Input"]["S3Uri"] for e in body["ProcessingInputs"]}
    assert inputs["compare"]["evaluation"] == outputs["evaluation"]
    assert inputs["propose"]["comparison"] == outputs["comparison"]
    training = training_job(chosen)
    folder = f"{training['OutputDataConfig']['S3OutputPath']}/{training['TrainingJobName']}"
    assert inputs["evaluate"]["model"] == f"{folder}/output/model.tar.gz"


def test_more_parameters_than_a_job_takes_are_refused_with_what_to_do() -> None:
    with pytest.raises(SlipwayError, match="takes 99 values") as caught:
        training_job(settings(parameters={f"p{n}": "1" for n in range(99)}))
    assert caught.value.fix is not None and "params.yaml" in caught.value.fix


def test_a_value_too_long_for_the_job_that_measures_is_refused_before_one_that_trains() -> None:
    longest = settings(parameters={"train.x": "1" * 244})
    assert training_job(longest)["HyperParameters"]["set.train.x"] == "1" * 244
    arguments = processing_job("evaluate", longest)["AppSpecification"]["ContainerArguments"]
    assert max(map(len, arguments)) == 256
    with pytest.raises(SlipwayError, match="--set train.x has 245 characters; a job takes 244"):
        training_job(settings(parameters={"train.x": "1" * 245}))


@pytest.mark.parametrize(
    ("channels", "what"),
    [
        ({"training/raw": "s3://a/b", "data/raw": "s3://a/c"}, "channel of another folder"),
        ({"training/code": "s3://a/b"}, "channel of another folder"),
        ({"training/a b": "s3://a/b"}, "cannot be a channel's name"),
    ],
)
def test_channels_that_sagemaker_would_mix_up_are_refused(
    channels: dict[str, str], what: str
) -> None:
    chosen = TrainingSettings(sagemaker=SageMakerSettings(channels=channels))
    with pytest.raises(SlipwayError, match=what):
        training_job(settings(training=chosen))


# of the SDK: its debugger's hook, and what says that the SDK itself manages no file
SDK_ONLY = {"DebugHookConfig", "AppManaged"}
# the values that the API takes for granted where the SDK leaves them out
OURS_ONLY = {"EnableNetworkIsolation": False, "EnableInterContainerTrafficEncryption": False}


def test_aws_own_sdk_writes_the_same_jobs() -> None:
    """What fixtures/sdk/record.py asked the SageMaker Python SDK for."""
    sdk = json.loads((Path(__file__).parent / "fixtures/sdk/jobs.json").read_text())
    places = TrainingPlaceSettings(
        bucket=FULL.bucket,
        role=FULL.role,
        kms_key=FULL.kms_key,
        subnets=FULL.subnets,
        security_groups=FULL.security_groups,
        environment=FULL.environment,
    )
    chosen = TrainingSettings(
        sagemaker=SageMakerSettings(spot=True, channels={"training/raw": "s3://data/raw/"}),
        metrics={"validation loss": "loss=([0-9.]+)"},
    )
    job = JobSettings(
        RUN,
        "screen_detection",
        settings().code,
        settings().image,
        places,
        chosen,
        parameters={"train.rounds": "20"},
    )
    ours = training_job(job)
    for name, default in OURS_ONLY.items():
        assert ours.pop(name) == default
    assert ours == _without(sdk["training"], SDK_ONLY)
    assert processing_job("evaluate", job) == _without(sdk["processing"], SDK_ONLY)


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _without(item, names) for key, item in value.items() if key not in names}


names = st.from_regex(r"[a-z][a-z0-9_]{0,120}", fullmatch=True)


@given(names, st.sampled_from([None, *STEPS]), st.sampled_from([None, "slipway", "ml-team"]))
def test_the_name_of_a_job_is_one_that_aws_takes(
    model: str, step: str | None, prefix: str | None
) -> None:
    name = job_name(new_run_id(model), step, prefix)
    assert name.startswith(prefix or "")
    body: dict[str, Any] = training_job(settings()) | {"TrainingJobName": name}
    assert violations("sagemaker", "CreateTrainingJob", body) == []


@given(names, names)
def test_two_runs_never_share_a_job(one: str, other: str) -> None:
    first, second = new_run_id(one), new_run_id(other)
    assert job_name(first) != job_name(second)
